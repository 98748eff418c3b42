"""Whether the compared jobs differ: paired tests of ratings, of hits among the first k."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pandas as pd
import streamlit as st

from thingsviz.analysis.scores.paired_tests import hits_sentence, sentence, share_gain
from thingsviz.figures.scores.differences import differences_info, draw_differences
from thingsviz.figures.scores.scores import METRICS, ScoreQuestion, score_info
from thingsviz.jobs.job_folder import open_job
from thingsviz.reports.comparable import FinishedJob
from thingsviz.reports.comparison import class_tests, pair_tests
from thingsviz.ui.caches.dataset_cache import stamp
from thingsviz.ui.compare.page import ComparedJobs
from thingsviz.ui.job_choice.fold_scores import paired_folds
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.shell.glossary import glossary


def show_tests(view: ComparedJobs, page: PageContext) -> None:
    """Show whether the jobs differ: a sentence a pair, then one pair property by property."""
    _folds(view, page)
    st.subheader("Do they differ?", anchor=False, help=glossary("paired permutation test"))
    if view.naming:
        show_hits(view)
        return
    rows = _tests(view)
    for row in rows:
        if row["target"] == "mean":
            st.markdown(f"- {plain(sentence(row))}")
    pair = pick_pair(view, "tests")
    own = [row for row in rows if (row["a"], row["b"]) == pair]
    figure = draw_differences(
        differences_info(own), pair, METRICS[view.question.metric], page.theme
    )
    alt = f"Differences of {pair[0]} and {pair[1]}, property by property, with 95 % intervals"
    charts.show(figure, page.theme, "compare_tests", alt=alt, save_as=view.save_as)
    n = len([row for row in rows if row["target"] != "mean"])
    st.caption(
        f"Filled dots: p below 5 % after Holm's correction over all {n} tests of properties. "
        "Concepts, not trials, changed places in the test; intervals are not corrected."
    )


def _folds(view: ComparedJobs, page: PageContext) -> None:
    """Show jobs with the same folds fold by fold; nothing of others."""
    infos = [(job, score_info(job.scores, job.model, view.question)) for job in view.jobs]
    known = [(open_job(job.name), info) for job, info in infos if info is not None]
    paired_folds(known, page.theme, view.save_as)


def _tests(view: ComparedJobs) -> list[dict[str, Any]]:
    files = tuple(stamp(open_job(n).file("predictions.parquet")) for n in view.names)
    return _cached_tests(files, view.question, _jobs=view.jobs)


@st.cache_data(max_entries=64, show_spinner="Testing the differences …")
def _cached_tests(
    files: tuple[object, ...], question: ScoreQuestion, _jobs: tuple[FinishedJob, ...]
) -> list[dict[str, Any]]:
    averaged = question.n_averaged != "single"
    return pair_tests(_jobs, question.part, averaged, question.metric)


def pick_pair(view: ComparedJobs, key: str) -> tuple[str, str]:
    """Let the visitor choose two of the jobs, in either order; two jobs need no choice."""
    pairs = list(combinations(view.names, 2))
    if len(pairs) == 1:
        return pairs[0]
    texts = {f"{a} and {b}": (a, b) for a, b in pairs}
    found = st.selectbox("Pair", list(texts), key=f"w_compare_pair_{key}")
    return texts[str(found)]


def show_hits(view: ComparedJobs) -> None:
    """Compare jobs by their hits among the first k, on the same trials."""
    rows = class_tests(view.jobs, view.question.part, view.averaged)
    if not rows:
        st.caption("There are too few classes to count hits among the first k.")
        return
    asked = int(view.question.metric.removeprefix("top"))
    for row in rows:
        if row["k"] == asked:
            st.markdown(f"- {plain(hits_sentence(row))}")
    letters = {name: "ABCDEFGH"[i] for i, name in enumerate(view.names)}
    table = pd.DataFrame([_hits_row(row, letters) for row in rows])
    st.dataframe(
        table, hide_index=True, alt="Hits among the first k of each pair", placeholder="–"
    )
    names = ", ".join(f"{letter} is {name}" for name, letter in letters.items())
    st.caption(
        plain(
            f"{names}. McNemar's test takes trials as independent; the test by concepts does not, "
            "and its p is the one that is corrected (Holm, over all rows)."
        )
    )


def _hits_row(row: dict[str, Any], letters: dict[str, str]) -> dict[str, object]:
    a, b = letters[row["a"]], letters[row["b"]]
    return {
        "first k": row["k"],
        "pair": f"{a} − {b}",
        "hits": f"{row['hits_a']} − {row['hits_b']} of {row['n_trials']}",
        "only one hit": f"{row['only_a']} − {row['only_b']}",
        "difference (95 %)": share_gain(row),
        "p (McNemar)": _rounded(row["p_mcnemar"]),
        "p (concepts)": _rounded(row["p"]),
        "p corrected": _rounded(row["p_holm"]),
    }


def _rounded(p: float | None) -> float | None:
    return None if p is None else round(p, 4)
