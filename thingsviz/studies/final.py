"""The final trainings of a study, and the table that says what the search cost and gained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from optuna.trial import TrialState

from thingsviz.analysis.classes.hit_table import headline_metric
from thingsviz.analysis.scores import resampling
from thingsviz.analysis.scores.differences import difference_rows, verdict
from thingsviz.analysis.scores.score_table import MEAN
from thingsviz.core import json_files
from thingsviz.core.errors import EXIT_INTERRUPTED
from thingsviz.core.typography import finite
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import JobConfig, dump_config
from thingsviz.pipeline.resource_usage import spent
from thingsviz.pipeline.tasks.ratings import ScoredPart, scored_parts
from thingsviz.queue.reporter import StoppedError
from thingsviz.studies.config import StudyConfig
from thingsviz.studies.records import StudyRecords, check_trial
from thingsviz.studies.space import Value, shown, with_values
from thingsviz.studies.study_folder import StudyFolder, inherit_owner

Row = dict[str, Any]
TITLES = {
    "default": "default settings",
    "random": "best of the random search",
    "best": "best of the study",
}


def final_recipes(
    folder: StudyFolder, config: StudyConfig, searches: dict[str, StudyRecords]
) -> dict[str, JobConfig]:
    """Return the recipes that are trained in the end: default, random search's best, study's best.

    They were all chosen before any of them sees a test trial.
    """
    same: dict[str, Value] = dict(config.judged)
    found = {}
    if "default" in config.controls:
        found["default"] = with_values(config.base, same, study=folder.name)
    for name, phase in (("random", "random"), ("best", "search")):
        values = best_values(searches[phase], config) if phase in searches else None
        if values is not None:
            found[name] = with_values(config.base, {**values, **same}, study=folder.name)
    return found


def best_values(records: StudyRecords, config: StudyConfig) -> dict[str, Value] | None:
    """Return the settings of the best candidate on the validation trials; None without any."""
    for trial in records.trials(TrialState.COMPLETE):
        check_trial(trial)
    try:
        params = records.study.best_trial.params
    except ValueError:
        return None
    values: dict[str, Value] = {}
    for name, value in params.items():
        options = getattr(config.space.get(name), "options", ())
        values[name] = next((o for o in options if shown(o) == value), value)
    return values


def final_job(folder: StudyFolder, which: str, recipe: JobConfig) -> JobFolder:
    """Find the final training of a recipe, or make its folder; a new best gets a new one."""
    for number in range(1, 1000):
        name = f"{folder.name}-{which}" + (f"-{number}" if number > 1 else "")
        job, wanted = JobFolder(folder.root / name), recipe.model_copy(update={"name": name})
        if not job.file("config.json").is_file():
            job.path.mkdir(exist_ok=True)
            json_files.write_sealed(job.file("config.json"), dump_config(wanted))
            inherit_owner(folder, job)
        if job.config() == wanted:
            return job
    msg = f"{folder.name} has 999 final trainings: begin a new study"
    raise ValueError(msg)


def train_finals(
    folder: StudyFolder,
    recipes: dict[str, JobConfig],
    announce: Callable[[str], None],
    check: Callable[[], None],
) -> dict[str, JobFolder]:
    """Train each recipe as an ordinary job, in this process."""
    from thingsviz.pipeline.run_job import run_job

    jobs = {}
    for which, recipe in recipes.items():
        check()
        jobs[which] = job = final_job(folder, which, recipe)
        if not job.is_done():
            announce(f"final training: {TITLES[which]}")
            if run_job(job) == EXIT_INTERRUPTED:
                raise KeyboardInterrupt
        if job.status().state == "stopped":
            raise StoppedError
    return jobs


def result_rows(
    jobs: dict[str, JobFolder], searches: dict[str, StudyRecords], config: StudyConfig
) -> list[Row]:
    """Return a row a final training: cost of its search, test score, gain on the default."""
    rows = []
    for which, job in jobs.items():
        phase = {"best": "search"}.get(which, which)
        row: Row = {"which": which, "title": TITLES[which], "job": job.name}
        row |= {"state": job.status().state, "message": job.status().message}
        row |= _cost(searches.get(phase)) | {"final_seconds": spent(job).seconds}
        row |= {"validation": _validation(job, config), **_score(job)}
        row["gain"] = _gain(job, jobs.get("default")) if which != "default" else None
        row["over_random"] = _gain(job, jobs.get("random")) if which == "best" else None
        rows.append(row)
    return rows


def _cost(records: StudyRecords | None) -> Row:
    """Return how many candidates a search ran and the seconds of all, failed ones included."""
    if records is None:
        return {"n_candidates": 0, "search_seconds": 0.0}
    trials = records.trials()
    seconds = sum(float(t.user_attrs.get("seconds", 0)) for t in trials)
    done = sum(t.state.is_finished() and t.user_attrs["attempt"] == 1 for t in trials)
    return {"n_candidates": done, "search_seconds": round(seconds, 1)}


def _validation(job: JobFolder, config: StudyConfig) -> float | None:
    found = [r.get(config.objective) for r in job.metrics()[0] if r.get("kind") == "epoch"]
    known = [value for value in found if value is not None]
    if not known:
        return None
    return float(max(known) if config.maximises else min(known))


def _score(job: JobFolder) -> Row:
    """Return the score of single test trials, mean r or Top-10 of classes, with its interval."""
    scores = job.scores()
    nothing: Row = {"metric": "r", "score": None, "low": None, "high": None}
    if scores is None or scores.empty:
        return nothing
    metric = headline_metric(set(scores["metric"]))
    wanted = {"part": "test", "n_averaged": "single", "metric": metric}
    wanted |= {"target": MEAN} if metric == "r" else {}
    found = scores[scores["model"] == job.config().model.name]
    for column, value in wanted.items():
        found = found[found[column] == value]
    if found.empty:
        return nothing
    first = found.iloc[0]
    return {
        "metric": metric,
        "score": finite(first["value"]),
        "low": finite(first["low"]),
        "high": finite(first["high"]),
    }


def _gain(ours: JobFolder, other: JobFolder | None) -> Row | None:
    """Return the paired difference in mean r, both scored on the same draws of test concepts."""
    if other is None:
        return None
    pair = [_test_part(job) for job in (ours, other)]
    if pair[0] is None or pair[1] is None:
        return None
    rows = difference_rows(
        pair[0].where, pair[0].data, pair[1].data, other.name, resampling.N_DRAWS
    )
    for row in rows:
        if row["target"] == MEAN and row["metric"] == "r":
            keys = ("versus", "difference", "low", "high")
            return {key: row[key] for key in keys} | {"verdict": verdict(row)}
    return None


def _test_part(job: JobFolder) -> ScoredPart | None:
    predictions, config = job.predictions(), job.config()
    if predictions is None or f"pred_{config.targets[0]}" not in predictions:
        return None
    parts = scored_parts(predictions, config.targets)
    wanted = (p for p in parts if (p.where.part, p.where.n_averaged) == ("test", "single"))
    return next(wanted, None)
