"""How many trainings run at a time on this machine: the others wait their turn as `queued`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thingsviz.core.errors import ConfigError
from thingsviz.jobs.clerk import Clerk
from thingsviz.jobs.store import jobs_root, try_lock

# A training uses all processors, so a second one beside it would only make both slow.
DEFAULT_SLOTS = 1
ASK_EVERY_S = 0.5


def n_slots() -> int:
    """Return THINGSVIZ_SLOTS, the number of trainings at a time; 1 unless told otherwise."""
    text = os.environ.get("THINGSVIZ_SLOTS") or str(DEFAULT_SLOTS)
    if not text.isdigit() or not 1 <= int(text) <= 1000:
        msg = f"THINGSVIZ_SLOTS is {text!r}: give the number of trainings that may run at a time"
        raise ConfigError(msg)
    return int(text)


@contextmanager
def slot(clerk: Clerk) -> Iterator[None]:
    """Wait for a free place and hold it; the kernel frees it if the process dies."""
    places = jobs_root() / ".slots"
    places.mkdir(parents=True, exist_ok=True)
    waiting = False
    while (handle := _free_place([places / str(number) for number in range(n_slots())])) is None:
        if not waiting:
            clerk.say("queued", f"waits for its turn: {n_slots()} at a time train here")
            waiting = True
        clerk.check()
        time.sleep(ASK_EVERY_S)
    try:
        yield
    finally:
        os.close(handle)


def _free_place(paths: list[Path]) -> int | None:
    for path in paths:
        handle = try_lock(path, patience_s=0)
        if handle is not None:
            return handle
    return None
