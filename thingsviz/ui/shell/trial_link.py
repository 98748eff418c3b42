"""How a page of results points to one trial: to the Trials page, in words where no data are."""

from __future__ import annotations

import streamlit as st

from thingsviz.figures.scores.ratings import readable
from thingsviz.figures.scores.scatter import ScatterTrial
from thingsviz.ui.shell.frame import PageContext, page_path, plain


def link_to_trial(page: PageContext, trial: ScatterTrial, job: str = "") -> None:
    """Link to a trial on the Trials page; of an average, to its first repeat."""
    where = f"ses-{trial.session:02d} run-{trial.run:02d} trial {trial.trial}"
    repeats = f", mean of {trial.n_averaged}" if trial.n_averaged > 1 else ""
    label = f"{plain(readable(trial.concept))} ({where}{repeats})"
    if page.kept is None:
        st.markdown(label, width="content")
        return
    st.page_link(
        page_path("trials.py"),
        label=label,
        icon=":material/imagesmode:",
        query_params=address_of(page, trial, job),
    )


def address_of(page: PageContext, trial: ScatterTrial, job: str = "") -> dict[str, str]:
    """Return the address of a trial on the Trials page, with a job's predictions."""
    return {
        "dataset": page.dataset.name,
        "subject": page.subject,
        "session": f"{trial.session:02d}",
        "run": f"{trial.run:02d}",
        "trial": str(trial.trial),
        **({"job": job} if job else {}),
    }
