"""What the folders of jobs and of studies have in common: recipe, lock, ticket, status, log."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from thingsviz.core import json_files, log
from thingsviz.core.errors import JobError
from thingsviz.core.json_files import Count, Data, JsonFile, Number
from thingsviz.core.locks import held, is_locked
from thingsviz.jobs.recipe import JobConfig, parse_config

STATES = ("queued", "running", "stopping", "stopped", "done", "failed")
ALIVE = {"queued", "running", "stopping"}
# says that the job or study waits in the line (queue/ticket.py)
TICKET = "ticket.json"
SILENT = "the process ended without a word"


def _known(state: str) -> str:
    if state not in STATES:
        raise ValueError(f"one of {', '.join(STATES)}")
    return state


@dataclass(frozen=True)
class RunStatus:
    """Where a job or a study is; times are seconds since 1970.

    `eta_s` is None while nobody can know; `phase` is a study's: search, random or final.
    """

    state: Annotated[str, AfterValidator(_known)] = "stopped"
    epoch: Count = 0
    n_epochs: Count = 0
    step: Count = 0
    n_steps: Count = 0
    eta_s: Number | None = None
    message: str = ""
    started_at: Number | None = None
    updated_at: Number | None = None
    phase: str = ""

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        if self.state == "done":
            return 1.0
        return min(self.step / self.n_steps, 1.0) if self.n_steps else 0.0


@dataclass(frozen=True)
class Usage:
    """What a process took, as the supervisor measured it: megabytes, processor seconds."""

    peak_mb: Number = 0.0
    cpu_s: Number = 0.0
    wall_s: Number = 0.0


STATUS: JsonFile[RunStatus] = JsonFile("status", RunStatus)
USAGE: JsonFile[Usage] = JsonFile("usage", Usage)
MANIFEST: JsonFile[Data] = JsonFile("manifest")


@dataclass(frozen=True)
class RunFolder:
    """One job's or study's folder, read while its process is still writing."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's name, which is the address of the job or study."""
        return self.path.name

    def file(self, name: str) -> Path:
        """Return where a file of the folder is."""
        return self.path / name

    def recipe(self) -> JobConfig:
        """Return the recipe of a job, or the one that a study varies."""
        path = self.file("config.json")
        data = json_files.read_json(path)
        if data is None:
            raise JobError(f"{path} is missing: a job folder needs the recipe of its training")
        base = "base" in data
        return parse_config(data["base"] if base else data, f"{path}: base" if base else str(path))

    def is_waiting(self) -> bool:
        """Whether it waits in the line for its turn."""
        return self.file(TICKET).is_file()

    def is_alive(self) -> bool:
        """Whether it waits in the line, or a process holds its lock."""
        # In this order: a process takes the lock before it consumes the ticket.
        return self.is_waiting() or is_locked(self.file("lock"))

    def held(self, patience_s: float = 0.5) -> AbstractContextManager[int | None]:
        """Hold its lock inside the block: None while its process, or another, keeps it."""
        return held(self.file("lock"), patience_s)

    def ended_silently(self) -> bool:
        """Whether its process, which holds the lock no more, left a status of one that lives."""
        written = self.written_status()
        return written is not None and written.state in ALIVE and not self.is_waiting()

    def wants_stop(self) -> bool:
        """Whether somebody asked it to stop."""
        return self.file("stop").exists()

    def written_status(self) -> RunStatus | None:
        """Return its status as its process wrote it, which may be dead by now."""
        return STATUS.read(self.file("status.json"))

    def status(self) -> RunStatus:
        """Return where it is; what neither waits nor holds its lock cannot be alive."""
        status = self.written_status()
        if status is None:
            return RunStatus(message="not started yet")
        if status.state in ALIVE and not self.is_alive():
            # It may have ended well, or begun anew, between the two looks.
            if self.written_status() != status:
                return self.status()
            return replace(status, state="stopped", eta_s=None, message=SILENT)
        if status.state in ALIVE and self.wants_stop():
            return replace(status, state="stopping", message="will stop after this batch")
        return status

    def last_status(self) -> RunStatus:
        """Return where it was, so that a resumed one does not jump back on the page."""
        try:
            return replace(self.status(), eta_s=None)
        except JobError:
            return RunStatus()

    def write_status(self, status: RunStatus) -> None:
        """Publish where it is; only its own process and its launcher do that."""
        STATUS.write(self.file("status.json"), replace(status, updated_at=time.time()))

    def usage(self) -> Usage:
        """Return what its last process took, zeros where nobody measured it."""
        return USAGE.read(self.file("usage.json")) or Usage()

    def mark(self, state: str, message: str) -> None:
        """Say where it is in place of its process, which ended or has not begun."""
        self.write_status(replace(self.last_status(), state=state, message=message))

    def manifest(self) -> Data:
        """Return versions, seeds, fingerprints and dates; empty before the first start."""
        return MANIFEST.read(self.file("manifest.json")) or {}

    def log_tail(self, n: int = 40) -> str:
        """Return the last `n` lines that the process printed, JSON lines as text."""
        return log.tail(self.file("log.txt"), n)

    def last_line(self) -> str:
        """Return the last thing that the process printed."""
        lines = [line for line in self.log_tail(5).splitlines() if line.strip()]
        return lines[-1][:300] if lines else "its log is empty"
