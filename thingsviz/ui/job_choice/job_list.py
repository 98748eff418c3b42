"""Which job a page is about: the address, and the list of jobs with their states and scores."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from thingsviz.core.errors import ThingsvizError
from thingsviz.figures.scores.scores import ScoreInfo
from thingsviz.jobs.index import JobEntry
from thingsviz.jobs.job_folder import JobFolder, jobs_root, open_job
from thingsviz.jobs.run_folder import ALIVE, RunStatus
from thingsviz.ui.caches import dataset_cache, job_cache, job_index
from thingsviz.ui.job_choice.score_strip import short_text, whole_text
from thingsviz.ui.shell import deep_link, ui_state
from thingsviz.ui.shell.frame import PageContext, page_path, plain
from thingsviz.ui.shell.ui_state import Key

SHOWN = 8
MOST = 50
BADGE_WIDTH = 96
LOOKS = {
    "queued": ("orange", ":material/schedule:"),
    "running": ("blue", ":material/play_circle:"),
    "stopping": ("orange", ":material/hourglass_bottom:"),
    "stopped": ("gray", ":material/stop_circle:"),
    "done": ("green", ":material/check_circle:"),
    "failed": ("red", ":material/error:"),
}
headline = job_cache.headline_of


class JobLine(NamedTuple):
    """What a list says about one job."""

    name: str
    model: str
    split: str
    status: RunStatus
    score: ScoreInfo | None
    could_not_show: tuple[str, ...] = ()


def describe(job: JobFolder) -> JobLine | None:
    """Look at a job's recipe, state and score; None for a folder that cannot be read."""
    try:
        config, status = job.config(), job.status()
        score, limits = job_cache.headline(job, config.model.name)
    except ThingsvizError:
        return None
    return JobLine(job.name, config.model.name, config.split.kind, status, score, limits)


def line_of(entry: JobEntry) -> JobLine | None:
    """As `describe`, of what the index has read already; None where scores cannot be read."""
    try:
        score, limits = job_cache.headline(JobFolder(jobs_root() / entry.name), entry.model)
    except ThingsvizError:
        return None
    return JobLine(entry.name, entry.model, entry.split, entry.status, score, limits)


def score_text(line: JobLine) -> str:
    """Write the score with its interval and references beside it; no bare score."""
    if line.score is None:
        return "no score yet" if line.status.state in ALIVE else "no score"
    return short_text(line.score)


def score_help(line: JobLine) -> str | None:
    """Return the hover text of a score in a list: all that the honesty strip says."""
    return None if line.score is None else whole_text(line.score, line.could_not_show)


def ago(then: float | None, now: float) -> str:
    """Write how long ago a time was."""
    if then is None:
        return "not started"
    seconds = max(now - then, 0)
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            n = int(seconds // length)
            return f"{n} {unit}{'s' if n > 1 else ''} ago"
    return "just now"


def current(page: PageContext) -> JobFolder | None:
    """Return the job that the address or the session is about, if it belongs to the data shown."""
    asked = deep_link.asked().get("job")
    name = asked or ui_state.get(Key.JOB)
    if not name:
        write_address(page, "")
        return None
    try:
        job = open_job(str(name))
        config = job.config()
    except ThingsvizError as error:
        if asked:
            st.warning(plain(str(error)), icon=":material/link_off:")
        ui_state.forget(Key.JOB)
        return None
    at_home = (Path(config.dataset).name, config.subject) == (page.dataset.name, page.subject)
    if asked and not at_home:
        _follow(page, job, Path(config.dataset).name, config.subject)
    write_address(page, job.name if at_home else "")
    if not at_home:
        return None
    ui_state.put(Key.JOB, job.name)
    return job


def _follow(page: PageContext, job: JobFolder, dataset: str, subject: str) -> None:
    """Turn the page to the data of the job that the address asks for, if they are here."""
    if subject in page.offered.get(dataset, ()):
        ui_state.put(Key.DATASET, dataset)
        ui_state.put(Key.SUBJECT, subject)
        choose(page, job.name, dataset, subject)
    here = f"{page.dataset.name}, {page.subject}"
    sentence = f"The job {job.name} was trained on {dataset}, {subject}, not here ({here})."
    st.warning(plain(sentence), icon=":material/link_off:")


def choose(page: PageContext, name: str, dataset: str = "", subject: str = "") -> None:
    """Make a job the one that the page is about, and say so in the address."""
    ui_state.put(Key.JOB, name)
    write_address(page, name, dataset, subject)
    st.rerun()


def write_address(page: PageContext, name: str, dataset: str = "", subject: str = "") -> None:
    """Put the data and the job into the address."""
    data = {"dataset": dataset or page.dataset.name, "subject": subject or page.subject}
    deep_link.write(**data, **({"job": name} if name else {}))


def leave(page: PageContext) -> None:
    """Show no job."""
    ui_state.forget(Key.JOB)
    write_address(page, "")
    st.rerun()


def entries_of(page: PageContext) -> list[JobEntry]:
    """Return the jobs of the data shown, the newest first; scores and recipes are not read."""
    return job_index.of_data(dataset_cache.jobs(), page.dataset.name, page.subject)


def finished_of(page: PageContext) -> list[str]:
    """Return the names of the finished jobs of the data shown, the newest first."""
    return [one.name for one in entries_of(page) if one.status.state == "done" and not one.fault]


def lines_of(entries: Iterable[JobEntry]) -> list[JobLine]:
    """Describe jobs in full; for those that are shown, as each takes 12 ms the first time."""
    lines = [describe(JobFolder(jobs_root() / entry.name)) for entry in entries]
    return [line for line in lines if line is not None]


def running_now(page: PageContext) -> None:
    """Point to the trainings that run while no job is shown: the way back after a new start."""
    for entry in entries_of(page):
        if entry.status.state in ALIVE:
            with st.container(horizontal=True, vertical_alignment="center", border=True):
                st.markdown(plain(f"{entry.name} is {entry.status.state}."), width="content")
                key = f"w_watch_{entry.name}"
                if st.button("Watch it", icon=":material/monitoring:", key=key):
                    choose(page, entry.name)


def jobs_list(page: PageContext, chosen: JobFolder | None) -> None:
    """List the trainings of this subject; a click shows one."""
    st.subheader("Trainings of this subject", anchor=False)
    known, name = job_index.entries_of(dataset_cache.jobs()), page.dataset.name
    found = [one for one in known if one.is_of(name, page.subject)]
    n = SHOWN
    if len(found) > SHOWN and st.toggle(_unfold(len(found)), key=str(Key.W_ALL_JOBS)):
        n = MOST
    lines = lines_of(found[:n])
    _complain(known, found[:n], lines)
    if not lines:
        st.caption("None yet. The first one that you start stands here, also after a reload.")
        return
    with st.container(gap="xxsmall"):
        for line in lines:
            _row(page, line, chosen is not None and line.name == chosen.name)
    if len(found) > MOST:
        label = f"All {len(found):,} are on the Jobs page"
        st.page_link(page_path("jobs.py"), label=label, icon=":material/list_alt:")


def _unfold(n: int) -> str:
    return f"Show all {n}" if n <= MOST else f"Show the newest {MOST}"


def _complain(known: list[JobEntry], looked_at: list[JobEntry], lines: list[JobLine]) -> None:
    """Name the jobs whose recipe cannot be read, of any data: such a recipe may not say which."""
    broken = [one.name for one in known if job_index.unreadable(one)]
    good = {line.name for line in lines}
    names = list(dict.fromkeys([*broken, *(e.name for e in looked_at if e.name not in good)]))
    if names:
        few = ", ".join(names[:SHOWN])
        text = f"Recipes that cannot be read: {few}. The address of one (?job=NAME) says why."
        st.caption(plain(text))


def _row(page: PageContext, line: JobLine, chosen: bool) -> None:
    colour, icon = LOOKS.get(line.status.state, LOOKS["stopped"])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width=BADGE_WIDTH):
            st.badge(line.status.state, color=colour, icon=icon)  # type: ignore[arg-type]
        if chosen:
            st.markdown(f"**{plain(line.name)}**", width="content")
        elif st.button(line.name, type="tertiary", key=f"w_job_{line.name}"):
            choose(page, line.name)
        started = ago(line.status.started_at, time.time())
        words = [line.model, line.split.replace("_", " "), started, score_text(line)]
        st.caption(plain(" · ".join(words)), width="content", help=score_help(line))
