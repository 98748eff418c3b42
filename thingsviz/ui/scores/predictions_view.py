"""What a finished job predicted: which job and trials, the scores, scatter, bars and table."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from thingsviz.data.things.ratings import rating_range
from thingsviz.figures.scores.property_scores import draw_property_scores, property_scores_info
from thingsviz.figures.scores.scatter import draw_scatter, scatter_info
from thingsviz.figures.scores.scores import (
    METRICS,
    REFERENCES,
    ScoreInfo,
    ScoreQuestion,
    score_info,
)
from thingsviz.jobs.index import JobEntry
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import JobConfig
from thingsviz.ui.caches import dataset_cache, job_cache, job_index
from thingsviz.ui.job_choice import job_list as jobs_list
from thingsviz.ui.job_choice.fold_scores import show_folds
from thingsviz.ui.job_choice.score_strip import METRIC_TERMS, p_text, score_line, score_strip
from thingsviz.ui.shell import charts
from thingsviz.ui.shell import ui_state as state
from thingsviz.ui.shell.frame import PageContext, page_path, plain
from thingsviz.ui.shell.glossary import glossary
from thingsviz.ui.shell.ui_state import Key

SCORED = 20
PARTS = {
    "test": "Test",
    "validation": "Validation",
    "exemplars": "Train pictures of test concepts",
}


class PredictionsView(NamedTuple):
    """What the page shows: a job's results for one part and one kind of averaging."""

    job: JobFolder
    config: JobConfig
    scores: pd.DataFrame
    rows: pd.DataFrame
    question: ScoreQuestion
    save_as: str

    @property
    def model(self) -> str:
        """The name of the job's model."""
        return self.config.model.name


def pick_job(page: PageContext) -> JobFolder | None:
    """Let the visitor choose one of this subject's finished jobs; say what to do without any."""
    asked = jobs_list.current(page)
    done = [one for one in jobs_list.entries_of(page) if _is_done(one)]
    names = [one.name for one in done]
    if asked is not None and asked.name not in names:
        _not_finished(asked)
    if not done:
        _no_job(page)
        return None
    chosen = asked.name if asked is not None and asked.name in names else names[0]
    # all names can be searched for; scores are read of the newest and of the chosen one only
    read = [one for i, one in enumerate(done) if i < SCORED or one.name == chosen]
    lines = {line.name: line for line in jobs_list.lines_of(read)}
    texts = {name: name for name in names}
    texts |= {name: f"{name} · {jobs_list.score_text(line)}" for name, line in lines.items()}
    name = st.selectbox(
        "Training",
        names,
        index=names.index(chosen),
        format_func=texts.__getitem__,
        help=jobs_list.score_help(lines[chosen]) if chosen in lines else None,
    )
    if len(done) > SCORED:
        st.caption(
            f"The list gives scores of the newest {SCORED}; an older one's show once chosen."
        )
    if name != chosen or asked is None:
        jobs_list.choose(page, str(name))
    return next(job for job in dataset_cache.jobs() if job.name == name)


def _is_done(entry: JobEntry) -> bool:
    return entry.status.state == "done" and not job_index.unreadable(entry)


def _not_finished(job: JobFolder) -> None:
    state = job.status().state
    st.info(plain(f"{job.name} has no predictions yet: it is {state}."), icon=":material/info:")
    _link_to_train(job.name)


def _no_job(page: PageContext) -> None:
    sentence = f"No training of {page.dataset.name}, {page.subject} has finished yet."
    st.info(plain(sentence), icon=":material/info:")
    _link_to_train("")


def _link_to_train(job: str) -> None:
    st.page_link(
        page_path("train.py"),
        label="Go to Train",
        icon=":material/model_training:",
        query_params={"job": job} if job else None,
    )


def open_view(job: JobFolder) -> PredictionsView | None:
    """Load a job's results and let the visitor choose part, averaging and metric."""
    config, rows, scores = job.config(), dataset_cache.predictions(job), job_cache.scores(job)
    if rows is None or scores is None:
        st.error(f"{plain(job.name)} is done but has no predictions: start it again on Train.")
        return None
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        part = choose_part(list(scores["part"].drop_duplicates()))
        averaging = choose_averaging(scores[scores["part"] == part])
        metric = _metric()
        save_as = charts.image_format()
    question = ScoreQuestion(part, averaging, "mean", metric)
    return PredictionsView(job, config, scores, rows_of(rows, question), question, save_as)


def rows_of(rows: pd.DataFrame, question: ScoreQuestion) -> pd.DataFrame:
    """Return the predictions that a question is about: single trials, or means of repeats."""
    wanted = rows["part"].eq(question.part)
    single = question.n_averaged == "single"
    wanted &= rows["n_averaged"].eq(1) if single else rows["n_averaged"].gt(1)
    return rows[wanted].reset_index(drop=True)


def choose_part(parts: list[str]) -> str:
    """Let the visitor choose which trials are shown."""
    order = [p for p in PARTS if p in parts] + [p for p in parts if p not in PARTS]
    found = st.segmented_control(
        "Trials",
        order,
        format_func={part: PARTS.get(part, part) for part in order}.__getitem__,
        default=order[0],
        required=True,
        key=f"{Key.W_PART}_{'_'.join(order)}",
        help="Test trials were looked at once, at the end. Validation trials chose the epoch: "
        "their score is too good.",
    )
    return str(found or order[0])


def choose_averaging(scores: pd.DataFrame) -> str:
    """Let the visitor choose single trials or means of repeats."""
    kinds = list(scores["n_averaged"].drop_duplicates())
    order = sorted(kinds, key=lambda kind: (kind != "single", kind))
    texts = {kind: f"{kind} repeats" for kind in order} | {"single": "single trials"}
    found = st.segmented_control(
        "Responses",
        order,
        format_func=texts.__getitem__,
        default=order[0],
        required=True,
        key=f"{Key.W_AVERAGING}_{'_'.join(order)}",
        help=glossary("average of repeats"),
    )
    return str(found or order[0])


def _metric() -> str:
    found = st.selectbox(
        "Score",
        list(METRICS),
        format_func=METRICS.__getitem__,
        key=str(Key.W_METRIC),
        persist_state="session",
        help="\n\n".join(glossary(term) for term in sorted(set(METRIC_TERMS.values()))),
        width=330,
    )
    return str(found)


def show_headline(view: PredictionsView, page: PageContext) -> None:
    """Show the mean over properties in full."""
    info = score_info(view.scores, view.model, view.question)
    if info is None:
        sentence = "This job has no such score; choose other trials or another score above."
        st.info(sentence, icon=":material/info:")
        return
    sentences = job_cache.could_not_show(view.job)
    score_strip(info, page.theme, "mean", save_as=view.save_as, could_not_show=sentences)
    show_folds(view.job, info, page.theme, "mean", save_as=view.save_as)
    show_naming(view)


def show_naming(view: PredictionsView) -> None:
    """Show which concepts the predicted ratings name; older jobs have no such line."""
    for k in (10, 5, 1):
        question = view.question._replace(target="mean", metric=f"top{k}")
        info = score_info(view.scores, view.model, question)
        chance = info.reference("chance") if info else None
        if info is not None and chance:
            words = f"Concepts named through these ratings, of {round(k / chance):,}"
            score_line(
                info, job_cache.could_not_show(view.job), [words, p_text(info.p, info.n_folds)]
            )
            return


def show_properties(view: PredictionsView, page: PageContext) -> None:
    """Show the score of every property beside its references."""
    info = property_scores_info(view.scores, view.model, view.question)
    figure = draw_property_scores(info, page.theme)
    alt = f"{METRICS[view.question.metric]} of {len(info.scores)} properties with references"
    charts.show(figure, page.theme, "properties", alt=alt, save_as=view.save_as)


def show_scatter(view: PredictionsView, page: PageContext) -> int | None:
    """Show true against predicted ratings of a chosen property; return the row clicked."""
    if state.get(Key.W_PROPERTY) not in view.config.targets:
        # another job, which has no such property
        state.forget(Key.W_PROPERTY)
    target = st.selectbox(
        "Property", view.config.targets, key=str(Key.W_PROPERTY), persist_state="session"
    )
    target = str(target or view.config.targets[0])
    own = score_info(view.scores, view.model, view.question._replace(target=target))
    if own is not None:
        score_line(own, job_cache.could_not_show(view.job))
    info = scatter_info(view.rows, target)
    scale = rating_range(target)
    figure = draw_scatter(info, page.theme, f"{scale.low:g} to {scale.high:g}")
    found = charts.show(
        figure,
        page.theme,
        "scatter",
        alt=f"True against predicted ratings of {target}, {len(info.true)} dots",
        save_as=view.save_as,
        on_select="rerun",
        selection_mode="points",
    )
    points = found["selection"]["points"] if found else []
    known = [p for p in points if p.get("curve_number") == 1]
    return int(known[0]["point_index"]) if known else None


def table_of(view: PredictionsView) -> pd.DataFrame:
    """Return one row a property, best first, and their mean: score, interval, p, references."""
    infos = list(property_scores_info(view.scores, view.model, view.question).scores)
    mean = score_info(view.scores, view.model, view.question)
    rows = [_table_row(info) for info in ([mean] if mean else []) + infos]
    return pd.DataFrame(rows)


def _table_row(info: ScoreInfo) -> dict[str, object]:
    target = info.question.target
    own = {"property": "mean" if target == "mean" else target, info.model: info.value}
    own |= {"low": info.low, "high": info.high, "p": info.p}
    beside = {name: info.reference(name) for name in REFERENCES if name != info.model}
    return own | beside | {"trials": info.n_trials, "concepts": info.n_concepts}


def show_table(view: PredictionsView) -> None:
    """Show the table of scores, headings explained on hover."""
    table = table_of(view)
    number = "%.3g"
    if view.question.metric == "r":
        # rounded here, for no −0.00
        number = "%.2f"
        for name in {view.model, "low", "high", *REFERENCES} & {*table.columns}:
            table[name] = table[name].astype(float).round(2) + 0.0
    column = st.column_config.NumberColumn
    interval = glossary("confidence interval")
    config: dict[str, Any] = {
        # as wide as the longest name: at 768 pixels it was cut
        "property": st.column_config.TextColumn("property", width=96, pinned=True),
        view.model: column(format=number),
        "low": column("95 % from", format=number, help=interval),
        "high": column("95 % to", format=number, help=interval),
        "p": column(format="%.3f", help=glossary("permutation p")),
    }
    for name, (label, _) in REFERENCES.items():
        term = "noise ceiling" if name == "ceiling" else name
        # the last word of a long label is enough under a heading: its help says the rest
        config[name] = column(label.split()[-1], format=number, help=glossary(term))
    st.dataframe(
        table,
        column_config=config,
        hide_index=True,
        height="content",
        alt=f"{METRICS[view.question.metric]} of each property with references",
        placeholder="–",
    )


def show_export(view: PredictionsView) -> None:
    """Offer scores and predictions as CSV."""
    with st.container(horizontal=True):
        name = re.sub(r"[^\w.-]+", "-", view.job.name)
        st.download_button(
            "Scores (CSV)",
            view.scores.to_csv(index=False),
            f"{name}-scores.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "Predictions (CSV)",
            view.rows.to_csv(index=False),
            f"{name}-{view.question.part}-{view.question.n_averaged.replace(' ', '-')}.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
            help="The trials chosen above: true, predicted, and the raters' SD, on their scales.",
        )
