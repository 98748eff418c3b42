"""What a fold of a cross-validation tells: its own status, and the progress of the whole job."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import NamedTuple

from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.run_folder import RunStatus
from thingsviz.queue.reporter import Reporter


class FoldPlace(NamedTuple):
    """Which fold of how many, from 1, and what it tests ('run 3')."""

    number: int
    n_folds: int
    name: str

    @property
    def label(self) -> str:
        """How the fold is called while it is trained."""
        named = "" if self.name == f"fold {self.number}" else f" ({self.name})"
        return f"fold {self.number} of {self.n_folds}{named}"


class Clock:
    """When this process began, and how many folds were done then."""

    def __init__(self, n_done: int) -> None:
        self.started, self.n_done = time.monotonic(), n_done

    def seconds_left(self, done: float, n_folds: int) -> float | None:
        """Return the time left over all folds, `done` of them, in parts too; None unknown."""
        here = done - self.n_done
        if here <= 0:
            return None
        elapsed = time.monotonic() - self.started
        return round(elapsed / here * max(0.0, n_folds - done), 1)


class FoldReporter(Reporter):
    """The reporter of one fold; it hears the wish to stop that the whole job hears."""

    def __init__(self, parent: Reporter, job: JobFolder, place: FoldPlace, clock: Clock) -> None:
        super().__init__(job)
        self.parent, self.place, self.clock = parent, place, clock

    def should_stop(self) -> bool:
        """Whether the whole job is asked to stop."""
        return self.parent.should_stop()

    def finish_fold(self) -> None:
        """Publish that everything of this fold is written."""
        n_steps = self.status.n_steps
        self.status = replace(self.status, step=n_steps, epoch=self.status.n_epochs)
        self.say("done", "done")

    def _log(self, words: str) -> None:
        self.parent._log(f"{self.place.label}: {words}")

    def _publish(self, status: RunStatus) -> None:
        super()._publish(status)
        n_folds, before = self.place.n_folds, self.place.number - 1
        whole = self.parent.status
        # a fold that has not begun its fit is as long as the one before it
        n_epochs = status.n_epochs or whole.n_epochs // n_folds
        n_steps = status.n_steps or whole.n_steps // n_folds
        done = before + status.share
        self.parent._publish(
            replace(
                whole,
                state="running",
                epoch=before * n_epochs + status.epoch,
                n_epochs=n_folds * n_epochs,
                step=before * n_steps + status.step,
                n_steps=n_folds * n_steps,
                eta_s=self.clock.seconds_left(done, n_folds),
                message=f"{self.place.label}: {status.message}",
            )
        )
