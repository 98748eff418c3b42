"""Who is next: first come first served, a quota a user, short jobs ahead, a GPU each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from thingsviz.queue.limits import Limits

# A short job counts as if it had come this much earlier: it passes long ones that have just come,
# but nobody waits for ever because of it.
HEAD_START_S = 600.0


class WaitingJob(NamedTuple):
    """A job in the line; `submitted` in seconds since 1970."""

    name: str
    owner: str
    submitted: float
    short: bool = False
    wants_gpu: bool = False


class RunningJob(NamedTuple):
    """A job under way; `gpu` is the name of the GPU it has to itself, empty for none."""

    name: str
    owner: str
    gpu: str = ""


class StartingJob(NamedTuple):
    """A job that may start now, and on which GPU."""

    name: str
    gpu: str = ""


def in_order(waiting: Iterable[WaitingJob]) -> list[WaitingJob]:
    """Return the line as it stands: the first is next."""
    return sorted(waiting, key=lambda w: (w.submitted - HEAD_START_S * w.short, w.name))


def choose(
    waiting: Iterable[WaitingJob], running: Iterable[RunningJob], limits: Limits
) -> list[StartingJob]:
    """Return the jobs that may start now.

    Those that want a GPU wait for one of their own where there are GPUs; all others share the
    `slots`. A user at the quota is passed over; nobody else is.
    """
    now = list(running)
    owners = Counter(job.owner for job in now)
    busy = {job.gpu for job in now if job.gpu}
    free_gpus = [gpu for gpu in limits.gpus if gpu not in busy]
    places = limits.slots - sum(not job.gpu for job in now)
    chosen: list[StartingJob] = []
    for job in in_order(waiting):
        if limits.quota is not None and owners[job.owner] >= limits.quota:
            continue
        on_gpu = job.wants_gpu and bool(limits.gpus)
        if not (free_gpus if on_gpu else places > 0):
            continue
        chosen.append(StartingJob(job.name, free_gpus.pop(0) if on_gpu else ""))
        places -= not on_gpu
        owners[job.owner] += 1
    return chosen
