"""How the trainings of the replication run one after the other: made, awaited, reused."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models.base.errors import ModelError
from models.catalog.registry import spec_of
from thingsviz.core import json_files
from thingsviz.core.errors import ThingsvizError
from thingsviz.core.progress import Progress, Report
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.jobs.job_folder import JobFolder, create_job, jobs_root
from thingsviz.jobs.recipe import JobConfig, dump_config, parse_config
from thingsviz.jobs.run_folder import ALIVE, RunStatus
from thingsviz.queue import submit
from thingsviz.replication.plan import LeftOut, PlannedTraining, entries, recipe_of
from thingsviz.replication.time_budget import (
    SHARE,
    TrainingLoad,
    candidates,
    cut,
    load_of,
    shares,
    sizes_of,
    study_least,
    study_whole,
)
from thingsviz.studies.config import StudyConfig, parse_study
from thingsviz.studies.study_folder import StudyFolder, create_study, studies_root

RECORD = "again.json"
SAME = ("dataset", "subject", "minutes", "fingerprint", "shape")
LOOK_S = 0.5
LINEAR_S = 20.0  # a guess that only moves the bar
Tick = Callable[[RunStatus], None]


@dataclass(frozen=True)
class ReplicationStep:
    """One training of the study: what became of it, why, and what of its settings was cut."""

    entry: PlannedTraining
    config: JobConfig | None
    state: str = "waiting"
    why: str = ""
    cut: str = ""
    job: str | None = None
    seconds: float = LINEAR_S


def plan(
    store: BetaStore, dataset: str, subject: str, budget_s: float | None
) -> list[ReplicationStep]:
    """Turn the study's settings into recipes that fit the time; each says what was cut."""
    steps = [_wish(e, dataset, subject) for e in entries(store.grid.shape)]
    if budget_s is not None:
        steps = _fit_into(steps, store, budget_s)
    return [_named(step) for step in steps]


def _wish(entry: PlannedTraining, dataset: str, subject: str) -> ReplicationStep:
    config = recipe_of(entry, dataset, subject, "again")
    if isinstance(config, LeftOut):
        return ReplicationStep(entry, None, "left out", config.why)
    return ReplicationStep(entry, config)


def _fit_into(
    steps: list[ReplicationStep], store: BetaStore, budget_s: float
) -> list[ReplicationStep]:
    """Deal the time out to the networks; linear decoders stay as they are."""
    loads: dict[str, TrainingLoad] = {}
    out = list(steps)
    for i, step in enumerate(steps):
        if step.config is None or spec_of(step.config.model).kind != "network":
            continue
        try:
            sizes = sizes_of(step.config, store)
            loads[step.entry.key] = load_of(step.config, store.mask, sizes)
        except (ThingsvizError, ModelError) as error:
            out[i] = replace(step, config=None, state="left out", why=str(error))
    least = {s.entry.key: _least(s, loads) for s in out if s.entry.key in loads}
    whole = {s.entry.key: _whole(s, loads) for s in out if s.entry.key in loads}
    given = shares(least, whole, SHARE * budget_s)
    return [_cut(s, loads, least, given) if s.entry.key in loads else s for s in out]


def _least(step: ReplicationStep, loads: dict[str, TrainingLoad]) -> float:
    load = loads[step.entry.key]
    return study_least(load) if step.entry.study else load.least


def _whole(step: ReplicationStep, loads: dict[str, TrainingLoad]) -> float:
    assert step.config is not None
    load, epochs, study = loads[step.entry.key], step.config.fit.epochs, step.entry.study
    return study_whole(load, epochs, study["n_candidates"]) if study else load.whole(epochs)


def _cut(
    step: ReplicationStep,
    loads: dict[str, TrainingLoad],
    least: dict[str, float],
    given: dict[str, float],
) -> ReplicationStep:
    assert step.config is not None
    key = step.entry.key
    if key not in given:
        minutes = math.ceil(least[key] / 60)
        why = f"with its predictions it would take {minutes} min or more on this machine"
        return replace(step, config=None, state="left out", why=why, seconds=0.0)
    load, seconds = loads[key], given[key]
    if not step.entry.study:
        found = cut(step.config, load, seconds)
        return replace(step, config=found.config, cut=found.words, seconds=seconds)
    wanted = step.entry.study["n_candidates"]
    n = candidates(wanted, load, seconds)
    found = cut(step.config, load, seconds / (n + 1))
    few = f"{n} of the original study's {wanted} candidates" if n < wanted else ""
    entry = step.entry._replace(study={**step.entry.study, "n_candidates": n})
    told = "; ".join(filter(None, (found.words, few)))
    return ReplicationStep(entry, found.config, cut=told, seconds=seconds)


def _named(step: ReplicationStep) -> ReplicationStep:
    if step.config is None:
        return step
    return replace(step, config=named(step.entry, step.config))


def named(entry: PlannedTraining, config: JobConfig) -> JobConfig:
    """Name a recipe by what it says, so that the same recipe finds the same job again."""
    facts = json.dumps([dump_config(config), entry.study], sort_keys=True)
    digest = hashlib.sha256(facts.encode()).hexdigest()[:8]
    return config.model_copy(update={"name": f"again-{entry.key}-{digest}"})


def run_all(
    steps: Sequence[ReplicationStep], report: Report, keep: Callable[[list[ReplicationStep]], None]
) -> None:
    """Run what is not done; `keep` gets all steps after each; stops the job when interrupted."""
    done = list(steps)
    total = round(sum(step.seconds for step in done))
    for i, step in enumerate(done):
        before, began = sum(s.seconds for s in done[:i]), time.monotonic()

        def tick(
            status: RunStatus,
            step: ReplicationStep = step,
            i: int = i,
            before: float = before,
            began: float = began,
        ) -> None:
            # a search tells no share of its own
            guess = min(0.95, (time.monotonic() - began) / max(step.seconds, 1.0))
            share = guess if step.entry.study else status.share
            words = f"{i + 1} of {len(done)}: {step.entry.title}, {status.message or status.state}"
            report(Progress(round(before + step.seconds * share), total + 1, words))

        tick(RunStatus("queued"))
        if step.config is not None:
            done[i] = run_step(step, tick)
        keep(done)
    report(Progress(total + 1, total + 1, "the report is written"))


def run_step(step: ReplicationStep, tick: Tick) -> ReplicationStep:
    """Train, or tune, or find that it was done before; a failure is told and the rest goes on."""
    assert step.config is not None
    try:
        if step.entry.study:
            return _tune(step, step.config, tick)
        job = JobFolder(jobs_root() / step.config.name)
        if not job.file("config.json").is_file():
            job = create_job(step.config)
        status = train(job, tick)
    except ThingsvizError as error:
        return replace(step, state="failed", why=str(error))
    if job.is_done():
        return replace(step, state="done", job=job.name)
    return replace(step, state=status.state, why=status.message, job=job.name)


def train(job: JobFolder, tick: Tick) -> RunStatus:
    """Put a job into the line and wait for its end."""
    if job.is_done():
        return job.status()
    submit.start(job)
    return _await(job.status, lambda: submit.stop(job), tick, lambda: submit.is_alive(job))


def _await(
    look: Callable[[], RunStatus],
    stop: Callable[[], object],
    tick: Tick,
    alive: Callable[[], bool],
) -> RunStatus:
    try:
        while True:
            running = alive()
            status = look()
            tick(status)
            if not running and status.state not in ALIVE:
                return status
            time.sleep(LOOK_S)
    except BaseException:
        stop()
        raise


def _tune(step: ReplicationStep, base: JobConfig, tick: Tick) -> ReplicationStep:
    """Search as the original did, then train the best; the search and its job are found again."""
    from thingsviz.studies.submit import start_study, stop_study

    study = StudyFolder(studies_root() / base.name)
    if not study.file("config.json").is_file():
        study = create_study(study_config(step.entry, base))
    best = JobFolder(jobs_root() / f"{study.name}-best")
    if not best.is_done():
        start_study(study)
        _await(study.status, lambda: stop_study(study), tick, study.is_alive)
    if not best.is_done():
        message = study.status().message or "the study ended without a best candidate"
        return replace(step, state="failed", why=message)
    return replace(step, state="done", job=best.name)


def study_config(entry: PlannedTraining, base: JobConfig) -> StudyConfig:
    """Return the original study's search: its space and number of candidates, around a recipe."""
    recipe = dump_config(base)
    return parse_study({"name": base.name, "base": recipe, **(entry.study or {})}, entry.title)


def write_record(out: Path, steps: Sequence[ReplicationStep], facts: dict[str, Any]) -> None:
    """Note in OUT/again.json which jobs stand behind the report."""
    rows = [
        {
            "key": step.entry.key,
            "title": step.entry.title,
            "state": step.state,
            "why": step.why,
            "cut": step.cut,
            "seconds": step.seconds,
            "job": step.job,
            "config": None if step.config is None else dump_config(step.config),
            "study": step.entry.study,
        }
        for step in steps
    ]
    json_files.write_sealed(out / RECORD, {**facts, "steps": rows})


def remembered(out: Path, facts: dict[str, Any]) -> list[ReplicationStep] | None:
    """Return the steps that an earlier run into this folder chose for the same question.

    What fits the time depends on how busy the machine is: without this a second run would cut
    the recipes anew and find none of the jobs that are done.
    """
    known = json_files.read_json(out / RECORD) or {}
    if any(known.get(name) != facts[name] for name in SAME) or "steps" not in known:
        return None
    rows = {row["key"]: row for row in known["steps"]}
    found = entries(facts["shape"])
    if set(rows) != {entry.key for entry in found}:
        return None
    return [_recalled(entry, rows[entry.key]) for entry in found]


def _recalled(entry: PlannedTraining, row: dict[str, Any]) -> ReplicationStep:
    entry = entry._replace(study=row["study"])
    if row["config"] is None:
        return ReplicationStep(entry, None, row["state"], row["why"])
    config = parse_config(row["config"], RECORD)
    return ReplicationStep(entry, config, cut=row["cut"], seconds=row["seconds"])
