"""How planting and preparing run in the background of the Home page: a folder a task."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from thingsviz.core import json_files, log
from thingsviz.core.errors import JobError
from thingsviz.core.files import disk_sentence
from thingsviz.core.json_files import Count, JsonFile, Number
from thingsviz.core.locks import is_locked, try_lock
from thingsviz.core.progress import Progress, Report, silent
from thingsviz.jobs.job_folder import jobs_root
from thingsviz.queue.submit import spawn

KINDS = (
    "simulate",
    "prepare",
    "maps",
    "replicate",
    "leaderboard",
    "learning_curves",
    "overfitting",
)
KEPT = 20
# The shell notes how the command ended; the task's lock is free only after that.
SHELL = 'trap : INT; out="$0"; "$@"; echo $? > "$out.part"; mv "$out.part" "$out"'


@dataclass(frozen=True)
class Task:
    """One background command: `state` is running, done or failed; `message` is for the user."""

    id: str
    kind: str
    args: tuple[str, ...]
    started_at: float
    state: str
    progress: Progress
    message: str
    owner: str = ""


@dataclass(frozen=True)
class TaskRecord:
    """What task.json says; times in seconds since 1970."""

    kind: str = ""
    args: tuple[str, ...] = ()
    started_at: Number = 0.0
    owner: str = ""
    pid: Count | None = None


TASK: JsonFile[TaskRecord] = JsonFile("task", TaskRecord)


def tasks_root() -> Path:
    """Return where tasks are kept."""
    return jobs_root() / ".tasks"


def start_task(kind: str, args: Sequence[str], owner: str = "") -> Task:
    """Run `python -m thingsviz.commands.KIND ARGS --progress FILE` detached; returns at once."""
    if kind not in KINDS:
        msg = f"task {kind!r} is not one of {', '.join(KINDS)}"
        raise JobError(msg)
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{kind}-{secrets.token_hex(2)}"
    folder = tasks_root() / name
    try:
        folder.mkdir(parents=True)
        _launch(folder, kind, tuple(args), owner)
        _forget_old()
    except OSError as error:
        sentence = disk_sentence(error, folder.parent)
        raise JobError(sentence or f"{kind} cannot be started: {error}") from None
    return read_task(folder)


def _launch(folder: Path, kind: str, args: tuple[str, ...], owner: str) -> None:
    handle = try_lock(folder / "lock")
    if handle is None:
        msg = f"{folder} is in use: try again"
        raise JobError(msg)
    command = [sys.executable, "-m", f"thingsviz.commands.{kind}", *args]
    command += ["--progress", str(folder / "progress.json")]
    try:
        record = TaskRecord(kind, args, time.time(), owner)
        TASK.write(folder / "task.json", record)
        shell = ["/bin/sh", "-c", SHELL, str(folder / "exit"), *command]
        pid = spawn(shell, folder / "log.txt", handle)
        TASK.write(folder / "task.json", replace(record, pid=pid))
    finally:
        os.close(handle)


def tasks() -> list[Task]:
    """Return all tasks that are kept, the newest first."""
    folders = sorted(tasks_root().glob("*/task.json"), reverse=True)
    return [_task_or_fault(path.parent) for path in folders]


def _task_or_fault(folder: Path) -> Task:
    """Read a task; one whose record is damaged has failed, and holds up no page."""
    try:
        return read_task(folder)
    except JobError as error:
        return Task(folder.name, "", (), 0.0, "failed", Progress(0, 0, ""), str(error))


def read_task(folder: Path) -> Task:
    """Read one task from its folder."""
    alive = is_locked(folder / "lock")
    record = _record(folder)
    progress = _progress(folder / "progress.json")
    state, message = "running", progress.message or "starting"
    if not alive:
        state, message = _ending(folder, progress)
    return Task(
        id=folder.name,
        # records of earlier versions say `plant` and `again`
        kind={"plant": "simulate", "again": "replicate"}.get(record.kind, record.kind),
        args=record.args,
        started_at=record.started_at,
        state=state,
        progress=progress,
        message=message,
        owner=record.owner,
    )


def _record(folder: Path) -> TaskRecord:
    return TASK.read(folder / "task.json") or TaskRecord()


def owner_of(task_id: str) -> str:
    """Return who started a task, '' where nobody is named."""
    return _record(tasks_root() / Path(task_id).name).owner


def stop_task(task_id: str) -> None:
    """Interrupt a running task as Ctrl-C would; preparing goes on from there the next time."""
    folder = tasks_root() / Path(task_id).name
    pid = _record(folder).pid
    # The lock says that the process lives, so its number cannot have passed to another one.
    if pid is not None and is_locked(folder / "lock"):
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGINT)


def _ending(folder: Path, progress: Progress) -> tuple[str, str]:
    try:
        code = int((folder / "exit").read_text())
    except (OSError, ValueError):
        return "failed", "the process ended without a word"
    if code == 0:
        return "done", progress.message or "done"
    lines = [line for line in log.tail(folder / "log.txt", 10).splitlines() if line.strip()]
    return "failed", lines[-1] if lines else f"it ended with exit status {code}"


def _progress(path: Path) -> Progress:
    try:
        row = json_files.read_json(path) or {}
        return Progress(int(row["done"]), int(row["total"]), str(row["message"]))
    except (JobError, KeyError, TypeError, ValueError, OverflowError):
        return Progress(0, 0, "")


def _forget_old() -> None:
    for path in sorted(tasks_root().glob("*/task.json"), reverse=True)[KEPT:]:
        if not is_locked(path.parent / "lock"):
            shutil.rmtree(path.parent, ignore_errors=True)


def hear_interrupts() -> None:
    """Let SIGINT end this process, as `stop_task` wants, where whoever started the app ignored it.

    A script's `streamlit run app.py &` ignores it, and all that the app starts inherits that.
    """
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


def progress_file(path: Path | None, every_s: float = 0.3) -> Report:
    """Make a reporter that keeps `path` up to date, at most every `every_s` s and at the end.

    The file holds {"done", "total", "message", "updated_at"}; without a path nothing is written.
    """
    if path is None:
        return silent
    hear_interrupts()
    last = [float("-inf")]

    def report(progress: Progress) -> None:
        now = time.monotonic()
        if now - last[0] >= every_s or progress.done >= progress.total:
            last[0] = now
            row = {**progress._asdict(), "updated_at": time.time()}
            json_files.write_json(path, row)

    return report
