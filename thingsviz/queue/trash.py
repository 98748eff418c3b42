"""Where deleted jobs go until somebody empties it, and what of old jobs only takes room."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from thingsviz.core import files as core_files
from thingsviz.core.errors import JobError
from thingsviz.core.files import disk_sentence
from thingsviz.jobs.job_folder import JobFolder, jobs_root
from thingsviz.jobs.weights import states
from thingsviz.queue.submit import WITHDRAWN, withdraw


class DeletedJob(NamedTuple):
    """A job in the bin: its name then, when it was deleted (seconds since 1970), its folder."""

    name: str
    deleted_at: float
    path: Path


class LeftoverState(NamedTuple):
    """Training states of a job that does not run: with them it goes on, without it begins anew."""

    name: str
    paths: tuple[Path, ...]
    n_bytes: int


def bin_folder() -> Path:
    """Return where deleted jobs are."""
    return jobs_root() / ".bin"


def delete(job: JobFolder) -> DeletedJob:
    """Move a job into the bin; one that runs is refused, one that waits leaves the line."""
    withdraw(job, WITHDRAWN)
    try:
        with job.held() as handle:
            if handle is None:
                msg = f"{job.name} runs: stop it before you delete it"
                raise JobError(msg)
            now = time.time()
            target = bin_folder() / f"{round(now * 1000)}-{job.name}"
            target.parent.mkdir(exist_ok=True)
            job.path.rename(target)
            core_files.fsync_folder(target.parent)
    except OSError as error:
        sentence = disk_sentence(error, job.path)
        raise JobError(sentence or f"{job.name} cannot be deleted: {error}") from None
    return DeletedJob(job.name, now, target)


def deleted() -> list[DeletedJob]:
    """Return what is in the bin, the last deleted first."""
    found = []
    for path in bin_folder().glob("[0-9]*-*"):
        stamp, _, name = path.name.partition("-")
        if stamp.isdigit() and name:
            found.append(DeletedJob(name, int(stamp) / 1000, path))
    return sorted(found, key=lambda one: -one.deleted_at)


def restore(one: DeletedJob) -> JobFolder:
    """Put a job back under its name, or under the next free one."""
    for number in range(1, 10_000):
        target = jobs_root() / (one.name if number == 1 else f"{one.name[:74]}-{number}")
        if target.exists():
            continue
        try:
            one.path.rename(target)
        except OSError as error:
            raise JobError(f"{one.name} cannot be put back: {error}") from None
        return JobFolder(target)
    msg = f"there are 9,999 jobs named {one.name!r}: delete some of them"
    raise JobError(msg)


def empty(found: Iterable[DeletedJob]) -> None:
    """Delete for good what is in the bin."""
    for one in found:
        if one.path.parent == bin_folder():
            shutil.rmtree(one.path, ignore_errors=True)


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder; links count as nothing."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                found = os.lstat(os.path.join(where, name))  # noqa: PTH118 (a third of the time)
            except OSError:
                continue
            total += found.st_blocks * 512
    return total


def leftovers(jobs: Iterable[JobFolder], before: float) -> list[LeftoverState]:
    """Return the training states of jobs that neither wait nor run and are older than a time."""
    found = []
    for job in jobs:
        paths = tuple(path for path in states(job) if _time(path) < before)
        if paths and not job.is_alive():
            found.append(LeftoverState(job.name, paths, sum(_size(path) for path in paths)))
    return found


def clean(found: Iterable[LeftoverState]) -> int:
    """Delete training states; returns the bytes freed. A job that goes on is left alone."""
    freed = 0
    for one in found:
        job = JobFolder(jobs_root() / one.name)
        with job.held() as handle:
            for path in one.paths if handle is not None and not job.is_waiting() else ():
                freed += _size(path)
                path.unlink(missing_ok=True)
    return freed


def _time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return float("inf")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
