"""Locks on files by which one of several processes wins; a lock goes away with its holder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# where a launcher says under which number it hands an open lock to the process that it starts
LOCK_HANDLE = "THINGSVIZ_LOCK_HANDLE"
ASK_EVERY_S = 0.01


def take(handle: int) -> bool:
    """Lock what is open as `handle`, a file or a folder; False while another process has it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def try_lock(path: Path, patience_s: float = 0.5) -> int | None:
    """Take a lock and return its open handle, or None when another process keeps it.

    Somebody who only asks (`is_locked`) holds it for microseconds: hence the patience.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    end = time.monotonic() + patience_s
    while not take(handle):
        if time.monotonic() > end:
            os.close(handle)
            return None
        time.sleep(ASK_EVERY_S)
    return handle


@contextmanager
def held(path: Path, patience_s: float = 0.5) -> Iterator[int | None]:
    """Hold a lock inside the block; its open handle, or None while another process keeps it."""
    handle = try_lock(path, patience_s)
    try:
        yield handle
    finally:
        if handle is not None:
            os.close(handle)


def given_lock(path: Path) -> int | None:
    """Return the open lock that whoever started this process took and handed over, if one did."""
    given = os.environ.pop(LOCK_HANDLE, "")
    with suppress(OSError):
        if given.isdigit() and os.path.samestat(os.fstat(int(given)), path.stat()):
            os.set_inheritable(int(given), False)
            return int(given)
    return None


@contextmanager
def wait_for_lock(
    path: Path, meanwhile: Callable[[], None] = lambda: None, every_s: float = ASK_EVERY_S
) -> Iterator[None]:
    """Hold a lock inside the block; `meanwhile` is called at each look that finds it taken.

    flock's own wait would not let `meanwhile` hear of a wish to stop.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while not take(handle):
            meanwhile()
            time.sleep(every_s)
        yield
    finally:
        os.close(handle)


@contextmanager
def passing_lock(path: Path) -> Iterator[bool]:
    """Hold the lock inside the block, True, or get False at once if another process holds it.

    The file is removed on leaving; whoever opened it before sees that its name is gone and
    takes a new one, so two never hold the same name.
    """
    descriptor = _acquire(path)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            path.unlink(missing_ok=True)
            os.close(descriptor)


def _acquire(path: Path) -> int | None:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if not take(descriptor):
            os.close(descriptor)
            return None
        if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether another process holds the lock now."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
