"""Cached readers of studies: the open records, their rows, and which studies a subject has."""

from __future__ import annotations

import threading
from pathlib import Path

import streamlit as st

from thingsviz.core.errors import ThingsvizError
from thingsviz.studies.config import StudyConfig
from thingsviz.studies.rows import CandidateRow, Reader
from thingsviz.studies.study_folder import StudyFolder, list_studies
from thingsviz.ui.caches.dataset_cache import FileStamp, stamp
from thingsviz.ui.shell.frame import PageContext


class SharedRecords:
    """One study's open records, shared by all who watch it; Optuna reads on what is new."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.lock = reader, threading.Lock()
        self.importances: tuple[int, dict[str, float]] = (0, {})


@st.cache_resource(max_entries=16, show_spinner=False)
def _shared(path: str, config: FileStamp, begun: bool) -> SharedRecords:
    folder = StudyFolder(Path(path))
    return SharedRecords(Reader(folder, folder.config()))


def shared(folder: StudyFolder) -> SharedRecords:
    """Return the open records of a study."""
    stamped = stamp(folder.file("config.json"))
    return _shared(str(folder.path), stamped, folder.database.exists())


def rows(folder: StudyFolder, phase: str) -> list[CandidateRow]:
    """Return the candidates of a search."""
    known = shared(folder)
    with known.lock:
        return known.reader.rows(phase)


def importances(folder: StudyFolder) -> dict[str, float]:
    """Return which settings matter; computed anew only when a candidate has finished."""
    known = shared(folder)
    with known.lock:
        done = sum(row.state == "done" for row in known.reader.rows())
        if known.importances[0] != done:
            known.importances = (done, known.reader.importances())
        return known.importances[1]


def studies_of(page: PageContext) -> list[tuple[StudyFolder, StudyConfig]]:
    """Return the studies of the subject shown, the newest first."""
    found = []
    for folder in list_studies():
        try:
            config = folder.config()
        except ThingsvizError:
            continue
        if _whose(config) == (page.dataset.name, page.subject):
            found.append((folder, config))
    return found


def _whose(config: StudyConfig) -> tuple[str, str]:
    return Path(config.base.dataset).name, config.base.subject
