"""Handing jobs to SLURM."""

from __future__ import annotations

from thingsviz.jobs.queue import Queue, Row


class Slurm:
    """Nothing yet."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue

    def look(self, rows: list[Row]) -> None:
        """Nothing yet."""
