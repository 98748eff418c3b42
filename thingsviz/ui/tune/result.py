"""Whether a study was worth it: its best, an equal-cost random search and the default, tested."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from thingsviz.core.errors import ThingsvizError
from thingsviz.core.typography import decimals, duration, signed
from thingsviz.jobs.job_folder import open_job
from thingsviz.studies.study_folder import StudyFolder
from thingsviz.ui.caches import job_cache
from thingsviz.ui.job_choice import job_list as jobs_list
from thingsviz.ui.job_choice.score_strip import score_strip
from thingsviz.ui.shell.frame import PageContext, page_path, plain

Row = dict[str, Any]


def show_result(page: PageContext, folder: StudyFolder) -> None:
    """Show the table of final trainings, its sentence, and the best one's score in full."""
    result = folder.result()
    if not result or not result.get("rows"):
        return
    rows: list[Row] = list(result["rows"])
    with st.container(border=True):
        st.subheader("Was it worth it?", anchor=False)
        st.markdown(plain(verdict_text(rows)))
        st.dataframe(
            result_table(rows),
            hide_index=True,
            height="content",
            alt="Each final training with its test score, gain and cost",
            column_config=_columns(),
        )
        st.caption(
            "Each was trained once more with its settings and scored on the test trials, which no "
            "search has seen. Gains are paired: both decoders are scored on the same draws of "
            "test concepts, so their intervals are narrower than those of the scores. All "
            "intervals are of 95 %."
        )
    best = next((row for row in rows if row["which"] == "best"), None)
    if best is not None:
        _strip(page, str(best["job"]))


def _strip(page: PageContext, name: str) -> None:
    try:
        job = open_job(name)
    except ThingsvizError:
        return
    scores = job_cache.scores(job)
    info = None if scores is None else jobs_list.headline(scores, job.config().model.name)
    if info is not None:
        st.markdown(f"**{plain(name)}**, the best of the study, on test trials")
        limits = job_cache.could_not_show(job)
        score_strip(info, page.theme, f"study_{name}", could_not_show=limits)
    st.page_link(
        page_path("predictions.py"),
        label="See its predictions",
        icon=":material/query_stats:",
        query_params={"job": name},
    )


def span(row: Row | None, key: str = "difference", *, with_sign: bool = True) -> str:
    """Write a value with its interval."""
    if row is None or row.get(key) is None:
        return "–"
    write = signed if with_sign else decimals
    if row.get("low") is None or row.get("high") is None:
        return write(row[key])
    return f"{write(row[key])} ({write(row['low'])} to {write(row['high'])})"


def result_table(rows: list[Row]) -> pd.DataFrame:
    """Return a line a final training: cost beside score and gain."""
    lines = []
    for row in rows:
        final = row.get("final_seconds")
        lines.append(
            {
                "settings": row["title"],
                f"test {name_of(row)}": _tested(row),
                "gain": span(row.get("gain")),
                "validation": decimals(row.get("validation")),
                "tried": row["n_candidates"],
                "search": duration(row["search_seconds"]) if row["n_candidates"] else "–",
                "final": "–" if final is None else duration(final),
                "training": row["job"],
            }
        )
    return pd.DataFrame(lines)


def _columns() -> dict[str, Any]:
    """Explain the short headings, which fit beside each other at 768 pixels."""
    text = st.column_config.TextColumn
    return {
        "settings": text(width=170, pinned=True),
        "gain": text(help="On the default settings, with its 95 % interval."),
        "validation": text("valid.", help="By which the settings were chosen: too good."),
        "tried": st.column_config.NumberColumn(help="Candidates of the search."),
        "search": text(help="How long the search took."),
        "final": text(help="How long the final training took."),
        "training": text(help="The name of the final training."),
    }


def name_of(row: Row) -> str:
    """Write what was scored: r, or Top-10."""
    metric = str(row.get("metric", "r"))
    return f"Top-{metric[3:]}" if metric.startswith("top") else metric


def _tested(row: Row) -> str:
    if row["state"] != "done":
        return f"{row['state']}: {row['message']}"
    return span(row, "score", with_sign=False)


def verdict_text(rows: list[Row]) -> str:
    """Say in two sentences what the study gained for its cost."""
    found = {row["which"]: row for row in rows}
    best = found.get("best")
    if best is None:
        return "No candidate of the study came to its end."
    cost = f"The study tried {best['n_candidates']} settings in {duration(best['search_seconds'])}"
    words = [_against(best.get("gain"), "the default settings", cost)]
    words.append(_against(best.get("over_random"), "a random search of the same size", ""))
    return " ".join(word for word in words if word)


def _against(gain: Row | None, other: str, cost: str) -> str:
    if gain is None:
        return f"{cost}." if cost else ""
    beginning = f"{cost}: its best" if cost else "It"
    if gain["verdict"] in {"better", "worse"}:
        return f"{beginning} is {gain['verdict']} than {other}, by {span(gain)} in mean test r."
    return f"{beginning} is not shown to be better than {other}: {span(gain)} in mean test r."
