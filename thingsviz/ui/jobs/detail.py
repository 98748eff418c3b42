"""One job on the Jobs page: what became of it, what can be done with it, what people say of it."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import streamlit as st

from thingsviz.core.errors import DataError, JobError, ThingsvizError
from thingsviz.core.typography import duration
from thingsviz.jobs.about import About, owner_of, read_about
from thingsviz.jobs.job_folder import JobFolder, jobs_root, open_job
from thingsviz.jobs.run_folder import ALIVE, RunStatus
from thingsviz.queue.trash import size_of
from thingsviz.ui import actions
from thingsviz.ui.access.ownership import may_change, whose
from thingsviz.ui.caches import dataset_cache
from thingsviz.ui.job_choice import filters as jobs_look
from thingsviz.ui.job_choice.filters import megabytes
from thingsviz.ui.job_choice.job_list import LOOKS, ago
from thingsviz.ui.jobs.import_export import data_missing, take_buttons
from thingsviz.ui.shell import deep_link, ui_state
from thingsviz.ui.shell.frame import guard, page_path, plain
from thingsviz.ui.shell.ui_state import Key
from thingsviz.ui.training import job_form
from thingsviz.ui.training.watch import RESUME_HELP, STOP_HELP, progress_text

LOG_LINES = 25
FOLLOW_S = 2.0


def show_detail(name: str) -> None:
    """Show the job, or say that it is not there any more."""
    try:
        job = open_job(name)
    except JobError as error:
        leave()
        st.warning(plain(str(error)), icon=":material/link_off:")
        return
    about, status = read_about(job), _status(job)
    with st.container(border=True):
        follow = st.fragment(_live, run_every=FOLLOW_S if status.state in ALIVE else None)
        follow(job, about, status.state)
        _buttons(job, status)
        if missing := data_missing(job):
            st.caption(plain(missing))
        with st.expander("Title, tags, note"):
            _about_form(job, about)
        with st.expander("Log", expanded=status.state == "failed"):
            tail = job.log_tail(LOG_LINES)
            st.code(tail or "The process has printed nothing.", language=None, wrap_lines=True)


def _live(job: JobFolder, about: About, state_then: str) -> None:
    """Follow a job while it lives; draw all anew when its state changes or it is closed."""
    status = _status(job)
    if status.state != state_then or ui_state.get(Key.JOBS_SHOWN) != job.name:
        st.rerun()
    _head(job, about, status)
    _facts(job, status)


def _status(job: JobFolder) -> RunStatus:
    try:
        return job.status()
    except JobError as error:
        return RunStatus("failed", message=str(error))


def _head(job: JobFolder, about: About, status: RunStatus) -> None:
    colour, icon = LOOKS.get(status.state, LOOKS["stopped"])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(plain(about.title or job.name), anchor=False, width="content")
        st.badge(status.state, color=colour, icon=icon)  # type: ignore[arg-type]
        for tag in about.tags:
            st.badge(plain(tag), color="violet")
        st.space("stretch")
        st.button(
            "Close", icon=":material/close:", type="tertiary", key="w_jobs_close", on_click=leave
        )
    if status.state == "failed":
        st.error(plain(status.message or "The training failed."), icon=":material/error:")
    elif status.state in ALIVE:
        st.progress(min(max(status.share, 0.0), 1.0), text=plain(progress_text(status)))
    elif status.message:
        st.caption(plain(status.message))
    if about.note:
        st.markdown(plain(about.note))


def _facts(job: JobFolder, status: RunStatus) -> None:
    words = [job.name, f"of {owner_of(job)}"]
    if status.started_at:
        words.append(f"started {ago(status.started_at, time.time())}")
        if status.state not in ALIVE and status.updated_at:
            words.append(f"ran for {duration(status.updated_at - status.started_at)}")
    words.append(_resources(job))
    words.append(f"{megabytes(size_of(job.path) / 1e6)} on the disk")
    st.caption(plain(" · ".join(word for word in words if word)))


def _resources(job: JobFolder) -> str:
    now = jobs_look.taken(jobs_look.line(str(jobs_root())).get(job.name))
    if now:
        return now
    try:
        used = job.usage()
    except JobError:
        return ""
    took = f"took up to {megabytes(used.peak_mb)} and {duration(used.cpu_s)} of CPU"
    return took if used.peak_mb else ""


def _buttons(job: JobFolder, status: RunStatus) -> None:
    mine = may_change(owner_of(job))
    act = partial(_act, job)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if status.state in {"queued", "running"}:
            act("Stop", ":material/stop:", STOP_HELP, mine)
        if status.state in {"stopped", "failed"}:
            label = "Start" if status.started_at is None else "Resume"
            act(label, ":material/resume:", RESUME_HELP, mine)
        again = st.button(
            "Train a variant",
            icon=":material/tune:",
            key="w_jobs_variant",
            help="Opens the form of the Train page with this job's settings.",
        )
        if again:
            with guard():
                open_variant(job)
        _links(job, status)
        take_buttons(job, status)
        if status.state not in ALIVE:
            act("Delete", ":material/delete:", "Moves the job into the bin.", mine)


def _links(job: JobFolder, status: RunStatus) -> None:
    goals = [
        ("train.py", "Watch it" if status.state in ALIVE else "Curves", ":material/monitoring:")
    ]
    if status.state == "done":
        goals.append(("predictions.py", "Predictions", ":material/query_stats:"))
    for file, label, icon in goals:
        st.page_link(page_path(file), label=label, icon=icon, query_params={"job": job.name})


def _act(job: JobFolder, label: str, icon: str, help_: str, mine: bool) -> None:
    """Offer one thing to do; it is checked again when it is done."""
    clicked = st.button(
        label,
        icon=icon,
        key=f"w_jobs_{label.lower()}_{job.name}",  # a late click must not hit the next job
        help=help_ if mine else whose(job),
        disabled=not mine,
    )
    if not clicked:
        return
    try:
        _do(job, label)
    except ThingsvizError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    dataset_cache.forget_folders()
    st.rerun()


def _do(job: JobFolder, label: str) -> None:
    if label == "Stop":
        actions.stop_training(job)
    elif label == "Delete":
        ui_state.put(Key.JOBS_DELETED, str(actions.delete_job(job).path.name))
        leave()
    else:
        actions.resume_training(job)


def _about_form(job: JobFolder, about: About) -> None:
    """Let the owner change what people say of the job; its folder and address stay."""
    with st.form(f"w_jobs_about_{job.name}", border=False):
        title = st.text_input("Title", about.title, max_chars=120, placeholder=job.name)
        tags = st.text_input("Tags, with commas between", ", ".join(about.tags))
        note = st.text_area("Note", about.note, max_chars=4000)
        saved = st.form_submit_button("Save", disabled=not may_change(owner_of(job)))
    if not saved:
        return
    with guard():
        words = tuple(tag for tag in tags.split(",") if tag.strip())
        actions.describe_job(job, title=" ".join(title.split()), tags=words, note=note.strip())
        st.rerun()


def open_variant(job: JobFolder) -> None:
    """Fill the Train page's form with a job's recipe, and go there."""
    config = job.config()
    name = Path(config.dataset).name
    known = next((one for one in dataset_cache.datasets() if one.dataset.name == name), None)
    if known is None or config.subject not in known.subjects:
        msg = f"{job.name} was trained on {name}, {config.subject}, which is not here"
        raise DataError(msg)
    store = dataset_cache.store(known.dataset, config.subject)
    job_form.repeat(config, store.grid.shape)
    ui_state.put(Key.DATASET, name)
    ui_state.put(Key.SUBJECT, config.subject)
    ui_state.forget(Key.JOB)
    st.switch_page(page_path("train.py"))


def leave() -> None:
    """Show no job above the list."""
    ui_state.forget(Key.JOBS_SHOWN)
    deep_link.write()
