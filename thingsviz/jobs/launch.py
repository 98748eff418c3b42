"""How a training becomes a process of its own that outlives the app that started it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import thingsviz
from thingsviz.core.errors import JobError
from thingsviz.jobs import files
from thingsviz.jobs.store import JobFolder, JobStatus, try_lock

LOCK_HANDLE = "THINGSVIZ_LOCK_HANDLE"
NICENESS = 5


def start(job: JobFolder) -> None:
    """Start or resume a job, or do nothing when it runs; returns at once.

    The lock is taken here and handed to the process, so that a job is alive from this moment on
    and a second click cannot start it twice.
    """
    job.config()
    try:
        handle = try_lock(job.file("lock"))
        if handle is None:
            return
        try:
            job.file("stop").unlink(missing_ok=True)
            job.write_status(replace(last_status(job), state="queued", message="starting"))
            command = [sys.executable, "-m", "thingsviz.jobs.train", str(job.path)]
            spawn(command, job.file("log.txt"), handle, {LOCK_HANDLE: str(handle)})
        finally:
            os.close(handle)
    except OSError as error:
        sentence = files.disk_sentence(error, job.path)
        raise JobError(sentence or f"{job.path} cannot be started: {error}") from None


def last_status(job: JobFolder) -> JobStatus:
    """Return where the job was, so that a resumed one does not jump back on the page."""
    try:
        return replace(job.status(), eta_s=None)
    except JobError:
        return JobStatus()


def stop(job: JobFolder) -> None:
    """Ask a running job to write a checkpoint and end; it does so after the batch it is in."""
    if is_alive(job):
        job.file("stop").touch()


def is_alive(job: JobFolder) -> bool:
    """Whether the job's process lives: the kernel frees its lock when it dies."""
    return job.is_alive()


def spawn(
    command: Sequence[str], log: Path, lock: int, extra: Mapping[str, str] | None = None
) -> int:
    """Run a command in its own session, holding the open `lock`, its output added to `log`.

    Returns its process id. No terminal, no parent and no closed pipe can end it. It is nice, so
    that the pages stay quick.
    """
    nice = shutil.which("nice")
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*([nice, "-n", str(NICENESS)] if nice else []), *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(lock,),
            env={
                **os.environ,
                "PYTHONUNBUFFERED": "1",
                "PYTHONPATH": _python_path(),
                **(extra or {}),
            },
        )
    # Somebody has to take note of its end, or it stays a zombie for as long as the app lives.
    threading.Thread(target=process.wait, daemon=True).start()
    return process.pid


def _python_path() -> str:
    here = str(Path(thingsviz.__file__).parents[1])
    rest = os.environ.get("PYTHONPATH", "")
    return here if not rest else f"{here}{os.pathsep}{rest}"
