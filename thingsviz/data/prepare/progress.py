"""How far a build is and how long it will take, counted in bytes read."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from thingsviz.core.progress import Progress, Report
from thingsviz.core.typography import duration
from thingsviz.data.prepare.pieces import Piece

MEGABYTE = 1 << 20


class ByteProgress:
    """Counts bytes over all pieces; `tick` may be called from any thread, `report` from one."""

    def __init__(
        self,
        pieces: Sequence[Piece],
        todo: Sequence[Piece],
        on_progress: Report,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total = sum(piece.n_bytes for piece in pieces)
        self._before = self._total - sum(piece.n_bytes for piece in todo)
        self._sizes = {piece.key: piece.n_bytes for piece in todo}
        self._read = dict.fromkeys(self._sizes, 0)
        self._report, self._clock, self._start = on_progress, clock, clock()

    def tick(self, key: str, n_read: int) -> None:
        """Note how many bytes of a piece have been read."""
        self._read[key] = min(n_read, self._sizes[key])

    def report(self) -> None:
        """Report megabytes done, pieces done and the time left."""
        now = sum(self._read.values())
        done = sum(self._read[key] >= size for key, size in self._sizes.items())
        left = ""
        seconds = self._clock() - self._start
        if now and seconds > 1:
            rest = self._total - self._before - now
            left = f", {duration(seconds * rest / now)} left"
        message = f"{done} of {len(self._sizes)} runs read{left}"
        total = max(1, self._total // MEGABYTE)
        self._report(Progress(min(total, (self._before + now) // MEGABYTE), total, message))
