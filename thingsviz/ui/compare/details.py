"""What the compared jobs took: seconds, parameters and memory against the score."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from thingsviz.figures.scores.cost import AXES, CostRow, cost_info, cost_of, cost_row, draw_cost
from thingsviz.figures.scores.scores import score_info
from thingsviz.jobs.job_folder import open_job
from thingsviz.pipeline.resource_usage import spent
from thingsviz.reports.comparable import Finished
from thingsviz.ui.compare.page import View, pick
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import PageContext
from thingsviz.ui.shell.ui_state import Key


def show_cost(view: View, page: PageContext) -> None:
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


def _cost_of(view: View, job: Finished) -> CostRow | None:
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
