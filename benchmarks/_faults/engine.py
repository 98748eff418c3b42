"""Kills of the supervisor and of whoever starts jobs, while jobs come, wait, run and end."""

from __future__ import annotations

import os
import random
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil

from benchmarks._faults.work import Row, jobs_folder, killed_at_random, new_job, processes

PATIENCE_S = 900.0
MEAN = {"model": {"name": "mean"}, "role": "candidate", "study": "faults"}


def supervisor(row: Row, kills: int, root: Path, moments: random.Random) -> None:
    """Kill the supervisor while jobs come, wait, run and end."""
    from thingsviz.queue import submit as launch

    folder = jobs_folder(root, "supervisor")
    os.environ["THINGSVIZ_SLOTS"] = "2"
    jobs = []
    for number in range(kills):
        jobs.append(new_job(f"job-{number:03d}", **MEAN))
        launch.start(jobs[-1])
        time.sleep(moments.uniform(0, 2.5))
        for process in _supervisors(folder):
            process.kill()
            process.wait(10)
            row.kills += 1
        row.unseen += _unseen(folder, jobs)
    _to_the_end(row, folder, jobs)


def launcher(row: Row, kills: int, root: Path, moments: random.Random) -> None:
    """Kill what starts jobs, as an app is killed, at moments around the start."""
    from thingsviz.queue import submit as launch

    folder = jobs_folder(root, "launcher")
    os.environ["THINGSVIZ_SLOTS"] = "2"
    asked, jobs = [], []
    for number in range(kills):
        job = new_job(f"job-{number:03d}", **MEAN)
        said = folder / f".said-{number}"

        def start(job: Any = job, said: Path = said) -> None:  # noqa: ANN401
            launch.start(job)
            said.touch()
            time.sleep(60)

        row.kills += killed_at_random(start, moments.uniform(0, 0.08))
        jobs.append(job)
        if said.exists():
            asked.append(job)
        elif not job.is_alive():
            row.unreadable += job.status().state not in {"stopped", "queued"}
            launch.start(job)  # the visitor, who saw no answer, clicks again
            asked.append(job)
    _to_the_end(row, folder, jobs)


def _supervisors(folder: Path) -> list[psutil.Process]:
    return [p for p in processes(folder) if "thingsviz.commands.supervisor" in (p.cmdline() or [])]


def _unseen(folder: Path, jobs: list[Any]) -> int:
    """Count processes of jobs that no page would show; one that is just ending gets 5 s for it."""
    end = time.monotonic() + 5
    while True:
        trained = [word for p in processes(folder) for word in _command(p) if "/job-" in word]
        alive = {str(job.path) for job in jobs if job.is_alive()}
        unseen = sum(word not in alive for word in trained)
        if not unseen or time.monotonic() > end:
            return unseen
        time.sleep(0.2)


def _command(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def _to_the_end(row: Row, folder: Path, jobs: list[Any]) -> None:
    """Let all jobs end, and count those that did not, or did more than once."""
    from thingsviz.queue import submit as launch
    from thingsviz.queue.database import Queue, queue_folder

    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and any(launch.is_alive(job) for job in jobs):
        time.sleep(0.1)
    for job in jobs:
        row.lost += job.status().state != "done"
        row.doubled += len(job.manifest().get("starts", [])) > 1
    left = [job.name for job in jobs]
    while left and time.monotonic() < end:
        launch.tend_if_waiting()  # as each look of the app at its jobs
        with closing(Queue(queue_folder())) as queue:
            left = [entry.name for entry in queue.rows()]
        time.sleep(0.1)
    row.lost += len(left)
    row.unseen += _unseen(folder, jobs)
    for process in _supervisors(folder):
        process.terminate()
