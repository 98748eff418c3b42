"""What a comparison leaves the page as: a document in one file, and tables as CSV."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from thingsviz.jobs.job_folder import open_job
from thingsviz.reports.comparison import class_tests, pair_tests
from thingsviz.reports.html_job import comparison_report
from thingsviz.ui.caches.dataset_cache import Stamp, stamp
from thingsviz.ui.compare.page import View

FILES = ("config.json", "scores.json", "predictions.parquet", "manifest.json")


def show_export(view: View) -> None:
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
def _document(names: tuple[str, ...], files: tuple[Stamp, ...]) -> str:
    return comparison_report([open_job(name) for name in names])


def scores_csv(view: View) -> str:
    """Return all scores of all jobs with a column that names the job."""
    tables = [job.scores.assign(training=job.name) for job in view.jobs]
    return pd.concat(tables, ignore_index=True).to_csv(index=False)


def tests_csv(view: View) -> str:
    """Return the paired tests of the part and averaging shown."""
    part, named = view.question.part, all(job.names_concepts for job in view.jobs)
    rows = class_tests(view.jobs, part, view.averaged) if named or view.naming else []
    if not view.naming or all(job.learns == "ratings" for job in view.jobs):
        for metric in ("r", "mse_unit"):
            rows += pair_tests(view.jobs, part, view.averaged, metric)
    return pd.DataFrame(rows).to_csv(index=False)
