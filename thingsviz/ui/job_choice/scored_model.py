"""What a finished job says of one trial: the choice of the job, its predictions by property."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from thingsviz.core.errors import ThingsvizError
from thingsviz.figures.scores.ratings import readable
from thingsviz.jobs.job_folder import JobFolder, jobs_root, open_job
from thingsviz.ui.caches import dataset_cache, job_index
from thingsviz.ui.caches.dataset_cache import FileStamp, stamp
from thingsviz.ui.shell import ui_state
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.shell.ui_state import Key

PREFIX = "pred_"
NOBODY = "no job"
FIRST_GUESSES = 5  # that are written out of a classifier's ranking
# cache.predictions keeps 16: more would be read again at each step from trial to trial
NEWEST = 12


class TrialPrediction(NamedTuple):
    """Predictions of a trial, or of the mean over `n_averaged` showings, on the raters' scales."""

    values: dict[str, float]
    n_averaged: int
    part: str
    guess: str = ""
    """What a classifier named, in words; '' for a decoder of ratings."""


class ScoredModel(NamedTuple):
    """A job of this subject that predicted this trial."""

    folder: JobFolder
    frame: pd.DataFrame
    places: dict[tuple[int, int], int]
    averages: dict[tuple[str, int], int]


def choose_job(page: PageContext, row: int) -> ScoredModel | None:
    """Let the visitor choose among the jobs that predicted this trial; remember the choice."""
    asked = page.asked.get("job")
    if asked is not None:
        _remember(asked)
    done = _done(page)
    there = _jobs_of(done)
    jobs = {job.folder.name: job for job in there if (row, 1) in job.places}
    _say_cut(len(done))
    wanted = ui_state.get(Key.JOB)
    if not jobs:
        _say_none(wanted, any_job=bool(there))
        return None
    names = [NOBODY, *jobs]
    ui_state.put(Key.W_JOB, wanted if wanted in jobs else NOBODY)
    st.selectbox(
        "Predictions of",
        names,
        key=str(Key.W_JOB),
        on_change=_chosen,
        help=f"The newest {NEWEST} finished trainings of this subject, those that held this trial "
        "out and predicted it; an older one that is open on Predictions stands here as well.",
    )
    return jobs.get(wanted) if wanted else None


def _remember(name: str) -> None:
    """Take a job's name from the address, if there is such a job."""
    try:
        ui_state.put(Key.JOB, open_job(name).name)
    except ThingsvizError as error:
        st.warning(plain(str(error)), icon=":material/link_off:")


def _chosen() -> None:
    name = ui_state.get(Key.W_JOB)
    ui_state.put(Key.JOB, None if name == NOBODY else name)


def _say_none(wanted: str | None, *, any_job: bool) -> None:
    if wanted:
        st.caption(plain(f"The job {wanted} did not predict this trial: it was not held out."))
    elif not any_job:
        st.caption("No finished training of this subject yet: start one on the Train page.")
    else:
        st.caption("No finished training held this trial out, so there is no fair prediction.")


def _say_cut(n: int) -> None:
    """Say that older trainings are not offered, and how to get at one of them."""
    if n > NEWEST:
        st.caption(
            f"Only the newest {NEWEST} of {n:,} finished trainings are looked at here. For an "
            "older one, open it on Predictions and come back."
        )


def _done(page: PageContext) -> list[str]:
    """Return the names of the finished jobs of the page's dataset and subject, newest first."""
    entries = job_index.of_data(dataset_cache.jobs(), page.dataset.name, page.subject)
    return [one.name for one in entries if one.status.state == "done"]


def _jobs_of(done: list[str]) -> list[ScoredModel]:
    """Return the newest of the finished jobs, and the one wanted."""
    found, wanted = [], ui_state.get(Key.JOB)
    for name in [*done[:NEWEST], *(one for one in done[NEWEST:] if one == wanted)]:
        folder = JobFolder(jobs_root() / name)
        frame = dataset_cache.predictions(folder)
        if frame is not None:
            found.append(_job(folder, frame))
    return found


def _job(folder: JobFolder, frame: pd.DataFrame) -> ScoredModel:
    places = _places(stamp(folder.file("predictions.parquet")), _frame=frame)
    return ScoredModel(folder, frame, *places)


@st.cache_resource(max_entries=16, show_spinner=False)
def _places(
    file: FileStamp, _frame: pd.DataFrame
) -> tuple[dict[tuple[int, int], int], dict[tuple[str, int], int]]:
    """Return where (row, n_averaged) and (image, n_averaged) stand in a predictions table."""
    counts = _frame["n_averaged"].astype(int).tolist()
    rows, images = _frame["row"].astype(int).tolist(), _frame["image_filename"].tolist()
    return (
        {pair: i for i, pair in enumerate(zip(rows, counts, strict=True))},
        {pair: i for i, pair in enumerate(zip(images, counts, strict=True))},
    )


def predicted(job: ScoredModel, row: int, image: str, n_averaged: int) -> TrialPrediction:
    """Return the prediction for the mean over `n_averaged` showings, or for the single trial."""
    mean = job.averages.get((image, n_averaged)) if n_averaged > 1 else None
    found = job.frame.iloc[job.places[row, 1] if mean is None else mean]
    values = {
        str(name).removeprefix(PREFIX): float(found[name])
        for name in job.frame.columns
        if str(name).startswith(PREFIX)
    }
    guess = guess_text({str(k): v for k, v in found.items()}) if "true_class" in job.frame else ""
    return TrialPrediction(values, int(found["n_averaged"]), str(found["part"]), guess)


def guess_text(row: dict[str, Any], n: int = FIRST_GUESSES) -> str:
    """Say on which place the true class came, and which came first."""
    guesses = [str(row[f"top_{i}"]) for i in range(1, n + 1) if row.get(f"top_{i}") is not None]
    named = ", ".join(readable(name) for name in guesses if name != "nan")
    true = readable(str(row["true_class"]))
    return f"{true} came on place {row['rank']}. First: {named}."
