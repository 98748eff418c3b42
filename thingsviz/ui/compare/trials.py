"""Where two compared jobs agree and where they part: properties, dots, trials with pictures."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from thingsviz.figures.scores.agreement import agreement_info, both_info, draw_agreement, draw_both
from thingsviz.figures.scores.ratings import readable
from thingsviz.figures.scores.scatter import ScatterTrial, trial_of
from thingsviz.reports.comparable import FinishedJob, aligned
from thingsviz.reports.comparison import agreements, told_apart
from thingsviz.ui.caches import dataset_cache
from thingsviz.ui.compare.page import ComparedJobs
from thingsviz.ui.compare.tests import pick_pair
from thingsviz.ui.job_choice.score_strip import value_text
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.shell.trial_link import link_to_trial

N_SHOWN = 5
WIDTH = 64


def show_agreement(view: ComparedJobs, page: PageContext) -> None:
    """Show how alike two jobs predict: each property, and the dots of one."""
    if view.naming:
        return
    st.subheader("Do they say the same?", anchor=False)
    jobs = _pair(view, "agreement")
    names = (jobs[0].name, jobs[1].name)
    left, right = st.columns(2)
    with left:
        rows = agreements(jobs, view.question.part, view.averaged)
        figure = draw_agreement(agreement_info(names, rows), page.theme)
        alt = f"Correlation of what {names[0]} and {names[1]} predict, property by property"
        charts.show(figure, page.theme, "compare_agreement", alt=alt, save_as=view.save_as)
    with right:
        target = str(st.selectbox("Property", jobs[0].config.targets, key="w_compare_property"))
        first, second = aligned(jobs, view.question.part, view.averaged)
        figure = draw_both(both_info(first, second, names, target), page.theme)
        alt = f"Predictions of {target} by {names[0]} and by {names[1]}, {len(first)} dots"
        charts.show(figure, page.theme, "compare_both", alt=alt, save_as=view.save_as)
    st.caption(
        "Predictions that agree can be right together or wrong together: errors that agree say "
        "that the two are wrong about the same trials, so that a mean of both would gain little. "
        "Two decoders that stay near the mean have errors that agree by that alone."
    )


def _pair(view: ComparedJobs, key: str) -> list[FinishedJob]:
    known = {job.name: job for job in view.jobs}
    return [known[name] for name in pick_pair(view, key)]


def show_told_apart(view: ComparedJobs, page: PageContext) -> None:
    """Show the trials on which one job was nearer to the truth than the other, with pictures."""
    st.subheader("Where one is right and the other wrong", anchor=False)
    jobs = _pair(view, "trials")
    table = told_apart(jobs, view.question.part, view.averaged, by_rank=view.naming)
    n = min(N_SHOWN, len(table) // 2)
    columns = st.columns(2)
    parts = (table.head(n), table.tail(n).iloc[::-1])
    for column, rows, (right, wrong) in zip(columns, parts, (jobs, jobs[::-1]), strict=True):
        with column:
            st.markdown(f"**{plain(right.name)}** nearer than {plain(wrong.name)}")
            for _, row in rows.iterrows():
                trial = trial_of(next(row.to_frame().T.itertuples(index=False)))
                _trial(page, trial, _words(row, first=right is jobs[0]))
    better = float((table["gain"] > 0).mean())
    unit = "SD of a property, mean over properties"
    unit = "" if view.naming else f" Gains are in {unit}."
    st.caption(
        plain(
            f"{jobs[0].name} was the nearer one on {100 * better:.0f} % of {len(table)} trials."
            f"{unit} Picked from many: the two differ less on the average trial."
        )
    )


def _words(row: pd.Series, *, first: bool) -> str:
    """Say how much nearer a job was: in SD, or by the places that both gave the true class."""
    if "other_rank" not in row:
        return f"nearer by {value_text(abs(float(row['gain'])))} SD"
    own, other = (int(row[name]) for name in ("rank", "other_rank"))
    own, other = (own, other) if first else (other, own)
    return f"on place {own:,}, the other on {other:,}"


def _trial(page: PageContext, trial: ScatterTrial, words: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        picture = page.dataset.image_file(trial.image_filename)
        if picture is not None:
            shown = dataset_cache.picture(picture)
            st.image(shown, width=WIDTH, alt=f"Picture of {readable(trial.concept)}")
        with st.container(width="stretch", gap="xxsmall"):
            link_to_trial(page, trial)
            st.caption(words)
