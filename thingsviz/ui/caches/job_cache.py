"""Cached readers of job folders: scores by their file's state, metrics on from an offset."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pandas as pd
import streamlit as st

from thingsviz.figures.scores.scores import ScoreInfo, score_info
from thingsviz.figures.scores.scores import headline as headline_question
from thingsviz.jobs.folds import FoldScores
from thingsviz.jobs.folds import fold_scores as read_fold_scores
from thingsviz.jobs.job_folder import JobFolder, merge
from thingsviz.queue import submit
from thingsviz.ui.caches.dataset_cache import FileStamp, stamp


@dataclass
class MetricsTail:
    """The rows of a metrics.jsonl read so far, shared by all who watch the job."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    offset: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read_on(self, job: JobFolder) -> list[dict[str, Any]]:
        """Add what was written since; a file that was cut and written again starts over."""
        with self.lock:
            new, offset = job.metrics(self.offset)
            if offset < self.offset:
                self.rows = []
            if new:
                self.rows = merge(self.rows, new)
            self.offset = offset
            return self.rows


@st.cache_resource(max_entries=64, show_spinner=False)
def _tail(path: str) -> MetricsTail:
    return MetricsTail()


def metrics(job: JobFolder) -> list[dict[str, Any]]:
    """Return all rows of a job's metrics; only what is new since the last call is read."""
    return _tail(str(job.path)).read_on(job)


@st.cache_resource(ttl=30, max_entries=4, show_spinner=False)
def tend_the_line(root: str) -> None:
    """Bring a supervisor to jobs that wait for one; asked by any page, now and then."""
    with suppress(OSError):
        submit.tend_if_waiting()


def scores(job: JobFolder) -> pd.DataFrame | None:
    """Return a job's tidy scores, or None before its end."""
    return _scores(job, stamp(job.file("scores.json")))[0]


def fold_scores(job: JobFolder) -> FoldScores | None:
    """Return every fold's scores of a cross-validation; None of any other job."""
    return _folds(job, stamp(job.file("scores.json")))


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs={JobFolder: str})
def _folds(job: JobFolder, file: FileStamp) -> FoldScores | None:
    return read_fold_scores(job)


def could_not_show(job: JobFolder) -> list[str]:
    """Return the sentences on what a job's scores cannot show."""
    return _scores(job, stamp(job.file("scores.json")))[1]


@st.cache_resource(max_entries=256, show_spinner=False, hash_funcs={JobFolder: str})
def _scores(job: JobFolder, file: FileStamp) -> tuple[pd.DataFrame | None, list[str]]:
    return job.scores(), job.could_not_show()


def headline(job: JobFolder, model: str) -> tuple[ScoreInfo | None, tuple[str, ...]]:
    """Return the score that stands for a job, and what its scores cannot show, for a list.

    Only this is kept, not the table, so that thousands fit: a list of 20 reads nothing again.
    Measured: a file of 475 kB: 12 ms once.
    """
    return _headline(job, stamp(job.file("scores.json")), model)


@lru_cache(maxsize=10_000)
def _headline(
    job: JobFolder, file: FileStamp, model: str
) -> tuple[ScoreInfo | None, tuple[str, ...]]:
    # not Streamlit's cache: a server reads the newest before it has a visitor (server/startup.py)
    record = job.score_record() or {}
    rows = [row for row in record.get("rows", []) if _is_asked(row)]
    score = headline_of(pd.DataFrame(rows), model) if rows else None
    return score, tuple(record.get("could_not_show", []))


def _is_asked(row: dict[str, Any]) -> bool:
    """Whether a row may be the headline's or a reference of it: a tenth of a file is."""
    return row.get("part") == "test" and row.get("n_averaged") == "single"


def headline_of(scores: pd.DataFrame, model: str) -> ScoreInfo | None:
    """Return the score that stands for a job: mean r of single test trials, or Top-10."""
    return score_info(scores, model, headline_question(scores))
