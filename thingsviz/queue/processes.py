"""What a running job takes of this machine, read from /proc, and how it is ended for good."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from thingsviz.jobs.run_folder import RunFolder


class ProcessUsage(NamedTuple):
    """Of a process and all below it: memory that cannot be had back, CPU seconds so far."""

    memory_mb: float = 0.0
    cpu_s: float = 0.0


def worker_of(job: RunFolder) -> int | None:
    """Return the process id that the lock's holder wrote into it, if it is one of this machine."""
    try:
        pid = int(job.file("lock").read_text())
    except (OSError, ValueError):
        return None
    return pid if works_on(pid, job) else None


def cluster_id_of(job: RunFolder) -> str:
    """Return the number under which SLURM runs the job, empty for a process of a machine."""
    with suppress(OSError, ValueError):
        engine, _, number = job.file("lock").read_text().partition(" ")
        return number if engine == "slurm" and number.isdigit() else ""
    return ""


def works_on(pid: int, job: RunFolder) -> bool:
    """Whether a process is that of the job, as its command says.

    Another machine or container counts its processes from one as well, and a number can come
    again.
    """
    try:
        return str(job.path) in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False


def usage(pid: int) -> ProcessUsage:
    """Measure a process and its children; zeros when it is gone.

    Counts anonymous and shared memory, not the pages of mapped files: the kernel takes those
    back whenever it needs them, and a training maps gigabytes of responses. For the same reason
    no RLIMIT_AS: it counts address space, of which torch reserves more than any machine has.
    """
    try:
        top = psutil.Process(pid)
        family = [top, *top.children(recursive=True)]
    except psutil.Error:
        return ProcessUsage()
    memory, seconds = 0.0, 0.0
    for process in family:
        with suppress(psutil.Error, OSError):
            times = process.cpu_times()
            seconds += times.user + times.system
            memory += _own_memory_mb(process.pid)
    return ProcessUsage(memory, seconds)


def _own_memory_mb(pid: int) -> float:
    kilobytes = 0
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(("RssAnon:", "RssShmem:")):
            kilobytes += int(line.split()[1])
    return kilobytes / 1024


def kill(job: RunFolder, pid: int | None) -> None:
    """End a job's process and all of its session at once: SIGKILL; nothing if it is not ours."""
    pid = pid or worker_of(job)
    if pid is None or not works_on(pid, job):
        return
    with suppress(ProcessLookupError, PermissionError):
        if os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)


def give_way(pid: int) -> None:
    """Make the kernel, when memory runs out, end this process rather than the app."""
    with suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text("500")
