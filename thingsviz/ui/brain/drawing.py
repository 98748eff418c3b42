"""The drawing processes beside the app: started when asked, killed when late, replaced if dead."""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

import streamlit as st

from thingsviz.figures.brain.draw_orders import (
    DrawingError,
    DrawJob,
    DrawReply,
    pack_job,
    receive,
    send,
    unpack_reply,
)

ROOT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-m", "thingsviz.figures.brain.draw_worker")
# a drawing takes about half a second; the first one of a process starts Python and VTK too
LIMIT_S = 30.0
WAIT_S = 20.0


class DrawingProcess:
    """One drawing process and the pipe to it; serves one caller at a time."""

    def __init__(self, command: tuple[str, ...] = COMMAND, limit_s: float = LIMIT_S) -> None:
        self.command, self.limit_s = command, limit_s
        self._process: subprocess.Popen[bytes] | None = None

    def draw(self, job: DrawJob) -> DrawReply:
        """Return what the process drew; a late or dead one becomes an error of one sentence.

        A process that went away since the last order (idle, or out of memory) is started again
        once; one that goes away while it draws is not: it would do so again.
        """
        message = pack_job(job)
        reused = self._process is not None
        reply = self._ask(message)
        if reply is None and reused:
            self.stop()
            reply = self._ask(message)
        if reply is None:
            msg = f"The drawing process ended while it drew ({self.stop()}): does OpenGL work?"
            raise DrawingError(msg)
        return reply

    def start(self) -> None:
        """Start the process now if there is none: it is ready sooner when an order comes."""
        self._process = self._process or self._start()

    def stop(self) -> str:
        """End the process, if there is one; return how it ended."""
        process, self._process = self._process, None
        if process is None:
            return ""
        process.kill()
        code = process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                _close(pipe)
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def _start(self) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p)
        return subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C in the terminal is for the app, which closes the pipe
        )

    def _ask(self, message: bytes) -> DrawReply | None:
        """Return the reply, None when the process is gone; kill it and say so when it is late."""
        self.start()
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return None
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self.limit_s, end)
        timer.start()
        try:
            send(process.stdin, message)
            found = receive(process.stdout)
        except OSError:  # the pipe broke
            found = None
        finally:
            timer.cancel()
        if late.is_set():
            self.stop()
            msg = f"The picture was not drawn within {self.limit_s:g} s: try a higher threshold."
            raise DrawingError(msg)
        return None if found is None else unpack_reply(found)


class DrawingPool:
    """As many drawing processes as half the cores: more would only take turns."""

    def __init__(self, size: int | None = None, command: tuple[str, ...] = COMMAND) -> None:
        size = size or max(1, min(4, (os.cpu_count() or 2) // 2))
        self._all = [DrawingProcess(command) for _ in range(size)]
        self._free: queue.LifoQueue[DrawingProcess] = queue.LifoQueue()
        for one in self._all:
            self._free.put(one)
        atexit.register(self.close)

    def draw(self, job: DrawJob) -> DrawReply:
        """Draw with the next free process; its error is raised as the sentence it said."""
        try:
            one = self._free.get(timeout=WAIT_S)
        except queue.Empty:
            msg = f"Others' pictures were in the way for {WAIT_S:g} s: try again in a moment."
            raise DrawingError(msg) from None
        try:
            reply = one.draw(job)
        finally:
            self._free.put(one)
        if reply.error:
            raise DrawingError(reply.error)
        return reply

    def warm(self) -> None:
        """Have the next process start while the caller still has other things to do."""
        with contextlib.suppress(queue.Empty):
            one = self._free.get_nowait()
            one.start()
            self._free.put(one)

    def close(self) -> None:
        """End all processes."""
        for one in self._all:
            one.stop()


@st.cache_resource(show_spinner=False)
def drawing_pool() -> DrawingPool:
    """Return the app's drawing processes; all visitors share them."""
    return DrawingPool()


def _close(pipe: IO[bytes]) -> None:
    with contextlib.suppress(OSError):
        pipe.close()
