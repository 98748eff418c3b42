"""The Predictions page of a classifier: hits over k with all references, and its guesses."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from thingsviz.analysis.classes.differences import hit_sentence
from thingsviz.analysis.classes.hit_table import rows_at
from thingsviz.core.typography import finite
from thingsviz.figures.scores.classes import draw_mixed, draw_top, mixed_info, top_info
from thingsviz.figures.scores.ratings import readable
from thingsviz.figures.scores.scores import ScoreQuestion, score_info
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import JobConfig
from thingsviz.ui.caches import dataset_cache, job_cache
from thingsviz.ui.job_choice.fold_scores import show_folds
from thingsviz.ui.job_choice.score_strip import limits_of, p_text, score_strip
from thingsviz.ui.scores import predictions_view
from thingsviz.ui.scores.class_trials import show_trials
from thingsviz.ui.scores.predictions_view import (
    PredictionsView,
    choose_averaging,
    choose_part,
    rows_of,
)
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.shell.glossary import glossary
from thingsviz.ui.shell.ui_state import Key


class ClassView(NamedTuple):
    """What is shown of a classifier: one part, one kind of averaging, one k."""

    job: JobFolder
    config: JobConfig
    scores: pd.DataFrame
    curves: list[dict[str, Any]]
    rows: pd.DataFrame
    where: tuple[str, str]
    k: int
    save_as: str


def open_view(page: PageContext, job: JobFolder) -> PredictionsView | None:
    """Show a job that learned classes, all of it; return the view of one that learned ratings."""
    if job.config().learned.kind == "ratings":
        return predictions_view.open_view(job)
    view = _open(job)
    if view is not None:
        _show(view, page)
    return None


def _open(job: JobFolder) -> ClassView | None:
    config, rows, scores = job.config(), dataset_cache.predictions(job), job_cache.scores(job)
    if rows is None or scores is None:
        st.error(f"{plain(job.name)} is done but has no guesses: start it again on Train.")
        return None
    record = job.score_record() or {}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        part = choose_part(list(scores["part"].drop_duplicates()))
        averaging = choose_averaging(scores[scores["part"] == part])
        k = _choose_k(int(record.get("n_classes", 2)))
        save_as = charts.image_format()
    shown = rows_of(rows, ScoreQuestion(part, averaging))
    curves = list(record.get("curves", []))
    return ClassView(job, config, scores, curves, shown, (part, averaging), k, save_as)


def _choose_k(n_classes: int) -> int:
    found = st.number_input(
        "Guesses allowed (k)",
        min_value=1,
        max_value=max(n_classes - 1, 1),
        value=10 if n_classes > 10 else 1,
        key=f"{Key.W_TOP_K}_{n_classes}",
        help=glossary("top-k"),
        width=185,
    )
    return int(found)


def _show(view: ClassView, page: PageContext) -> None:
    _headline(view, page)
    st.subheader("Hits over k", anchor=False, help=glossary("top-k"))
    _curve(view, page)
    st.subheader("Single trials", anchor=False)
    show_trials(view.rows, view.job, page, view.k)
    _mixed(view, page)
    _export(view)


def _headline(view: ClassView, page: PageContext) -> None:
    part, averaging = view.where
    scores = pd.DataFrame(rows_at(view.curves, counts_of(view.scores), view.k))
    question = ScoreQuestion(part, averaging, "mean", f"top{view.k}")
    info = None if scores.empty else score_info(scores, view.config.model.name, question)
    if info is None:
        st.info("This job has no such score; choose other trials above.", icon=":material/info:")
        return
    limits = limits_of(job_cache.could_not_show(view.job), info)
    score_strip(info, page.theme, "classes", save_as=view.save_as, could_not_show=limits)
    show_folds(view.job, info, page.theme, "classes", save_as=view.save_as)
    paired = paired_sentences(view.job.differences(), view.where, view.k)
    st.caption("\n".join(f"- {plain(text)}" for text in [*paired, _rank_text(view)] if text))


def paired_sentences(table: pd.DataFrame | None, where: tuple[str, str], k: int) -> list[str]:
    """Say how it compares with ridge and identification at this k; nothing of older jobs."""
    if table is None or "metric" not in table:
        return []
    asked = table["metric"].eq(f"top{k}") & table["part"].eq(where[0])
    rows = counts_of(table[asked & table["n_averaged"].eq(where[1])])
    return [hit_sentence({name: none_if(v) for name, v in row.items()}) for row in rows]


def none_if(value: object) -> object:
    """Return None for the NaN that a table makes of it."""
    return None if isinstance(value, float) and math.isnan(value) else value


def counts_of(scores: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table of scores as plain dicts."""
    return [{str(name): value for name, value in r.items()} for r in scores.to_dict("records")]


def _rank_text(view: ClassView) -> str:
    """Say the mean rank with its interval, chance and p."""
    table = view.scores
    asked = table["metric"].eq("mean_rank") & table["part"].eq(view.where[0])
    found = table[asked & table["n_averaged"].eq(view.where[1])].set_index("model")
    if view.config.model.name not in found.index:
        return ""
    own = found.loc[view.config.model.name]
    text = f"The {view.config.learned.noun} shown came on place {own['value']:.1f} on average"
    if pd.notna(own["low"]):
        text += f" (95 % interval {own['low']:.1f} to {own['high']:.1f})"
    others = [
        f"{name} {float(found['value'][name]):.1f}"
        for name in ("chance", "ridge", "identification")
        if name in found.index and name != view.config.model.name
    ]
    p, n_folds = finite(own["p"]), int(finite(own.get("n_folds")) or 0)
    told = "" if p is None else f", {p_text(p, n_folds)}"
    return f"{text}; {', '.join(others)}{told}. Place 1 is best."


def _curve(view: ClassView, page: PageContext) -> None:
    info = top_info(view.curves, view.config.model.name, view.where, view.k)
    if info is None:
        st.info("This job kept no curve over k: start it again on Train.", icon=":material/info:")
        return
    alt = f"Share of hits among the first k of {len(info.own.share)} classes, with references"
    charts.show(draw_top(info, page.theme), page.theme, "top", alt=alt, save_as=view.save_as)
    how = "Clopper and Pearson, trials of a concept counted together"
    if view.config.split.is_cross_validation:
        how = "corrected resampled t over folds"
    st.caption(
        f"Bands: 95 % interval of the hits ({how}), and, grey, where 95 % of shuffled worlds lie."
    )


def _mixed(view: ClassView, page: PageContext) -> None:
    info = mixed_info(view.rows)
    if info is None:
        return
    with st.expander("Which classes are mixed up"):
        alt = f"First guesses for each of {len(info.names)} classes"
        figure = draw_mixed(info, page.theme)
        charts.show(figure, page.theme, "mixed", alt=alt, save_as=view.save_as)


def _export(view: ClassView) -> None:
    name = re.sub(r"[^\w.-]+", "-", view.job.name)
    part, averaging = view.where
    table = view.rows.assign(concept=view.rows["concept"].map(readable))
    with st.container(horizontal=True):
        for label, data, end in (
            ("Scores (CSV)", view.scores, "scores"),
            ("Guesses (CSV)", table, f"{part}-{averaging.replace(' ', '-')}"),
        ):
            st.download_button(
                label,
                data.to_csv(index=False),
                f"{name}-{end}.csv",
                "text/csv",
                icon=":material/download:",
                on_click="ignore",
            )
