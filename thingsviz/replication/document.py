"""The replication as one HTML file: its numbers, ours, and what each of them means."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from thingsviz.core.errors import ThingsvizError
from thingsviz.core.files import write_atomically
from thingsviz.figures.base.svg import SvgLine, dots, lines
from thingsviz.figures.scores.comparison import overlay_info
from thingsviz.figures.scores.scores import (
    ScoreInfo,
    ScoreQuestion,
    headline,
    metric_name,
    score_info,
)
from thingsviz.jobs.job_folder import JobFolder, jobs_root
from thingsviz.jobs.recipe import dump_config
from thingsviz.replication.classifier_table import classifiers_table
from thingsviz.replication.plan import CLASSES, sections
from thingsviz.replication.run import ReplicationStep
from thingsviz.replication.wording import INTRODUCTION, meaning
from thingsviz.reports import html_page as page
from thingsviz.reports.comparable import FinishedJob, comparable, read_finished
from thingsviz.reports.html_job import (
    amount,
    cost_part,
    differences_part,
    dot_row,
    settings_part,
    with_interval,
)

TITLE = "Replication of the original study"
FILE = "report.html"
REFERENCES = {
    "chance": "chance",
    "prior": "prior-only",
    "mean": "mean",
    "ridge": "ridge",
    "ceiling": "noise ceiling",
    "oracle": "oracle",
}
CAPTION = "Single test trials: dots with 95 % intervals, references as ticks."
SHORT = {
    "mse": "squared error",
    "mae": "absolute error",
    "mse_unit": "squared error, scales 0 to 1",
    "mae_unit": "absolute error, scales 0 to 1",
    "confidence": "confidence",
}
OWN = (
    "One seed of each training: another draw of split, weights and batches gives other numbers.",
    "Trainings that were cut to fit the time show what the settings do in so many batches, not "
    "what they would do in all of them.",
    "The original study's numbers came from measured data with other trials than ours: they stand "
    "here to be read beside what chance, prior and mean give, not to be matched digit by digit.",
)


class FinishedStep(NamedTuple):
    """A training that ended: its step, its folder, its results."""

    step: ReplicationStep
    job: JobFolder
    found: FinishedJob


def write_report(out: Path, steps: Sequence[ReplicationStep], facts: dict[str, Any]) -> None:
    """Write OUT/report.html; it may be read while trainings still run."""
    text = report(steps, facts)
    write_atomically(out / FILE, lambda file: file.write(text.encode()))


def report(steps: Sequence[ReplicationStep], facts: dict[str, Any]) -> str:
    """Return the document."""
    done = [d for step in steps if (d := _done(step)) is not None]
    body = [_head(steps, facts), *(page.text(words) for words in INTRODUCTION)]
    for name in sections([step.entry for step in steps]):
        own = [step for step in steps if step.entry.section == name]
        body += _section(name, own, [d for d in done if d.step.entry.section == name], facts)
    body += [*_limits(done), *_made(done, facts)]
    return page.page(TITLE, body, simulated=bool(facts.get("simulated")))


def _done(step: ReplicationStep) -> FinishedStep | None:
    if step.job is None or step.state != "done":
        return None
    job = JobFolder(jobs_root() / step.job)
    try:
        return FinishedStep(step, job, read_finished(job))
    except ThingsvizError:
        return None


def _head(steps: Sequence[ReplicationStep], facts: dict[str, Any]) -> str:
    n = len([step for step in steps if step.state == "done"])
    minutes = facts.get("minutes")
    words = [f"{facts['dataset']}, {facts['subject']}: {n} of {len(steps)} trainings are done."]
    words += [f"Cut to about {minutes:g} minutes in all."] if minutes else ["Nothing was cut."]
    if facts.get("simulated"):
        words.append(
            "The data are SIMULATED: signals of known strength were planted. What a decoder finds "
            "here says how good it is at finding what is there, and nothing about brains."
        )
    return page.box(page.text(*words))


def _section(
    name: str,
    steps: Sequence[ReplicationStep],
    done: Sequence[FinishedStep],
    facts: dict[str, Any],
) -> list[str]:
    parts = [page.heading(name), _numbers(steps, done), *_pictures(done)]
    parts += [page.heading("What the numbers mean", 3), page.bullets(meaning(name))]
    if name == CLASSES and done:
        jobs = {d.found.model: d.job for d in done}
        parts += [page.heading("The three classifiers, measured (its table 8.2)", 3)]
        parts.append(classifiers_table(jobs, facts.get("shape")))
    if done:
        parts += [*_differences(done), cost_part({d.step.entry.title: d.job for d in done}, 3)]
        parts += [page.heading("Settings", 3), *_settings(done)]
    return parts


def _numbers(steps: Sequence[ReplicationStep], done: Sequence[FinishedStep]) -> str:
    """Tabulate the original numbers beside ours; a training that is not done has its reason."""
    results = {d.step.entry.key: d for d in done}
    rows: list[list[str]] = []
    for step in steps:
        d = results.get(step.entry.key)
        rows += _rows_of(step, d) if d else [[step.entry.title, _state(step)]]
    head = [
        "training",
        "score",
        "the original study",
        "here (95 % interval)",
        "p",
        *REFERENCES.values(),
    ]
    full = [
        i
        for i in range(len(head))
        if i < 4 or any(row[i : i + 1] not in (["–"], []) for row in rows)
    ]
    notes = [
        f"{step.entry.title}: {note}"
        for step in steps
        for note in (*step.entry.notes, step.cut and f"{step.cut}.")
        if note
    ]
    kept = [[row[i] for i in full if i < len(row)] for row in rows]
    return page.table([head[i] for i in full], kept) + page.bullets(notes)


def _state(step: ReplicationStep) -> str:
    return f"{step.state}: {step.why}" if step.why else step.state


def _rows_of(step: ReplicationStep, d: FinishedStep) -> list[list[str]]:
    published = {p.metric: p.value for p in step.entry.published}
    main = headline(d.found.scores).metric
    rows: list[list[str]] = []
    for metric in dict.fromkeys([*published, main]):
        info = score_info(d.found.scores, d.found.model, ScoreQuestion(metric=metric))
        theirs = _published(published[metric], metric) if metric in published else "–"
        name = SHORT.get(metric, metric_name(metric))
        rows.append(["" if rows else step.entry.title, name, theirs, *_cells(info)])
    return rows


def _published(value: float, metric: str) -> str:
    """Write a number of the original study with the digits that it has there."""
    return amount(value, metric) if amount(value, metric).endswith("%") else f"{value:.4f}"


def _cells(info: ScoreInfo | None) -> list[str]:
    if info is None:
        return ["–"] * (2 + len(REFERENCES))
    metric = info.question.metric
    p = "–" if info.p is None else f"{info.p:.3f}"
    hits = f", {info.hits} of {info.n_trials} hits" if info.hits is not None else ""
    beside = [amount(info.reference(name), metric) for name in REFERENCES]
    return [with_interval(info) + hits, p, *beside]


def _pictures(done: Sequence[FinishedStep]) -> list[str]:
    """Draw the headline score of each training with its references, and the losses."""
    parts = []
    by_metric: dict[str, list[tuple[FinishedStep, ScoreInfo]]] = {}
    for d in done:
        info = score_info(d.found.scores, d.found.model, headline(d.found.scores))
        if info is not None:
            by_metric.setdefault(info.question.metric, []).append((d, info))
    for metric, found in by_metric.items():
        rows = [dot_row(info)._replace(label=d.step.entry.title[:40]) for d, info in found]
        parts.append(page.figure(dots(rows, metric_name(metric)), CAPTION))
    for what, words in (("train_loss", "Training loss"), ("validation_loss", "Validation loss")):
        epochs = {d.step.entry.title: d.job.metrics()[0] for d in done}
        curves = [SvgLine(*curve) for curve in overlay_info(epochs, what, "epochs").curves]
        if curves:
            parts.append(page.figure(lines(curves, "epoch", words), f"{words}, epoch by epoch."))
    return parts


def _differences(done: Sequence[FinishedStep]) -> list[str]:
    """Test the pairs that answer one question on the same trials."""
    group = comparable([d.found for d in done])
    if len(group.jobs) < 2:
        return []
    titles = {d.found.name: d.step.entry.title for d in done}
    return differences_part([job._replace(name=titles[job.name]) for job in group.jobs], 3)


def _settings(done: Sequence[FinishedStep]) -> list[str]:
    parts = []
    for d in done:
        parts += [
            page.text(f"{d.step.entry.title} (job {d.job.name}, seed {d.found.config.seed})")
        ]
        parts += settings_part(d.job, d.found)
    return parts


def _limits(done: Sequence[FinishedStep]) -> list[str]:
    said = list(dict.fromkeys(line for d in done for line in d.job.could_not_show()))
    known = [line for line in said if not line.startswith("It is ")]
    heading = page.heading("What this could not show")
    return [heading, page.bullets([*OWN, *known])]


def _made(done: Sequence[FinishedStep], facts: dict[str, Any]) -> list[str]:
    """Say what made these numbers: versions, data, seeds."""
    versions = done[0].job.manifest().get("versions", {}) if done else {}
    rows = [["data fingerprint", facts.get("fingerprint")], ["begun", facts.get("started_at")]]
    rows += [["commit of thingsviz", facts.get("git_commit")]]
    rows += [[name, version] for name, version in versions.items()]
    seeds = sorted({d.found.config.seed for d in done})
    rows += [["seeds", ", ".join(map(str, seeds)) or "–"]]
    recipes = {d.step.entry.title: dump_config(d.found.config) for d in done}
    return [
        page.heading("What made these numbers"),
        page.table(["", ""], rows),
        page.folded("All recipes as JSON", page.code(json.dumps(recipes, indent=1))),
    ]
