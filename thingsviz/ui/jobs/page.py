"""The list of the Jobs page: filter, one line a job, and the way to each."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from thingsviz.core.typography import duration
from thingsviz.jobs.index import JobEntry
from thingsviz.jobs.job_folder import jobs_root
from thingsviz.jobs.run_folder import ALIVE
from thingsviz.queue import submit
from thingsviz.queue.database import Row
from thingsviz.ui.access.ownership import current_user
from thingsviz.ui.caches import dataset_cache
from thingsviz.ui.job_choice import filters as jobs_look
from thingsviz.ui.job_choice import studies as jobs_studies
from thingsviz.ui.job_choice.filters import EVERYBODY, JobBoard, JobFilter
from thingsviz.ui.job_choice.job_list import LOOKS, ago, line_of, score_help, score_text
from thingsviz.ui.job_choice.studies import STUDY, name_in_line
from thingsviz.ui.jobs import detail as jobs_detail
from thingsviz.ui.jobs import disk_space as jobs_room
from thingsviz.ui.jobs import import_export as jobs_travel
from thingsviz.ui.shell import deep_link, ui_state
from thingsviz.ui.shell.frame import guard, plain
from thingsviz.ui.shell.ui_state import Key
from thingsviz.ui.training.watch import progress_text

A_PAGE = 12
FOLLOW_S = 2.0
# A browser draws for as long as there are elements: so a line has 6 (st.columns would add a
# box for each cell), with widths in pixels, and progress has what is left.
STATE, TITLE, DECODER, STARTED = 92, 170, 150, 120
# Streamlit writes the label of a button with a width into its middle, and indents links.
LEFT = """<style>
[class*="st-key-w_jobs_row_"] button, [class*="st-key-w_jobs_row_"] button * {
  justify-content: flex-start; text-align: left;
}
[data-testid="stMain"] [data-testid="stPageLink-NavLink"] { margin-left: -0.5rem; }
</style>"""
HEADS: dict[str, int | Literal["stretch"]] = {
    "State": STATE,
    "Job": TITLE,
    "Decoder": DECODER,
    "Progress": "stretch",
    "Owner, start": STARTED,
}


def show_jobs() -> None:
    """Show what was just deleted, the job chosen, the list, and the room on the disk."""
    jobs_room.show_undo()
    name = _asked()
    if name:
        with guard():
            jobs_detail.show_detail(name)
    st.html(LEFT)
    board = jobs_look.board()
    if not board.entries:
        st.info("There are no trainings here yet.", icon=":material/info:")
    else:
        follow = st.fragment(_list, run_every=FOLLOW_S if board.busy else None)
        follow(ui_state.get(Key.JOBS_SHOWN) or "", board.busy, [board])
    st.divider()
    with guard():
        jobs_travel.show_bring()
    with guard():
        jobs_room.show_room()


def _asked() -> str:
    """Return the job that the address or the session is about."""
    asked = deep_link.asked().get("job")
    name = str(asked or ui_state.get(Key.JOBS_SHOWN) or "")
    ui_state.put(Key.JOBS_SHOWN, name)
    deep_link.write(**({"job": name} if name else {}))
    return name


def _list(name: str, busy: bool, first_look: list[JobBoard]) -> None:
    """Show filter and rows; a search, another page and the following draw only this part anew.

    `first_look` holds the board of the page's own run, which is taken out of it.
    """
    board = first_look.pop() if first_look else jobs_look.board()
    if board.busy != busy or not board.entries or (ui_state.get(Key.JOBS_SHOWN) or "") != name:
        st.rerun()  # a job was chosen above the list, or following has to begin or end
    wish = _filter(board)
    line = jobs_look.line(str(jobs_root()))
    if "queued" in board.counts:
        submit.tend()
    found = jobs_look.chosen(board, wish)
    first = _first(len(found))
    if not found:
        st.caption("No training fits this filter.")
        return
    planted = {one.dataset.name for one in dataset_cache.datasets() if one.simulated}
    with st.container(gap="xxsmall"):
        with _cells():
            for head, width in HEADS.items():
                st.caption(f"**{head}**", width=width)
        for entry in found[first : first + A_PAGE]:
            chosen = entry.name == name and entry.role != STUDY
            _row(entry, line, chosen=chosen, simulated=entry.dataset in planted)


def _filter(board: JobBoard) -> JobFilter:
    """Show the search field and the filters."""
    owners = [EVERYBODY, *board.owners]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        text = st.text_input(
            "Search", key=str(Key.W_JOBS_TEXT), placeholder="name, tag, note, model", width=260
        )
        kept = st.pills(
            "State",
            list(board.counts),
            selection_mode="multi",
            format_func={name: f"{name} {n:,}" for name, n in board.counts.items()}.__getitem__,
            key=str(Key.W_JOBS_STATES),
        )
        owner = EVERYBODY
        if len(owners) > 2:
            me = current_user()
            labels = {name: f"{name} (me)" if name == me else name for name in owners}
            owner = st.selectbox(
                "Owner",
                owners,
                format_func=labels.__getitem__,
                key=str(Key.W_JOBS_OWNER),
                width=180,
            )
        candidates = False
        if "candidate" in board.roles:
            candidates = st.toggle("Candidates of studies", key=str(Key.W_JOBS_CANDIDATES))
    return JobFilter(text or "", tuple(kept or ()), str(owner or EVERYBODY), candidates)


def _first(n: int) -> int:
    """Show which part of the list this is, and return where it begins."""
    pages = max(1, -(-n // A_PAGE))
    if pages == 1:
        return 0
    number = min(int(ui_state.get(Key.JOBS_PAGE, 1)), pages)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        first = (number - 1) * A_PAGE
        st.caption(f"{first + 1:,} to {min(first + A_PAGE, n):,} of {n:,}", width="content")
        for label, icon, to in (
            ("Newer", ":material/chevron_left:", number - 1),
            ("Older", ":material/chevron_right:", number + 1),
        ):
            st.button(
                label,
                icon=icon,
                type="tertiary",
                key=f"w_jobs_{label}",
                disabled=not 1 <= to <= pages,
                on_click=ui_state.put,
                args=(Key.JOBS_PAGE, to),
            )
    return first


def _row(entry: JobEntry, line: dict[str, Row], *, chosen: bool, simulated: bool) -> None:
    """Show one line: six elements, see HEADS."""
    colour, icon = LOOKS.get(entry.status.state, LOOKS["stopped"])
    with _cells():
        st.badge(entry.status.state, color=colour, icon=icon, width=STATE)  # type: ignore[arg-type]
        _title(entry, chosen=chosen)
        # no caption, which would dim the tags as well
        st.markdown(_decoder_text(entry, simulated=simulated), width=DECODER)
        _progress(entry, line)
        st.caption(plain(_start_text(entry)), width=STARTED)


def _title(entry: JobEntry, *, chosen: bool) -> None:
    if entry.role == STUDY:
        jobs_studies.link_to_study(entry, TITLE)
    elif chosen:
        st.markdown(f"**{plain(entry.title)}**", width=TITLE)
    else:
        st.button(
            entry.title,
            type="tertiary",
            key=f"w_jobs_row_{entry.name}",
            on_click=ui_state.put,
            args=(Key.JOBS_SHOWN, entry.name),
            width=TITLE,
        )


def _decoder_text(entry: JobEntry, *, simulated: bool) -> str:
    """Write which decoder reads which data, and a job's tags."""
    study = STUDY if entry.role == STUDY else ""
    words = (study, entry.model, entry.dataset, "SIMULATED" if simulated else "")
    tags = [f":violet-badge[{plain(tag)}]" for tag in entry.about.tags[:4]]
    text = plain(" · ".join(word for word in words if word))
    return " ".join([f":small[:gray[{text}]]" if text else "", *tags])


def _start_text(entry: JobEntry) -> str:
    ran = None if entry.status.state in ALIVE else jobs_look.ran_for(entry)
    started = ago(entry.status.started_at, time.time())
    took = "" if ran is None else f"for {duration(ran)}".replace(" ", "\N{NO-BREAK SPACE}")
    return ", ".join(word for word in (entry.about.owner, started, took) if word)


def _cells() -> DeltaGenerator:
    """Return a line to put cells into."""
    return st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False)


def _progress(entry: JobEntry, line: dict[str, Row]) -> None:
    status, name = entry.status, name_in_line(entry)
    row = line.get(name)
    if status.state == "queued":
        st.caption(plain(jobs_look.place_text(name, status.message)))
    elif status.state in ALIVE:
        words = [progress_text(replace(status, n_steps=0)), jobs_look.taken(row)]
        text = plain(" · ".join(word for word in words if word))
        st.progress(min(max(status.share, 0.0), 1.0), text=text)
    elif status.state == "failed" or entry.fault:
        st.caption(f":red[{plain(short(entry.fault or status.message))}]")
    elif status.state == "stopped" or entry.role == STUDY:
        st.caption(plain(short(status.message)))
    elif (known := line_of(entry)) is not None:
        st.caption(plain(score_text(known)), help=score_help(known))


def short(sentence: str, most: int = 90) -> str:
    """Cut a sentence that is too long for a line; the job itself shows all of it."""
    return sentence if len(sentence) <= most else f"{sentence[: most - 1].rstrip()}…"
