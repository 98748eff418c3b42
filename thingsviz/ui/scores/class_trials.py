"""Single trials of a classifier: the picture, what it was, the first guesses."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from thingsviz.figures.scores.ratings import readable
from thingsviz.figures.scores.scatter import ScatterTrial
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.ui.job_choice.scored_model import FIRST_GUESSES, guess_text
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.shell.trial_link import link_to_trial

N_SHOWN = 5


def show_trials(rows: pd.DataFrame, job: JobFolder, page: PageContext, k: int) -> None:
    """Show the trials named best and worst, and a table of all of them."""
    order = rows.sort_values("rank", kind="stable")
    n = min(N_SHOWN, len(order) // 2)
    best, worst = st.columns(2)
    with best:
        st.markdown("**Named best**")
        _list(order.iloc[:n], job, page)
    with worst:
        st.markdown("**Named worst**")
        _list(order.iloc[::-1].iloc[:n], job, page)
    st.caption(
        "Picked from many: the best look better and the worst worse than the decoder is. "
        f"{int((rows['rank'] <= k).sum()):,} of {len(rows):,} trials have the true class among "
        f"the first {k}."
    )
    _table(order)


def _list(rows: pd.DataFrame, job: JobFolder, page: PageContext) -> None:
    for record in rows.to_dict("records"):
        row = {str(name): value for name, value in record.items()}
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            picture = page.dataset.image_file(str(row["image_filename"]))
            if picture is not None:
                name = readable(str(row["concept"]))
                st.image(str(picture), width=44, alt=f"Picture of {name}")
            with st.container(gap="xxsmall"):
                _link(row, job, page)
                st.caption(plain(guess_text(row)))


def _link(row: dict[str, Any], job: JobFolder, page: PageContext) -> None:
    """Link to the trial on the Trials page, with this job's guesses."""
    names = ("session", "run", "trial")
    numbers = {name: int(row[name]) for name in names}
    trial = ScatterTrial(
        concept=str(row["concept"]),
        image_filename=str(row["image_filename"]),
        n_averaged=int(row.get("n_averaged", 1)),
        **numbers,
    )
    link_to_trial(page, trial, job.name)


def table_of(rows: pd.DataFrame, shown: list[str]) -> pd.DataFrame:
    """Return a line a trial; what all lines would repeat or lack is left out."""
    where = rows[["session", "run", "trial"]].itertuples(index=False, name=None)
    table = rows[["concept", "true_class", "rank", "p_true", *shown]].assign(
        trial=[f"{session:02d}-{run:02d}-{trial}" for session, run, trial in where]
    )
    useless = [] if rows["p_true"].notna().any() else ["p_true"]
    useless += ["true_class"] if rows["true_class"].eq(rows["concept"]).all() else []
    return table.drop(columns=useless)


def _table(rows: pd.DataFrame) -> None:
    shown = [f"top_{i}" for i in range(1, FIRST_GUESSES + 1) if f"top_{i}" in rows]
    st.dataframe(
        table_of(rows, shown),
        column_config={
            "true_class": st.column_config.TextColumn("true class"),
            "rank": st.column_config.NumberColumn("place", help="1: the true class came first."),
            "p_true": st.column_config.NumberColumn(
                "p", format="percent", help="Of the true class, as the decoder itself believes."
            ),
            **{name: st.column_config.TextColumn(f"guess {name[4:]}") for name in shown},
            "trial": st.column_config.TextColumn("trial", help="Session, run, trial."),
        },
        hide_index=True,
        height=320,
        alt="All trials with the place of the true class and the first guesses",
    )
