"""Which jobs the Compare page is about: the address, the picker, and who is left out and why."""

from __future__ import annotations

import streamlit as st

from thingsviz.core.errors import JobError, ThingsvizError
from thingsviz.jobs.job_folder import open_job
from thingsviz.reports.comparable import (
    ComparableGroup,
    FinishedJob,
    comparable,
    read_finished,
    why_not,
)
from thingsviz.ui.caches import dataset_cache
from thingsviz.ui.caches.dataset_cache import stamp
from thingsviz.ui.job_choice import job_list as jobs_list
from thingsviz.ui.shell import deep_link, ui_state
from thingsviz.ui.shell.frame import PageContext, page_path, plain
from thingsviz.ui.shell.ui_state import Key

MOST = 6
SHOWN = 8


def choose_jobs(page: PageContext) -> tuple[FinishedJob, ...]:
    """Let the visitor choose finished jobs; return those that can be compared, or ()."""
    names = _finished_names(page)
    if not names:
        _none(page)
        return ()
    wanted = _wanted(page, names)
    ui_state.put(Key.W_COMPARED, wanted)
    picked = st.multiselect(
        "Trainings to compare",
        names,
        key=str(Key.W_COMPARED),
        max_selections=MOST,
        placeholder="Choose two or more",
        on_change=ui_state.copy,
        args=(Key.W_COMPARED, Key.COMPARED),
        help="Finished trainings of this subject. They are comparable when they answer the same "
        "question on the same test trials; the first one decides.",
    )
    _write_address(page, picked)
    return _kept(picked, names)


def _finished_names(page: PageContext) -> list[str]:
    return jobs_list.finished_of(page)


def _none(page: PageContext) -> None:
    sentence = f"No training of {page.dataset.name}, {page.subject} has finished yet."
    st.info(plain(sentence), icon=":material/info:")
    st.page_link(page_path("train.py"), label="Go to Train", icon=":material/model_training:")


def _wanted(page: PageContext, names: list[str]) -> list[str]:
    """Take the jobs that the address or the session asks for; say which of them are not there."""
    asked = deep_link.asked().get("jobs")
    if asked is not None:
        ui_state.put(Key.COMPARED, [name for name in asked.split(",") if name][: 2 * MOST])
    wanted = list(dict.fromkeys(ui_state.get(Key.COMPARED, [])))
    missing = [name for name in wanted if name not in names]
    for name in missing[:MOST]:
        st.warning(plain(_why_missing(name)), icon=":material/link_off:")
    there = [name for name in wanted if name in names][:MOST]
    ui_state.put(Key.COMPARED, there)
    return there


def _why_missing(name: str) -> str:
    try:
        job = open_job(name)
        status = job.status().state
        whose = dataset_cache.job_subject(job)
    except ThingsvizError:
        return f"There is no job {name[:80]!r} any more: it was deleted, or the address is wrong."
    if status != "done":
        return f"{name!r} cannot be compared before it has predicted its test: it is {status}."
    data = ", ".join(whose) if whose else "data that its recipe does not say"
    return f"{name!r} was trained on {data}: choose those data in the sidebar to compare it."


def _write_address(page: PageContext, picked: list[str]) -> None:
    data = {"dataset": page.dataset.name, "subject": page.subject}
    deep_link.write(**data, **({"jobs": ",".join(picked)} if picked else {}))


def _kept(picked: list[str], names: list[str]) -> tuple[FinishedJob, ...]:
    found = []
    for name in picked:
        try:
            found.append(load(name))
        except (ThingsvizError, OSError) as error:
            sentence = str(error) if isinstance(error, ThingsvizError) else _why_missing(name)
            st.warning(plain(sentence), icon=":material/link_off:")
    group = comparable(found)
    for reason in group.refused:
        st.error(plain(reason + "."), icon=":material/block:")
    _advise(group, names)
    return group.jobs if len(group.jobs) > 1 else ()


def _advise(group: ComparableGroup, names: list[str]) -> None:
    """Say with which other jobs the first one can be compared, where that helps."""
    if not group.jobs:
        st.info("Choose two or more trainings above.", icon=":material/info:")
    elif len(group.jobs) == 1 or group.refused:
        first = group.jobs[0]
        others = [n for n in names if n not in {job.name for job in group.jobs}]
        fitting = [name for name in others if _fits(first, name)]
        few = ", ".join(fitting[:SHOWN]) + (" and others" if len(fitting) > SHOWN else "")
        words = f"Comparable with {first.name}: {few or 'no other finished training yet'}."
        st.info(plain(words), icon=":material/info:")


def _fits(first: FinishedJob, name: str) -> bool:
    try:
        return why_not(first, load(name)) is None
    except (ThingsvizError, OSError):
        return False


def load(name: str) -> FinishedJob:
    """Read a finished job, from memory while its files stay as they are."""
    job = open_job(name)
    files = ("config.json", "scores.json", "predictions.parquet", "manifest.json")
    return _load(name, tuple(stamp(job.file(file)) for file in files))


@st.cache_resource(max_entries=24, show_spinner=False)
def _load(name: str, files: tuple[dataset_cache.FileStamp, ...]) -> FinishedJob:
    try:
        return read_finished(open_job(name))
    except KeyError as error:
        msg = f"{name!r} has predictions that cannot be read ({error} is missing): start it again"
        raise JobError(msg) from None
