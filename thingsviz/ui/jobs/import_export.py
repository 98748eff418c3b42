"""A job that travels: out as a zip or as a report, and in from another machine."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from thingsviz.core.errors import ThingsvizError
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.run_folder import ALIVE, RunStatus
from thingsviz.reports.bundle import export_job
from thingsviz.reports.bundle_more import WORDS, size_of
from thingsviz.reports.html_job import job_report
from thingsviz.ui import actions
from thingsviz.ui.caches import dataset_cache
from thingsviz.ui.job_choice.filters import megabytes
from thingsviz.ui.shell import deep_link, ui_state
from thingsviz.ui.shell.frame import guard, plain
from thingsviz.ui.shell.ui_state import Key

ZIP_HELP = (
    "Recipe, scores, predictions, curves and weights in one file: 'Bring a job' opens it on "
    "another machine. Brain data and pictures stay here."
)
MORE_HELP = (
    "What the zip can hold besides: the maps that the Attention page shows, and the weights after "
    "single epochs, of which its film is made. Sizes are those before packing."
)
REPORT_HELP = "One file with all figures in it; it opens in any browser, also offline."
BRING_HELP = "A zip that 'Take it elsewhere' or `thingsviz export` has made."


def take_buttons(job: JobFolder, status: RunStatus) -> None:
    """Offer a job that does not run as a zip, a scored one as a report; made on the click."""
    if status.state in ALIVE:
        return
    more = pick_more(job)
    st.download_button(
        "Take it elsewhere",
        lambda: zip_of(job, more),
        f"{job.name}.zip",
        "application/zip",
        icon=":material/folder_zip:",
        key="w_jobs_zip",
        on_click="ignore",
        help=ZIP_HELP,
    )
    if status.state == "done" and job.file("scores.json").is_file():
        st.download_button(
            "Report (HTML)",
            lambda: job_report(job),
            f"{job.name}.html",
            "text/html",
            icon=":material/description:",
            key="w_jobs_report",
            on_click="ignore",
            help=REPORT_HELP,
        )


def pick_more(job: JobFolder) -> tuple[str, ...]:
    """Let the visitor choose what else of the job goes into the zip: nothing at first."""
    sizes = {kind: size for kind in WORDS if (size := size_of(job, kind))}
    if not sizes:
        return ()
    labels = {f"{WORDS[kind]}, {_size(n)}": kind for kind, n in sizes.items()}
    found = st.pills(
        "Take along too",
        tuple(labels),
        selection_mode="multi",
        key=f"w_jobs_more_{job.name}",
        help=MORE_HELP,
    )
    return tuple(labels[label] for label in found)


def _size(n_bytes: int) -> str:
    return megabytes(n_bytes / 1e6) if n_bytes >= 1e6 else "less than 1 MB"


def zip_of(job: JobFolder, more: tuple[str, ...] = ()) -> bytes:
    """Return a job's zip, with what else of bundle_more.WORDS is wished for."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.zip"
        export_job(job, path, more)
        return path.read_bytes()


def show_bring() -> None:
    """Let the visitor bring a job's zip; it opens as a job of their own, or says why not."""
    refused = actions.refusal()
    with st.expander("Bring a job"):
        if refused:
            st.caption(plain(f"{refused}."))
            return
        # in a form the file is read once, on the click, and forgotten then
        with st.form("w_jobs_bring", border=False, clear_on_submit=True):
            found = st.file_uploader(
                "Zip of a job", type="zip", key="w_jobs_file", help=BRING_HELP
            )
            sent = st.form_submit_button("Open it here", icon=":material/upload:")
        if sent and found is None:
            st.info("Choose the zip of a job first.", icon=":material/info:")
        elif sent and found is not None:
            with guard():
                job = actions.bring_job(found, found.name)
                dataset_cache.forget_folders()
                ui_state.put(Key.JOBS_SHOWN, job.name)
                deep_link.write(job=job.name)
                st.rerun()


def data_missing(job: JobFolder) -> str:
    """Return '' where a job's data are here, else the sentence that says what is missing then."""
    try:
        config = job.config()
    except ThingsvizError:
        return ""
    name = Path(config.dataset).name
    known = next((one for one in dataset_cache.datasets() if one.dataset.name == name), None)
    if known is not None and config.subject in known.subjects:
        return ""
    return (
        f"The data of {job.name} ({name}, {config.subject}) are not on this machine: its scores, "
        "curves and predictions are shown without pictures and brains."
    )
