"""The index of job folders that all sessions share, and the jobs of one subject taken from it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from thingsviz.jobs.index import JobEntry, JobIndex
from thingsviz.jobs.job_folder import JobFolder, jobs_root


@lru_cache(maxsize=4)
def index(root: str) -> JobIndex:
    """Return the one index of a root.

    Not Streamlit's cache: a server reads the folders before it has a visitor (server/startup.py).
    """
    return JobIndex(Path(root))


def all_jobs() -> Sequence[JobEntry]:
    """Return all jobs; every session shares one index, which reads only what is new."""
    return index(str(jobs_root())).refresh()


def entries_of(jobs: Sequence[JobFolder]) -> list[JobEntry]:
    """Return what the index knows of `jobs`, in their order; one that is gone is left out.

    No recipe is read for it. Measured: 5,000 jobs: 20 ms; their recipes take 13 s of processor
    time.
    """
    all_jobs()
    known = index(str(jobs_root())).by_name
    return [known[name] for name in (job.name for job in jobs) if name in known]


def of_data(jobs: Sequence[JobFolder], dataset: str, subject: str) -> list[JobEntry]:
    """Return those of `jobs` that were trained on a subject, by its dataset's folder name."""
    return [one for one in entries_of(jobs) if one.is_of(dataset, subject)]


def unreadable(entry: JobEntry) -> bool:
    """Whether a folder has a fault, or its recipe names no model or no data.

    A recipe that only breaks a rule is found when it is looked at.
    """
    return bool(entry.fault) or not (entry.model and entry.dataset)
