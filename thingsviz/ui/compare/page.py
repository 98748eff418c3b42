"""Two or more jobs on the same test trials: the question, scores, curves."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from thingsviz.core.typography import PERCENT
from thingsviz.figures.scores.comparison import (
    CURVES,
    draw_overlay,
    draw_side_by_side,
    overlay_info,
    side_by_side_info,
)
from thingsviz.figures.scores.scores import (
    METRICS,
    SMALLER_IS_BETTER,
    ScoreQuestion,
    headline,
    is_share,
    metric_name,
    naming_question,
    references_of,
    score_info,
)
from thingsviz.jobs.job_folder import open_job
from thingsviz.reports.comparable import FinishedJob, naming
from thingsviz.ui.caches import job_cache
from thingsviz.ui.job_choice.score_strip import absence, limits_of, value_text
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.shell.glossary import glossary
from thingsviz.ui.shell.ui_state import Key

OFFERED = ("r", "mse_unit")
NAMING = "Concept named (Top-{k})"
NAMING_HELP = (
    "A decoder of ratings names a concept as well: the one whose ratings are most alike to those "
    "that it predicts, of all rated concepts. By this it can be compared with a classifier."
)
PARTS = {"test": "Test", "exemplars": "Train pictures of test concepts"}
CURVES_SAY = (
    "Validation trials choose the epoch, so these curves are no result: by chance validation r is "
    "0 and validation Top-10 is 10 over the number of classes. Scores above are of test trials."
)
CLOCKS = {"epochs": "by epoch", "seconds": "by second"}


class ComparedJobs(NamedTuple):
    """The jobs that are compared, and the part, averaging and score in which."""

    jobs: tuple[FinishedJob, ...]
    question: ScoreQuestion
    save_as: str

    @property
    def averaged(self) -> bool:
        """Whether the means of repeats are looked at."""
        return self.question.n_averaged != "single"

    @property
    def naming(self) -> bool:
        """Whether the jobs are compared by the classes or concepts that they name."""
        return is_share(self.question.metric)

    @property
    def names(self) -> list[str]:
        """The jobs' names."""
        return [job.name for job in self.jobs]


def open_view(jobs: tuple[FinishedJob, ...]) -> ComparedJobs:
    """Let the visitor choose part, averaging and score."""
    scores = jobs[0].scores
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        part = pick("Trials", [p for p in PARTS if p in set(scores["part"])], PARTS, Key.W_PART)
        kinds = list(scores[scores["part"] == part]["n_averaged"].drop_duplicates())
        kinds = sorted(kinds, key=lambda kind: (kind != "single", kind))
        texts = {k: "single trials" if k == "single" else f"{k} repeats" for k in kinds}
        averaging = pick("Responses", kinds, texts, Key.W_AVERAGING)
        metric = _metric(jobs)
        save_as = charts.image_format()
    return ComparedJobs(jobs, ScoreQuestion(part, averaging, "mean", metric), save_as)


def _metric(jobs: tuple[FinishedJob, ...]) -> str:
    """Let the visitor choose the score; jobs of ratings and of concepts share only Top-k."""
    named = naming_question(jobs[0].scores)
    if naming(jobs) and named is not None:
        return named.metric
    if not jobs[0].of_ratings:
        return headline(jobs[0].scores).metric
    texts = {name: METRICS[name] for name in OFFERED}
    if named is not None and all(job.names_concepts for job in jobs):
        texts[named.metric] = NAMING.format(k=named.metric.removeprefix("top"))
    return pick("Score", list(texts), texts, Key.W_COMPARE_METRIC, help_=NAMING_HELP)


def pick(
    label: str, options: list[str], texts: dict[str, str], key: Key, help_: str | None = None
) -> str:
    """Let the visitor choose one of a few options, the first one to begin with."""
    found = st.segmented_control(
        label,
        options,
        format_func=texts.__getitem__,
        default=options[0],
        required=True,
        key=f"{key}_compare_{'_'.join(options)}",
        help=help_,
    )
    return str(found or options[0])


def show_scores(view: ComparedJobs, page: PageContext) -> None:
    """Show each job's mean score in full, then every property side by side."""
    st.subheader("Scores", anchor=False)
    _mean_table(view)
    if view.naming:
        _say_ridge(view)
        show_limits(view)
        return
    tables = {job.name: (job.model, job.scores) for job in view.jobs}
    info = side_by_side_info(tables, view.question)
    figure = draw_side_by_side(info, page.theme)
    alt = f"{metric_name(view.question.metric)} of {len(info.targets) - 1} properties of each job"
    charts.show(figure, page.theme, "compare_scores", alt=alt, save_as=view.save_as)
    show_limits(view)


def _say_ridge(view: ComparedJobs) -> None:
    """Say what the ridge beside the names is: each kind of job has one of its own kind."""
    of_ratings = "Ridge beside a decoder of ratings predicts ratings and names by them as it does"
    of_classes = "beside a classifier ridge learns the classes themselves"
    kinds = {job.of_ratings for job in view.jobs}
    if kinds == {True, False}:
        st.caption(f"{of_ratings}; {of_classes}.")
    elif True in kinds:
        st.caption(f"{of_ratings}.")


def _mean_table(view: ComparedJobs) -> None:
    table = pd.DataFrame([row for job in view.jobs if (row := mean_row(view, job))])
    beside = references_of(view.question.metric)
    for name in {*beside} & {*table.columns}:
        table[name] = table[name].astype(float).round(3) + 0.0  # no −0.000
    absent = [name for name in beside if name in table and table[name].isna().all()]
    table = table.drop(columns=absent)
    number, form = st.column_config.NumberColumn, "percent" if view.naming else "%.3f"
    words = f"{metric_name(view.question.metric)} (95 %)"
    text, told = st.column_config.TextColumn, glossary("confidence interval")
    config: dict[str, Any] = {"score": text(words, help=told)}
    config |= {name: number(label, format=form) for name, (label, _) in beside.items()}
    config |= {"p": number(format="%.3f", help=glossary("permutation p"))}
    config |= {"n": text("n", help="Test trials, and concepts that they show.")}
    alt = "The mean score of each job with its interval and references"
    st.dataframe(table, column_config=config, hide_index=True, alt=alt, placeholder="–")
    if absent:
        words = "; ".join(f"{beside[name][0]}: {absence(name).rstrip('.')}" for name in absent)
        st.caption(plain(f"Not in the table: {words}."))


def mean_row(view: ComparedJobs, job: FinishedJob) -> dict[str, object]:
    """Return a job's mean score with its interval, p, references and n; {} where it has none."""
    info = score_info(job.scores, job.model, view.question)
    if info is None:
        return {}
    row: dict[str, object] = {"training": job.name, "model": job.model}
    metric = info.question.metric
    row |= {"score": with_interval(info.value, (info.low, info.high), metric), "p": info.p}
    row |= {"hits": f"{info.hits} of {info.n_trials}"} if info.hits is not None else {}
    row |= {name: info.reference(name) for name in references_of(info.question.metric)}
    return row | {"n": f"{info.n_trials:,}, {info.n_concepts:,}"}


def with_interval(value: float, span: tuple[float | None, float | None], metric: str) -> str:
    """Write a score with its interval, short enough for a cell."""
    if span[0] is None or span[1] is None:
        return f"{value_text(value, metric)} (no interval)"
    low, high = (value_text(end, metric) for end in span)
    return f"{value_text(value, metric)} ({low.removesuffix(PERCENT)} to {high})"


def show_limits(view: ComparedJobs) -> None:
    """Say what these scores could not show; each job's own verdict against ridge stays with it."""
    classifiers = [job for job in view.jobs if not job.of_ratings]
    first = classifiers[0] if view.naming and classifiers else view.jobs[0]
    info = score_info(first.scores, first.model, view.question)
    said = job_cache.could_not_show(open_job(first.name))
    lines = limits_of(said, info) if info else list(said)
    lines = [line for line in lines if not line.startswith(("It is ", "That the decoder reads"))]
    if view.naming:
        lines = [line for line in lines if "a mean r below" not in line]
    lines = [*_nothing_shown(view), *lines]
    if lines:
        words = "\n".join(f"- {plain(line)}" for line in lines)
        st.caption(f"**What this could not show**\n{words}")


def _nothing_shown(view: ComparedJobs) -> list[str]:
    """Name the jobs whose interval reaches what guessing reaches."""
    found = []
    for job in view.jobs:
        info = score_info(job.scores, job.model, view.question)
        nothing = (info.reference("chance") if view.naming else 0.0) if info else None
        if info and None not in (info.low, nothing) and info.low <= nothing:  # type: ignore[operator]
            found.append(job.name)
    if not found or view.question.metric in SMALLER_IS_BETTER:
        return []
    where = "chance" if view.naming else "zero"
    return [f"That {' and '.join(found)} read anything at all: the interval reaches {where}."]


def show_curves(view: ComparedJobs, page: PageContext) -> None:
    """Overlay the curves of the networks."""
    st.subheader("Learning", anchor=False)
    rows = {name: job_cache.metrics(open_job(name)) for name in view.names}
    offered = [what for what in CURVES if overlay_info(rows, what, "epochs").curves]
    if not offered:
        st.caption("None of these was trained over several epochs: there is no curve to compare.")
        return
    with st.container(horizontal=True, gap="medium"):
        what = pick("Curve", offered, CURVES, Key.W_COMPARE_CURVE)
        clock = pick("Time", list(CLOCKS), CLOCKS, Key.W_COMPARE_CLOCK)
    info = overlay_info(rows, what, "seconds" if clock == "seconds" else "epochs")
    alt = f"{CURVES[what]} of {len(info.curves)} trainings, {CLOCKS[clock]}"
    charts.show(
        draw_overlay(info, page.theme), page.theme, "compare_curves", alt=alt, save_as=view.save_as
    )
    st.caption(CURVES_SAY)
    if what.endswith("loss") and len(info.curves) > 1 and len(_loss_scales(view)) > 1:
        st.caption("These losses are on different scales: compare the other validation curve.")


def _loss_scales(view: ComparedJobs) -> set[tuple[object, ...]]:
    configs = [job.config for job in view.jobs]
    return {(c.rating_scale, c.fit.loss, c.fit.target_scaling) for c in configs}
