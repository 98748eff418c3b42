"""Start what waits in the queue of a jobs folder, and watch what runs; one a folder.

It holds JOBS/.queue/lock, and may be killed at any moment: tickets, locks and states lie in the
job folders, so the next one (whoever looks at a waiting job starts it) knows all it needs.
Processes of jobs are in sessions of their own and go on without it. Idle, it ends.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from thingsviz.commands.cli import run_command
from thingsviz.core import log
from thingsviz.core.locks import given_lock, try_lock
from thingsviz.pipeline import out_of_memory
from thingsviz.queue.database import FOLDER, Queue, recover
from thingsviz.queue.dispatcher import Dispatcher
from thingsviz.queue.limits import read_limits

TICK_S = 1.0
RECOVER_EVERY_S = 30.0
IDLE_S = 10.0


def run(options: argparse.Namespace) -> int:
    """Run until nothing is left to do; 0 also when another one is there already."""
    os.environ["THINGSVIZ_JOBS"] = str(options.jobs.absolute())
    folder = options.jobs.absolute() / FOLDER
    log.begin("supervisor")
    folder.mkdir(parents=True, exist_ok=True)
    while (handle := given_lock(folder / "lock") or try_lock(folder / "lock", 0)) is not None:
        try:
            left = Supervisor(folder, options.idle).run()
        finally:
            os.close(handle)
        if left or not _waits(folder):
            break
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("jobs", type=Path, metavar="JOBS", help="folder of the job folders")
    parser.add_argument("--idle", type=float, default=IDLE_S, help="seconds until it ends, idle")


def _waits(folder: Path) -> bool:
    """Whether somebody came between the last look and the freeing of the lock."""
    queue = Queue(folder)
    try:
        return bool(queue.rows())
    finally:
        queue.close()


class Supervisor:
    """The loop: recover, look after the running, start the waiting, sleep."""

    def __init__(self, folder: Path, idle_s: float) -> None:
        self.folder, self.idle_s = folder, idle_s
        self.queue = Queue(folder)
        self.dispatcher = Dispatcher(self.queue, read_limits(), out_of_memory.advice)
        self.pipe = _pipe(folder / "wake")
        self.asked_to_go = False
        signal.signal(signal.SIGTERM, self._go)

    def _go(self, number: int, frame: object) -> None:
        self.asked_to_go = True

    def run(self) -> bool:
        """Work until idle; True when a signal has asked it to go."""
        log.event("the supervisor begins", jobs=self.folder.parent)
        busy_at = time.monotonic()
        recovered_at = float("-inf")
        while not self.asked_to_go and time.monotonic() - busy_at < self.idle_s:
            try:
                if time.monotonic() - recovered_at > RECOVER_EVERY_S:
                    recover(self.queue)
                    recovered_at = time.monotonic()
                self.dispatcher.look()
            except Exception:  # a full disk, a folder taken away: the others still need it
                log.failure("a look at the line failed; the next one comes in a second")
            rows = self.queue.rows()
            if rows:
                busy_at = time.monotonic()
            self._sleep(row.pid for row in rows if row.state == "running" and row.pid)
        self.queue.close()
        if self.pipe is not None:
            os.close(self.pipe)
        log.event("the supervisor goes: " + ("a signal" if self.asked_to_go else "no work left"))
        return self.asked_to_go

    def _sleep(self, pids: Iterable[int]) -> None:
        """Wait for a call, the end of a process, or a second."""
        handles = [] if self.pipe is None else [self.pipe]
        watched = [handle for pid in pids if (handle := _watch(pid)) is not None]
        try:
            ready, _, _ = select.select([*handles, *watched], [], [], TICK_S)
            if self.pipe in ready and self.pipe is not None:
                with suppress(BlockingIOError):
                    os.read(self.pipe, 4096)
        finally:
            for handle in watched:
                os.close(handle)


def _pipe(path: Path) -> int | None:
    """Open the pipe through which others wake this process; None where there are no pipes."""
    try:
        if not path.is_fifo():
            path.unlink(missing_ok=True)
            os.mkfifo(path)
        return os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return None


def _watch(pid: int) -> int | None:
    """Open a handle that becomes readable when a process ends, whoever started it."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


main = partial(run_command, "supervisor")

if __name__ == "__main__":
    sys.exit(main())
