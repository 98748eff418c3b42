"""How a job comes into the line, and how processes start that outlive whoever asked for them."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

import thingsviz
from thingsviz.core.errors import JobError
from thingsviz.core.files import disk_sentence
from thingsviz.core.locks import LOCK_HANDLE, is_locked, try_lock
from thingsviz.core.users import os_user
from thingsviz.jobs.about import read_about, write_about
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import JobConfig
from thingsviz.jobs.run_folder import RunFolder
from thingsviz.queue.database import Queue, name_in_line, queue_folder
from thingsviz.queue.limits import engine, read_limits
from thingsviz.queue.ticket import Ticket, read_ticket, take_ticket, ticket_for, write_ticket

NICENESS = 5
WITHDRAWN = "taken out of the line before it began; it can be started again"
LOG_BYTES = 1_000_000


def start(job: JobFolder, config: JobConfig | None = None) -> None:
    """Put a job into the line, to start or to go on; does nothing when it waits or runs.

    Returns at once. The supervisor starts its process when it is its turn. `config` is the job's
    recipe, where the caller has it.
    """
    config, who = config or job.config(), engine()
    ticket = ticket_for(config, its_owner(job), time.time())
    line_up(job, ticket.model_copy(update={"engine": who}))


def its_owner(job: RunFolder) -> str:
    """Return whose job it is; of nobody's, it becomes the one's whose process asks."""
    return read_about(job).owner or write_about(job, owner=os_user()).owner


def line_up(job: RunFolder, ticket: Ticket) -> None:
    """Put a job or a study into the line; does nothing when it waits or runs."""
    read_limits()
    try:
        with job.held() as handle:
            if handle is not None and not job.is_waiting():
                job.file("stop").unlink(missing_ok=True)
                job.mark("queued", "waits")
                # From here on it is in the line, whatever happens to this process.
                write_ticket(job, ticket)
                with suppress(sqlite3.Error), closing(Queue(queue_folder())) as queue:
                    queue.add(name_in_line(job), ticket)
        tend()
    except OSError as error:
        sentence = disk_sentence(error, job.path)
        raise JobError(sentence or f"{job.path} cannot be started: {error}") from None


def stop(job: RunFolder) -> bool:
    """Take what waits out of the line; ask what runs to write a checkpoint and end.

    Returns whether it runs: it ends after the batch that it is in. What waits at a cluster is
    cancelled there by the supervisor.
    """
    ticket = read_ticket(job)
    if ticket is not None and ticket.engine == "local" and withdraw(job, WITHDRAWN):
        return False
    if not job.is_alive():
        return False
    job.file("stop").touch()
    tend()
    return True


def withdraw(job: RunFolder, message: str, state: str = "stopped") -> bool:
    """Take a job out of the line and say why; False if it is none any more, or has begun."""
    with job.held() as handle:
        if handle is None or not job.is_waiting():
            return False
        job.file("stop").unlink(missing_ok=True)
        job.mark(state, message)
        return take_ticket(job)


def is_alive(job: RunFolder) -> bool:
    """Whether the job waits or runs; sees to it that one that waits does not wait for nobody."""
    if job.is_waiting():
        tend()
    return job.is_alive()


def tend() -> None:
    """See to it that a supervisor is there and looks at the line now; takes a millisecond.

    Whoever starts, shows or ends a job calls this: the supervisor goes when nothing is left to
    do, and may have been killed.
    """
    folder = queue_folder()
    folder.mkdir(parents=True, exist_ok=True)
    handle = None if is_locked(folder / "lock") else try_lock(folder / "lock", patience_s=0.05)
    if handle is None:
        wake(folder)
        return
    try:
        log = folder / "log.txt"
        if log.is_file() and log.stat().st_size > LOG_BYTES:
            log.unlink(missing_ok=True)
        command = [sys.executable, "-m", "thingsviz.commands.supervisor", str(folder.parent)]
        spawn(command, log, handle, {LOCK_HANDLE: str(handle)}, niceness=0)
    finally:
        os.close(handle)


def tend_if_waiting() -> None:
    """As `tend`, but only where jobs wait and nobody looks after them."""
    folder = queue_folder()
    if is_locked(folder / "lock") or not (folder / "queue.sqlite3").is_file():
        return
    with suppress(sqlite3.Error), closing(Queue(folder)) as queue:
        if queue.rows():
            tend()


def wake(folder: Path) -> None:
    """Tell the supervisor to look now instead of in a second."""
    with suppress(OSError):
        pipe = os.open(folder / "wake", os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(pipe, b"!")
        finally:
            os.close(pipe)


def spawn(
    command: Sequence[str],
    log: Path,
    lock: int,
    extra: Mapping[str, str] | None = None,
    *,
    niceness: int = NICENESS,
) -> int:
    """Run a command in its own session, holding the open `lock`, its output added to `log`.

    Returns its process id. No terminal, no parent and no closed pipe can end it. It is nice, so
    that the pages stay quick.
    """
    return spawn_process(command, log, lock, extra, niceness=niceness).pid


def spawn_process(
    command: Sequence[str],
    log: Path,
    lock: int,
    extra: Mapping[str, str] | None = None,
    *,
    niceness: int = NICENESS,
) -> subprocess.Popen[bytes]:
    """As `spawn`, for whoever wants to know how it ends."""
    nice = shutil.which("nice") if niceness else None
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*([nice, "-n", str(niceness)] if nice else []), *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(lock,),
            env={
                **os.environ,
                "PYTHONUNBUFFERED": "1",
                "PYTHONPATH": python_path(),
                **(extra or {}),
            },
        )
    # Somebody has to take note of its end, or it stays a zombie for as long as the app lives.
    threading.Thread(target=process.wait, daemon=True).start()
    return process


def python_path() -> str:
    """Return the PYTHONPATH under which a new process finds this package."""
    here = str(Path(thingsviz.__file__).parents[1])
    rest = os.environ.get("PYTHONPATH", "")
    return here if not rest else f"{here}{os.pathsep}{rest}"
