"""What all job folders are, kept in memory: a refresh reads only the folders that have changed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from thingsviz.core.errors import ConfigError, JobError
from thingsviz.jobs.about import About, read_about
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import RECIPE, JobConfig
from thingsviz.jobs.run_folder import ALIVE, RunStatus

# A folder changed this short before it was read may have changed again within the same tick of
# the file system's clock, and is read once more.
RACY_NS = 2_000_000_000
# what a recipe means that does not say it
SUBJECT = JobConfig.model_fields["subject"].default
MODEL = {"name": JobConfig.model_fields["model"].default.name}


@dataclass(frozen=True)
class JobEntry:
    """One job as a list shows it; `fault` is the sentence for a folder that cannot be read."""

    name: str
    about: About
    status: RunStatus
    model: str = ""
    split: str = ""
    dataset: str = ""
    subject: str = ""
    role: str = ""
    changed: float = 0.0
    fault: str = ""

    @property
    def title(self) -> str:
        """What people call it."""
        return self.about.title or self.name

    def is_of(self, dataset: str, subject: str) -> bool:
        """Whether it was trained on a subject, by its dataset's folder name."""
        return (self.dataset, self.subject) == (dataset, subject)

    @cached_property
    def text(self) -> str:
        """All that a search looks through; put together once."""
        about = self.about
        words = (self.name, about.title, about.note, about.owner, *about.tags)
        return "\n".join((*words, self.model, self.split, self.dataset, self.subject)).casefold()


class _Known(NamedTuple):
    mtime_ns: int
    read_ns: int
    entry: JobEntry


class JobIndex:
    """All jobs of a root, or other folders that `read` describes.

    Every file of a job is replaced by renaming, which changes its folder's time: so one look at
    each folder says whether it has to be read. Only what waits or runs is read each time, as a
    process can die without changing anything. Measured: 5,000 folders: a first refresh takes about
    0.9 s, each later one 15 ms of processor time, nearly all of it the look at each folder.
    """

    def __init__(
        self, root: Path, read: Callable[[JobFolder, float], JobEntry] | None = None
    ) -> None:
        self.root = root
        self.n_read = 0
        self._describe = read or describe
        self._known: dict[str, _Known] = {}
        self._entries: list[JobEntry] = []
        self.by_name: dict[str, JobEntry] = {}
        self._lock = threading.Lock()

    def refresh(self) -> Sequence[JobEntry]:
        """Return all jobs, the last changed first; the very same list while nothing changes.

        `n_read` counts the folders read for it.
        """
        with self._lock:
            self.n_read, changed = 0, False
            known: dict[str, _Known] = {}
            for name, mtime_ns in self._folders():
                found = self._known.get(name)
                if found is None or self._is_old(found, mtime_ns):
                    before, found = found, self._read(name, mtime_ns)
                    changed |= before is None or before.entry != found.entry
                known[name] = found
            changed |= len(known) != len(self._known)
            self._known = known
            if changed:
                entries = [one.entry for one in known.values() if one.entry.changed]
                self._entries = sorted(entries, key=lambda entry: (-entry.changed, entry.name))
                self.by_name = {entry.name: entry for entry in self._entries}
            return self._entries

    def _folders(self) -> list[tuple[str, int]]:
        try:
            with os.scandir(self.root) as found:
                return [
                    (entry.name, entry.stat(follow_symlinks=False).st_mtime_ns)
                    for entry in found
                    if entry.name[0] != "." and entry.is_dir(follow_symlinks=False)
                ]
        except FileNotFoundError:
            return []

    @staticmethod
    def _is_old(known: _Known, mtime_ns: int) -> bool:
        racy = known.read_ns - mtime_ns < RACY_NS
        return known.mtime_ns != mtime_ns or racy or known.entry.status.state in ALIVE

    def _read(self, name: str, mtime_ns: int) -> _Known:
        self.n_read += 1
        read_ns = time.time_ns()
        entry = self._describe(JobFolder(self.root / name), mtime_ns / 1e9)
        entry.text  # noqa: B018  put together now: 5,000 at the first search would take 40 ms
        return _Known(mtime_ns, read_ns, entry)


def describe(job: JobFolder, changed: float) -> JobEntry:
    """Read what a list needs of one job: its recipe as plain JSON, state, and what people say."""
    about = read_about(job)
    try:
        data = RECIPE.read(job.file("config.json"))
        status = job.status()
    except (ConfigError, JobError) as error:
        fault = str(error).replace(f"{job.path.parent}/", "")
        return JobEntry(job.name, about, RunStatus("failed"), changed=changed, fault=fault)
    if data is None:
        # Not a job's folder, or one that is just being made.
        return JobEntry(job.name, about, status)
    if "dataset" in data:  # without one it is no recipe at all
        data = {"model": MODEL, **data}
    model, split = _part(data, "model"), _part(data, "split")
    return JobEntry(
        job.name,
        about,
        status,
        model=str(model.get("name", "")),
        split=str(split.get("kind", "")),
        dataset=Path(str(data.get("dataset", ""))).name,
        subject=str(data.get("subject", SUBJECT)),
        role=str(data.get("role", "")),
        changed=changed,
    )


def _part(data: dict[str, Any], name: str) -> dict[str, Any]:
    found = data.get(name)
    return found if isinstance(found, dict) else {}
