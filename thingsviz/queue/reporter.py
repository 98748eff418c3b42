"""What a running job or study tells and hears: status, metrics, and the wish to stop."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from types import FrameType
from typing import Any

from models.base.arrays import Floats, Rows, TrialMatrix
from thingsviz.core import files as core_files
from thingsviz.core import json_files, log
from thingsviz.jobs.about import read_about
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.run_folder import RunFolder, RunStatus
from thingsviz.queue.peers import Peers

STATUS_EVERY_S = 0.5


class StoppedError(Exception):
    """Somebody asked the job to stop; what is on the disk is enough to go on."""


class RunReporter:
    """The one writer of a status.json: what a running job or study tells, and hears."""

    def __init__(self, folder: RunFolder, peers: Peers | None = None) -> None:
        self.folder, self.peers = folder, peers or Peers()
        self.status = replace(folder.last_status(), state="running", started_at=time.time())
        self.signalled: int | None = None
        self._once = True
        self._written = float("-inf")

    def listen(self, *, once: bool = True) -> None:
        """Take SIGTERM, and the first Ctrl-C (`once`) or every one, as the wish to stop."""
        self._once = once
        signal.signal(signal.SIGTERM, self._hear)
        signal.signal(signal.SIGINT, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.signalled = number
        if self._once:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def should_stop(self) -> bool:
        """Whether a signal or the request file asks to stop; costs 2 µs."""
        return self.signalled is not None or self.folder.wants_stop()

    def check(self) -> None:
        """Leave the work at hand if the job should stop."""
        if self.should_stop():
            raise StoppedError

    def take_wish(self) -> str:
        """Consume the request to stop, and return the reason that it gives, if any."""
        path, words = self.folder.file("stop"), ""
        with suppress(OSError):
            words = path.read_text().strip()
        path.unlink(missing_ok=True)
        return words

    def say(self, state: str, message: str) -> None:
        """Publish a state at once, and note it in the log."""
        self._log(f"{state}: {message}")
        self._publish(replace(self.status, state=state, message=message, eta_s=None))

    def _publish(self, status: RunStatus) -> None:
        self.status = status
        self.folder.write_status(status)
        self._written = time.monotonic()

    def _log(self, words: str) -> None:
        """Add a line to the log: a person's, or with THINGSVIZ_LOG=json a machine's."""
        if log.is_json():
            log.event(words, job=self.folder.name, who=self._owner)
        else:
            print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)

    @cached_property
    def _owner(self) -> str:
        return read_about(self.folder).owner

    def announce(self, message: str) -> None:
        """Publish what a running job does now."""
        self.say("running", message)

    def finish(self, seconds: float) -> None:
        """Publish that everything is written."""
        n_steps = self.status.n_steps
        self.status = replace(self.status, step=n_steps) if n_steps else self.status
        self.folder.file("stop").unlink(missing_ok=True)
        self.say("done", f"done in {seconds:.0f} s")


class Reporter(RunReporter):
    """The one writer of a job's status.json and metrics.jsonl."""

    def __init__(self, job: JobFolder, peers: Peers | None = None) -> None:
        super().__init__(job, peers)
        self.job = job
        self._began: tuple[float, int] | None = None

    def expect(self, n_epochs: int, n_steps: int) -> None:
        """Take note of how long a training can become."""
        self.status = replace(self.status, n_epochs=n_epochs, n_steps=n_steps)

    def report(self, row: dict[str, Any]) -> None:
        """Add a row of metrics, and publish the progress that it means."""
        json_files.append_line(
            self.job.file("metrics.jsonl"), {**row, "time": round(time.time(), 3)}
        )
        now = time.monotonic()
        step = int(row["step"])
        if self._began is None:
            self._began = (now, step)
        self.status = replace(
            self.status,
            epoch=int(row["epoch"]),
            step=step,
            eta_s=self._seconds_left(now, step),
            message=f"epoch {row['epoch']} of {self.status.n_epochs}",
        )
        if row["kind"] == "epoch":
            self._log(_in_words(row))
        if row["kind"] == "epoch" or now - self._written > STATUS_EVERY_S:
            self._publish(self.status)

    def _seconds_left(self, now: float, step: int) -> float | None:
        began, first = self._began or (now, step)
        if step <= first:
            return None
        return round((now - began) / (step - first) * max(0, self.status.n_steps - step), 1)

    def keep_reports(self, n_rows: int) -> None:
        """Drop the metrics that were written after the checkpoint from which a job goes on."""
        path = self.job.file("metrics.jsonl")
        if not n_rows:
            self.status = replace(self.status, epoch=0, step=0)
        if not path.is_file():
            return
        lines = path.read_bytes().splitlines(keepends=True)
        kept = b"".join(line for line in lines[:n_rows] if line.endswith(b"\n"))
        core_files.write_atomically(path, lambda file: file.write(kept))


def _in_words(row: dict[str, Any]) -> str:
    names = ("train_loss", "validation_loss", "validation_r")
    numbers = ", ".join(f"{name} {row[name]:.4g}" for name in names if row.get(name) is not None)
    return f"epoch {row['epoch']}: {numbers}"


class Interruptible:
    """Responses that stop being read when the job should stop."""

    def __init__(self, inner: TrialMatrix, reporter: Reporter) -> None:
        self.inner, self.reporter = inner, reporter

    @property
    def shape(self) -> tuple[int, int]:
        """(n_trials, n_voxels)."""
        return self.inner.shape

    def batch(self, rows: Rows) -> Floats:
        """All voxels of some trials, (len(rows), n_voxels)."""
        self.reporter.check()
        return self.inner.batch(rows)

    def blocks(self, rows: Rows, width: int) -> Iterator[tuple[slice, Floats]]:
        """Walk over the voxels `width` at a time."""
        for item in self.inner.blocks(rows, width):
            self.reporter.check()
            yield item
