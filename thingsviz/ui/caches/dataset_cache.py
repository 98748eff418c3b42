"""Every cached loader: keyed on (path, mtime, size) of the file behind it, never on arrays.

Streamlit hashes large arrays by sampling, so that an edit of one voxel gives the same key.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import streamlit as st
from PIL import Image

from thingsviz.core.errors import ThingsvizError
from thingsviz.data.store.beta_store import BetaStore, StoreState, store_state
from thingsviz.data.store.manifest import NAME as MANIFEST
from thingsviz.data.things.layout import Dataset, datasets_root, find_datasets
from thingsviz.jobs.job_folder import JobFolder, jobs_root, list_jobs
from thingsviz.studies.study_folder import without_candidates
from thingsviz.ui.caches import job_index

# seconds for which a look into folders is believed; steps from trial to trial come faster
FOLDER_TTL = 5


class FileStamp(NamedTuple):
    """One state of a file: a new state, a new key."""

    path: str
    mtime_ns: int
    size: int


def stamp(path: Path) -> FileStamp:
    """Return the present state of a file; zeros when there is none."""
    try:
        found = path.stat()
    except OSError:
        return FileStamp(str(path), 0, 0)
    return FileStamp(str(path), found.st_mtime_ns, found.st_size)


class DatasetEntry(NamedTuple):
    """A dataset, what its description says, whether any subject has a store; or what is wrong."""

    dataset: Dataset
    simulated: bool = False
    subjects: tuple[str, ...] = ()
    prepared: bool = False
    fault: str = ""


@st.cache_data(ttl=FOLDER_TTL, show_spinner=False)
def datasets() -> list[DatasetEntry]:
    """Return the datasets in the root; one that cannot be read does not hide the others."""
    return [_known(dataset) for dataset in find_datasets()]


def _known(dataset: Dataset) -> DatasetEntry:
    try:
        subjects = tuple(dataset.subjects())
        prepared = any((dataset.store_dir(s) / MANIFEST).is_file() for s in subjects)
        return DatasetEntry(dataset, dataset.simulated, subjects, prepared)
    except ThingsvizError as error:
        return DatasetEntry(dataset, fault=str(error))


def store(dataset: Dataset, subject: str) -> BetaStore:
    """Return the open store of a subject; all visitors share it (it is a read-only memory map)."""
    manifest = stamp(dataset.store_dir(subject) / MANIFEST)
    return _store(dataset, subject, manifest)


@st.cache_resource(max_entries=8, show_spinner="Opening the subject …", hash_funcs={Dataset: str})
def _store(dataset: Dataset, subject: str, manifest: FileStamp) -> BetaStore:
    return BetaStore.open(dataset, subject)


@st.cache_data(ttl=FOLDER_TTL, show_spinner=False, hash_funcs={Dataset: str})
def state_of(dataset: Dataset, subject: str) -> StoreState:
    """Return the state of a subject's store: missing, raw, preparing, ready, stale or broken."""
    return store_state(dataset, subject)


@st.cache_resource(ttl=2, show_spinner=False)
def jobs() -> list[JobFolder]:
    """Return all job folders, the newest first; a study's candidates stand with their study.

    All visitors share the list and change nothing in it: a copy of 5,000 takes 20 ms.
    """
    return without_candidates(list_jobs())


@st.cache_resource(ttl=2, show_spinner=False)
def datasets_of_jobs() -> list[DatasetEntry]:
    """Return data that jobs were trained on and that are not here, as far as jobs know them.

    Such jobs were brought from another machine, or their data were moved away.
    """
    here = {known.dataset.name: set(known.subjects) for known in datasets()}
    missing: dict[str, set[str]] = {}
    simulated: set[str] = set()
    for one in job_index.entries_of(jobs()):
        name, subject = one.dataset, one.subject
        if name in {"", ".."} or not subject or subject in here.get(name, set()):
            continue
        job = JobFolder(jobs_root() / one.name)
        missing.setdefault(name, set()).add(subject)
        if _simulated(job, stamp(job.file("manifest.json"))):
            simulated.add(name)
    root = datasets_root()
    return [
        DatasetEntry(Dataset(root / name), name in simulated, tuple(sorted(subjects)))
        for name, subjects in sorted(missing.items())
    ]


@st.cache_data(max_entries=500, show_spinner=False, hash_funcs={JobFolder: str})
def _simulated(job: JobFolder, manifest: FileStamp) -> bool:
    try:
        return bool(job.manifest().get("simulated"))
    except ThingsvizError:
        return False


def predictions(job: JobFolder) -> pd.DataFrame | None:
    """Return a job's predictions, or None before its end."""
    return _predictions(job, stamp(job.file("predictions.parquet")))


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs={JobFolder: str})
def _predictions(job: JobFolder, file: FileStamp) -> pd.DataFrame | None:
    return job.predictions()


def forget_folders() -> None:
    """Look again into the folders now: after something there was made or changed from a page."""
    datasets.clear()
    state_of.clear()
    jobs.clear()
    datasets_of_jobs.clear()


def job_subject(job: JobFolder) -> tuple[str, str] | None:
    """Return (dataset, subject) of a job, or None when its recipe cannot be read."""
    return _job_subject(job, stamp(job.file("config.json")))


@st.cache_data(max_entries=500, show_spinner=False, hash_funcs={JobFolder: str})
def _job_subject(job: JobFolder, config: FileStamp) -> tuple[str, str] | None:
    try:
        recipe = job.config()
    except ThingsvizError:
        return None
    return recipe.dataset, recipe.subject


def picture(path: Path) -> str:
    """Return a picture as a data address.

    Streamlit drops the picture of a trial as soon as the next one is shown; a browser that steps
    quickly would then ask for a file that is gone, and get a 404.
    """
    return _picture(path, stamp(path))


@st.cache_data(max_entries=200, show_spinner=False)
def _picture(path: Path, file: FileStamp) -> str:
    with Image.open(path) as image:
        kind = Image.MIME.get(str(image.format), "image/jpeg")
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
