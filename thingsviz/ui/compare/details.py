"""What the compared jobs took: seconds, parameters and memory against the score."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import streamlit as st

from thingsviz.figures.scores.cost import AXES, CostRow, cost_info, cost_of, cost_row, draw_cost
from thingsviz.figures.scores.scores import score_info
from thingsviz.jobs.job_folder import open_job
from thingsviz.jobs.setting_titles import setting_text, title_of
from thingsviz.pipeline.resource_usage import spent
from thingsviz.reports.comparable import FinishedJob
from thingsviz.reports.comparison import class_tests, pair_tests, settings_that_differ
from thingsviz.reports.html_job import comparison_report
from thingsviz.ui.caches.dataset_cache import FileStamp, stamp
from thingsviz.ui.compare.page import ComparedJobs, pick
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import PageContext
from thingsviz.ui.shell.ui_state import Key
from thingsviz.ui.training.question_form import LEARNS, SCALES, SPLITS


def show_cost(view: ComparedJobs, page: PageContext) -> None:
    """Show what each job took, against its score, and as a table."""
    st.subheader("Cost", anchor=False)
    rows = [row for job in view.jobs if (row := _cost_of(view, job))]
    axis = pick("Against", list(AXES), AXES, Key.W_COMPARE_COST)
    first = score_info(view.jobs[0].scores, view.jobs[0].model, view.question)
    info = cost_info(axis, view.question.metric, rows, first.reference("ridge") if first else None)
    if info.rows:
        alt = f"Score of {len(info.rows)} trainings against {AXES[axis].lower()}"
        figure = draw_cost(info, page.theme)
        charts.show(figure, page.theme, "compare_cost", alt=alt, save_as=view.save_as)
    st.dataframe(
        cost_table(rows),
        column_config=dict.fromkeys(
            ("parameters", "peak memory, MB"), st.column_config.NumberColumn(format="localized")
        ),
        hide_index=True,
        placeholder="not recorded",
        alt="Seconds, parameters and memory of each training",
    )
    st.caption(
        "Seconds and memory are those of the fit on the machine that ran it; the reference rows "
        "are not counted."
    )


def _cost_of(view: ComparedJobs, job: FinishedJob) -> CostRow | None:
    info = score_info(job.scores, job.model, view.question)
    return None if info is None else cost_row(job.name, info, spent(open_job(job.name)))


def cost_table(rows: list[CostRow]) -> pd.DataFrame:
    """Return one row a job: seconds, parameters, memory in MB; scores stand in their own table."""
    return pd.DataFrame(
        [
            {
                "training": row.name,
                "seconds": _rounded(row.seconds, 1),
                "parameters": row.n_parameters,
                "peak memory, MB": _rounded(cost_of(row, "peak_bytes"), 0),
            }
            for row in rows
        ]
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


CHOICES = {"learns": LEARNS, "rating_scale": SCALES, "split.kind": SPLITS}


def show_settings(view: ComparedJobs) -> None:
    """List the settings on which the recipes differ, in the words of the form."""
    differing = settings_that_differ(view.jobs)
    titles = _titles(view, differing)
    names = "\n".join(f"- {title}: `{name}`" for name, title in titles.items())
    told = f"Their names in a recipe:\n{names}" if differing else None
    st.subheader("Settings that differ", anchor=False, help=told)
    if not differing:
        st.caption("None: the recipes are the same.")
        return
    lines = {titles[name]: [shown_value(name, v) for v in vs] for name, vs in differing.items()}
    table = pd.DataFrame(lines, index=view.names).T.rename_axis("setting").reset_index()
    st.dataframe(table, hide_index=True, alt="Settings on which the recipes differ")


def _titles(view: ComparedJobs, names: Iterable[str]) -> dict[str, str]:
    """Return what the form of the jobs' model calls these settings."""
    models = {job.model for job in view.jobs}
    return {name: title_of(name, *(models if len(models) == 1 else ())) for name in names}


def shown_value(name: str, text: str) -> str:
    """Write a setting's value as the form does."""
    words = CHOICES.get(name, {})
    return words[text].title if text in words else setting_text(text)


FILES = ("config.json", "scores.json", "predictions.parquet", "manifest.json")


def show_export(view: ComparedJobs) -> None:
    """Offer the comparison as HTML and its tables as CSV; the document is made on the click."""
    stamps = tuple(stamp(open_job(n).file(file)) for n in view.names for file in FILES)
    with st.container(horizontal=True):
        st.download_button(
            "Comparison (HTML)",
            lambda: _document(tuple(view.names), stamps),
            "comparison.html",
            "text/html",
            icon=":material/download:",
            on_click="ignore",
            help="One file with all figures in it; it opens in any browser, also offline.",
        )
        st.download_button(
            "Scores (CSV)",
            scores_csv(view),
            "comparison-scores.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "Tests (CSV)",
            lambda: tests_csv(view),
            "comparison-tests.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
            help="Every pair and property: difference, interval, p, corrected p.",
        )


@st.cache_data(max_entries=8, show_spinner=False)
def _document(names: tuple[str, ...], files: tuple[FileStamp, ...]) -> str:
    return comparison_report([open_job(name) for name in names])


def scores_csv(view: ComparedJobs) -> str:
    """Return all scores of all jobs with a column that names the job."""
    tables = [job.scores.assign(training=job.name) for job in view.jobs]
    return pd.concat(tables, ignore_index=True).to_csv(index=False)


def tests_csv(view: ComparedJobs) -> str:
    """Return the paired tests of the part and averaging shown."""
    part, named = view.question.part, all(job.names_concepts for job in view.jobs)
    rows = class_tests(view.jobs, part, view.averaged) if named or view.naming else []
    if not view.naming or all(job.of_ratings for job in view.jobs):
        for metric in ("r", "mse_unit"):
            rows += pair_tests(view.jobs, part, view.averaged, metric)
    return pd.DataFrame(rows).to_csv(index=False)
