"""A job, or a comparison of jobs, as a report in one file that opens anywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from thingsviz.analysis.scores.paired_tests import sentence
from thingsviz.analysis.scores.reference_rows import REFERENCE_ROWS
from thingsviz.core.errors import JobError, ThingsvizError
from thingsviz.core.typography import decimals, signed
from thingsviz.figures.base.svg import DotRow, SvgLine, SvgMark, dots, lines
from thingsviz.figures.scores.comparison import overlay_info
from thingsviz.figures.scores.scores import (
    ScoreInfo,
    ScoreQuestion,
    headline,
    metric_name,
    naming_question,
    score_info,
)
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.learned import VALIDATION
from thingsviz.jobs.recipe import dump_config
from thingsviz.jobs.setting_titles import setting_text, title_of
from thingsviz.pipeline.resource_usage import spent
from thingsviz.pipeline.training_data import find_dataset
from thingsviz.reports import html_page as page
from thingsviz.reports.comparable import FinishedJob, comparable, naming, read_finished
from thingsviz.reports.comparison import class_tests, pair_tests, settings_that_differ

REFERENCES = {row.name: row.label for row in REFERENCE_ROWS}
MEGA = 1_000_000
MOST_ROWS = 200


def job_report(job: JobFolder) -> str:
    """Return one job's report: scores, curves, limits, settings, and what made them."""
    found = read_finished(job)
    body = [about(job, found), data_part(found), *scores_part(found), *curves_part([job])]
    body += [limits_part(job), predictions_part(found), *settings_part(job, found)]
    return page.page(job.name, body, simulated=is_simulated(job))


def comparison_report(jobs: Sequence[JobFolder]) -> str:
    """Return the report of a comparison; raises JobError where the jobs are not comparable."""
    found = [read_finished(job) for job in jobs]
    group = comparable(found)
    if len(found) < 2 or group.refused:
        raise JobError(group.refused[0] if group.refused else "a comparison needs two jobs")
    body = [page.text(f"{len(jobs)} trainings on the same test trials.")]
    body += [means_part(found), *differences_part(found), *curves_part(jobs)]
    body += [cost_part({job.name: job for job in jobs}), differing_part(found)]
    for job, each in zip(jobs, found, strict=True):
        body += [page.heading(job.name), about(job, each), *scores_part(each, level=3)]
        body += [limits_part(job), *settings_part(job, each)]
    title = "Comparison of " + ", ".join(job.name for job in jobs)
    return page.page(title, body, simulated=any(map(is_simulated, jobs)))


def data_part(found: FinishedJob) -> str:
    """Say so where the data of a job are not on this machine."""
    try:
        find_dataset(found.config)
    except ThingsvizError:
        where = f"{found.config.dataset!r}, {found.config.subject}"
        return page.box(
            page.text(
                f"The data of this training ({where}) are not on this machine: its scores and "
                "predictions stand here, its trials cannot be opened."
            )
        )
    return ""


def predictions_part(found: FinishedJob) -> str:
    """Fold away the first test predictions, as a reader without the app may want them."""
    rows = found.predictions[found.predictions["part"] == "test"].head(MOST_ROWS)
    table = page.table([str(c) for c in rows.columns], rows.round(3).astype(str).to_numpy())
    n = int(found.predictions["part"].eq("test").sum())
    return page.folded(f"Test predictions ({len(rows):,} of {n:,} rows)", table)


def is_simulated(job: JobFolder) -> bool:
    """Whether the job's data were planted."""
    return bool(job.manifest().get("simulated"))


def about(job: JobFolder, found: FinishedJob) -> str:
    """Say in a line what was trained on what."""
    config, took = found.config, spent(job)
    words = [f"Model {config.model.name}", f"data {config.dataset}, {config.subject}"]
    words += [config.split.words, f"seed {config.seed}"]
    words += [f"{took.seconds:,.0f} s of training"] if took.seconds is not None else []
    words += [f"{took.n_parameters:,} parameters"] if took.n_parameters else []
    words += [f"{took.peak_bytes / MEGA:,.0f} MB at most"] if took.peak_bytes else []
    return page.text("; ".join(words) + ".")


def amount(value: float | None, metric: str = "r") -> str:
    """Write a number of a score; shares in percent."""
    if value is None:
        return "–"
    if metric == "confidence" or metric.startswith("top"):
        return f"{100 * value:.2f} %"
    return decimals(value)


def with_interval(info: ScoreInfo | None) -> str:
    """Write a score with its interval."""
    if info is None:
        return "–"
    metric = info.question.metric
    if info.low is None or info.high is None:
        return f"{amount(info.value, metric)} (no interval)"
    return (
        f"{amount(info.value, metric)} ({amount(info.low, metric)} to {amount(info.high, metric)})"
    )


def questions_of(found: FinishedJob) -> list[ScoreQuestion]:
    """Return the (part, averaging, metric) combinations that a job's table answers."""
    own = found.scores[found.scores["model"] == found.model]
    keys = own[["part", "n_averaged", "metric"]].drop_duplicates()
    return [ScoreQuestion(p, n, "mean", m) for p, n, m in keys.itertuples(index=False, name=None)]


def scores_part(found: FinishedJob, level: int = 2) -> list[str]:
    """Tabulate every score of a job with its interval, p and references."""
    parts = [page.heading("Scores", level)]
    for asked in questions_of(found):
        targets = list(found.scores["target"].drop_duplicates())
        infos = [score_info(found.scores, found.model, asked._replace(target=t)) for t in targets]
        known = [info for info in infos if info is not None]
        if not known:
            continue
        name = metric_name(asked.metric)
        title = f"{name}: {asked.part}, {asked.n_averaged}"
        if asked.metric == "r":
            parts.append(page.figure(dots([dot_row(i) for i in known], name), title))
        parts.append(page.folded(title, score_table(known)))
    return parts


def dot_row(info: ScoreInfo) -> DotRow:
    """Turn a score into a row of a picture."""
    label = "mean of all" if info.question.target == "mean" else info.question.target
    marks = tuple(SvgMark(r.label, r.value) for r in info.references)
    return DotRow(label, info.value, info.low, info.high, marks)


def score_table(infos: Sequence[ScoreInfo]) -> str:
    """Return a row a property: the score with its interval, p, references, n."""
    metric = infos[0].question.metric
    head = ["property", f"{infos[0].model} (95 % interval)", "p", *REFERENCES.values(), "n"]
    rows = [
        [
            info.question.target,
            with_interval(info),
            None if info.p is None else f"{info.p:.3f}",
            *(amount(info.reference(name), metric) for name in REFERENCES),
            f"{info.n_trials:,} of {info.n_concepts:,} concepts",
        ]
        for info in infos
    ]
    return page.table(head, rows)


def curves_part(jobs: Sequence[JobFolder]) -> list[str]:
    """Draw what there is of validation r and losses over epochs."""
    rows = {job.name: job.metrics()[0] for job in jobs}
    parts = []
    for what, words in VALIDATION.items():
        info = overlay_info(rows, what, "epochs")
        if info.curves:
            found = [SvgLine(c.name, c.x, c.y) for c in info.curves]
            parts.append(page.figure(lines(found, "epoch", words), f"{words} of each epoch"))
    return [page.heading("Learning"), *parts] if parts else []


def limits_part(job: JobFolder) -> str:
    """List what the scores could not show."""
    said = job.could_not_show()
    return (
        page.box(page.heading("What this could not show", 3), page.bullets(said)) if said else ""
    )


def settings_part(job: JobFolder, found: FinishedJob) -> list[str]:
    """Fold away the recipe and what made the result: versions, seeds, fingerprints."""
    recipe = json.dumps(dump_config(found.config), indent=1)
    manifest = json.dumps(job.manifest(), indent=1)
    return [
        page.folded("Recipe", page.code(recipe)),
        page.folded("What made it: versions, seeds, data", page.code(manifest)),
    ]


def means_part(jobs: Sequence[FinishedJob], asked: ScoreQuestion | None = None) -> str:
    """Tabulate the mean scores of several jobs, each with its interval and references."""
    table = jobs[0].scores
    asked = asked or (naming(jobs) and naming_question(table)) or headline(table)
    infos = [score_info(job.scores, job.model, asked) for job in jobs]
    head = ["training", f"{metric_name(asked.metric)} (95 % interval)", "p"]
    rows = [
        [
            job.name,
            with_interval(info),
            None if info is None or info.p is None else f"{info.p:.3f}",
            *(amount(info.reference(n) if info else None, asked.metric) for n in REFERENCES),
        ]
        for job, info in zip(jobs, infos, strict=True)
    ]
    words = f"Mean over properties, {asked.part} part, {asked.n_averaged}"
    return page.table([*head, *REFERENCES.values()], rows) + page.small(words + ".")


def differences_part(jobs: Sequence[FinishedJob], level: int = 2) -> list[str]:
    """Say whether the jobs differ, all pairs, corrected."""
    parts = [page.heading("Do they differ?", level)]
    if naming(jobs) or not jobs[0].of_ratings:
        return [*parts, hits_table(class_tests(jobs, "test"))]
    rows = pair_tests(jobs, "test", averaged=False, metric="r")
    rows = rows or pair_tests(jobs, "test", averaged=False, metric="mse_unit")
    means = [row for row in rows if row["target"] == "mean"]
    parts.append(page.bullets(sentence(row) for row in means))
    head = ["A", "B", "property", "A − B (95 % interval)", "p", "p corrected (Holm)"]
    cells = [[r["a"], r["b"], r["target"], span(r), _p(r["p"]), _p(r["p_holm"])] for r in rows]
    parts.append(page.folded("Every property", page.table(head, cells)))
    note = "Paired permutation test: concepts change places between the two, with their trials."
    return [*parts, page.small(note)]


def span(row: dict[str, Any]) -> str:
    """Write a difference with its interval."""
    value = signed(row["difference"])
    if row["low"] is None:
        return f"{value} (no interval)"
    return f"{value} ({signed(row['low'])} to {signed(row['high'])})"


def _p(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"


def hits_table(rows: Sequence[dict[str, Any]]) -> str:
    """Tabulate hits among the first k of pairs of class jobs."""
    head = ["first k", "A", "B", "hits of A", "hits of B", "A − B (95 % interval)"]
    head += ["p (McNemar)", "p (concepts)", "p corrected (Holm)"]
    cells = [
        [
            r["k"],
            r["a"],
            r["b"],
            f"{r['hits_a']} of {r['n_trials']}",
            f"{r['hits_b']} of {r['n_trials']}",
            span(r),
            _p(r["p_mcnemar"]),
            _p(r["p"]),
            _p(r["p_holm"]),
        ]
        for r in rows
    ]
    return page.table(head, cells)


def cost_part(jobs: Mapping[str, JobFolder], level: int = 2) -> str:
    """Tabulate what each job took, under the name given."""
    took = [(name, spent(job)) for name, job in jobs.items()]
    rows = [
        [
            name,
            None if s.seconds is None else f"{s.seconds:,.1f}",
            None if s.n_parameters is None else f"{s.n_parameters:,}",
            None if s.peak_bytes is None else f"{s.peak_bytes / MEGA:,.0f}",
        ]
        for name, s in took
    ]
    head = ["training", "seconds of the fit", "parameters", "peak memory, MB"]
    return page.heading("Cost", level) + page.table(head, rows)


def differing_part(jobs: Sequence[FinishedJob]) -> str:
    """Tabulate the settings on which the recipes differ."""
    table = settings_that_differ(jobs)
    if not table:
        return ""
    head = ["setting", *(job.name for job in jobs)]
    rows = [[title_of(name), *map(setting_text, values)] for name, values in table.items()]
    return page.heading("Settings that differ") + page.table(head, rows)
