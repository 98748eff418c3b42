"""Studies among the rows of the Jobs page: one row each, its candidates folded into progress."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from thingsviz.core.errors import ThingsvizError
from thingsviz.jobs.engine.queue import STUDIES
from thingsviz.jobs.folder.about import read_about
from thingsviz.jobs.folder.index import Entry
from thingsviz.jobs.folder.store import JobFolder, JobStatus
from thingsviz.jobs.studies.config import StudyConfig
from thingsviz.jobs.studies.folder import CANDIDATE, StudyFolder, list_studies
from thingsviz.ui.cache import Stamp, stamp
from thingsviz.ui.frame import page_path, plain

STUDY = "study"
OPEN_HELP = "Opens the study on Tune: its candidates, and the buttons to stop or resume it."


def with_studies(entries: Sequence[Entry]) -> list[Entry]:
    """Put the studies among the jobs, the last changed first."""
    ended = Counter(match[1] for entry in entries if (match := _ended(entry)))
    found = [study_entry(folder, ended[folder.name]) for folder in list_studies()]
    return sorted([*entries, *found], key=lambda entry: (-entry.changed, entry.name))


def _ended(entry: Entry) -> re.Match[str] | None:
    """Match the name of a candidate that came to its end; one that was cut short goes on."""
    status = entry.status
    over = status.state in {"done", "failed"} or status.message.startswith("pruned")
    return CANDIDATE.fullmatch(entry.name) if over and entry.role == "candidate" else None


def study_entry(folder: StudyFolder, n_ended: int) -> Entry:
    """Return a study as a row: its steps are candidates."""
    about = read_about(JobFolder(folder.path))
    changed = folder.path.stat().st_mtime
    try:
        status, config = (
            folder.status(),
            _config(str(folder.path), stamp(folder.file("config.json"))),
        )
    except ThingsvizError as error:
        failed = JobStatus("failed")
        return Entry(folder.name, about, failed, role=STUDY, changed=changed, fault=str(error))
    total = config.n_candidates * (2 if "random" in config.controls else 1)
    words = f"{min(n_ended, total)} of {total} candidates"
    return Entry(
        folder.name,
        about,
        JobStatus(
            status.state,
            step=min(n_ended, total),
            n_steps=total,
            message=f"{words} · {status.message}" if status.message else words,
            started_at=status.started_at,
            updated_at=status.updated_at,
        ),
        model=config.base.model.name,
        split=config.base.split.kind,
        dataset=Path(config.base.dataset).name,
        subject=config.base.subject,
        role=STUDY,
        changed=changed,
    )


@st.cache_data(max_entries=512, show_spinner=False)
def _config(path: str, recipe: Stamp) -> StudyConfig:
    return StudyFolder(Path(path)).config()


def name_in_line(entry: Entry) -> str:
    """Return what a row's job or study is called in the line."""
    return f"{STUDIES}/{entry.name}" if entry.role == STUDY else entry.name


def link_to_study(entry: Entry) -> None:
    """Show a study's title, which leads to it on Tune."""
    address = {"dataset": entry.dataset, "subject": entry.subject, "study": entry.name}
    st.page_link(
        page_path("tune.py"),
        label=plain(entry.title),
        help=OPEN_HELP,
        query_params={key: value for key, value in address.items() if value},
        width="content",
    )
