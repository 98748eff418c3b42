"""What the Jobs page knows: all jobs from the index, the line and its usage, and the filter."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from thingsviz.jobs.engine.queue import DATABASE, Queue, Row, queue_folder
from thingsviz.jobs.folder.index import Entry, JobIndex
from thingsviz.jobs.folder.store import ALIVE, STATES, jobs_root

EVERYBODY = "everybody"


class Wish(NamedTuple):
    """What the visitor wants to see; no states means all of them."""

    text: str = ""
    states: tuple[str, ...] = ()
    owner: str = EVERYBODY
    candidates: bool = False


def all_jobs() -> list[Entry]:
    """Return all jobs; every session shares one index, which reads only what is new."""
    return _index(str(jobs_root())).refresh()


@lru_cache(maxsize=4)
def _index(root: str) -> JobIndex:
    # not Streamlit's cache: a server reads the folders before it has a visitor (server/warm.py)
    return JobIndex(Path(root))


@st.cache_data(ttl=1, show_spinner=False)
def line(root: str) -> dict[str, Row]:
    """Return what waits and runs on this machine, the waiting in their order."""
    if not (queue_folder() / DATABASE).is_file():
        return {}
    with closing(Queue(queue_folder())) as queue:
        rows = {row.name: row for row in queue.rows()}
        order = [*queue.line(), *(name for name, row in rows.items() if row.state == "running")]
        return {name: rows[name] for name in order if name in rows}


def place_text(name: str, otherwise: str) -> str:
    """Say on which place of the line a job waits, by its name there."""
    waiting = [one for one, row in line(str(jobs_root())).items() if row.state == "waiting"]
    if name not in waiting:
        return otherwise
    place = waiting.index(name) + 1
    when = "starts as soon as there is room" if place == 1 else "waits for those before it"
    return f"number {place} in the line, {when}"


def chosen(entries: Sequence[Entry], wish: Wish) -> list[Entry]:
    """Return the jobs that fit: alive ones first, else the last changed first."""
    words = wish.text.casefold().split()
    found = [
        entry
        for entry in entries
        if (not wish.states or entry.status.state in wish.states)
        and wish.owner in {EVERYBODY, entry.about.owner}
        and (wish.candidates or entry.role != "candidate")
        and (not words or all(word in entry.text() for word in words))
    ]
    return sorted(found, key=lambda entry: entry.status.state not in ALIVE)


def counts(entries: Sequence[Entry]) -> dict[str, int]:
    """Return how many jobs are in each state that any is in."""
    found = Counter(entry.status.state for entry in entries)
    return {state: found[state] for state in STATES if found[state]}


def ran_for(entry: Entry) -> float | None:
    """Return the seconds of a job's last run, None before its first."""
    status = entry.status
    if status.started_at is None:
        return None
    end = time.time() if status.state in ALIVE else (status.updated_at or status.started_at)
    return max(end - status.started_at, 0.0)


def taken(row: Row | None) -> str:
    """Write what a running job takes of the machine now."""
    if row is None or row.state != "running" or not row.memory_mb:
        return ""
    gpu = f" · GPU {row.gpu}" if row.gpu else ""
    return f"{megabytes(row.memory_mb)} · {row.cpu:.1f} CPU{gpu}"


def megabytes(n: float) -> str:
    """Write megabytes: 12 MB, 3.4 GB."""
    return f"{n:,.0f} MB" if n < 1000 else f"{n / 1000:,.1f} GB"
