"""How long work shows itself to who waits: a line with the time left, and a progress file."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TextIO

from thingsviz.core.progress import Progress
from thingsviz.core.typography import duration
from thingsviz.queue.background_tasks import progress_file

EVERY_S = 0.5  # on a terminal
EVERY_LOG_S = 5.0  # in a log file, where each line stays


class ProgressBar:
    """A reporter (`core.progress.Report`) that prints `title 40 % · message · 12 s left`.

    `tells_left=False` for work whose steps are unequal, and whose messages tell it themselves.
    """

    def __init__(
        self,
        title: str,
        file: Path | None = None,
        out: TextIO | None = None,
        *,
        tells_left: bool = True,
    ) -> None:
        self.title, self.out, self._tells_left = title, out or sys.stderr, tells_left
        self._file = progress_file(file)
        self._live = self.out.isatty()
        self._started = self._printed = time.monotonic()

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Clear the line."""
        if self._live:
            self.out.write("\r\033[K")
            self.out.flush()

    def __call__(self, progress: Progress) -> None:
        """Take note of progress."""
        now = time.monotonic()
        left = seconds_left(progress, now - self._started) if self._tells_left else ""
        message = f"{progress.message} · {left}" if left else progress.message
        self._file(progress._replace(message=message))
        if now - self._printed < (EVERY_S if self._live else EVERY_LOG_S):
            return
        self._printed = now
        share = f"{100 * progress.done // max(progress.total, 1):3d} %"
        line = f"{self.title} {share} · {message}"
        self.out.write(f"\r\033[K{line}" if self._live else f"{line}\n")
        self.out.flush()


def seconds_left(progress: Progress, elapsed_s: float) -> str:
    """Say how long the rest takes if it goes on as before; empty where nothing can be said."""
    if not 0 < progress.done < progress.total or elapsed_s < 1:
        return ""
    return f"{duration(elapsed_s / progress.done * (progress.total - progress.done))} left"
