"""What the supervisor does with a job: starts it, measures it, holds it to its limits."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil

from thingsviz.core import log
from thingsviz.core.locks import LOCK_HANDLE, is_locked
from thingsviz.jobs.job_folder import jobs_root
from thingsviz.jobs.run_folder import USAGE, RunFolder, Usage
from thingsviz.queue import cgroups
from thingsviz.queue.database import Queue, Row, is_study, name_in_line
from thingsviz.queue.limits import Limits
from thingsviz.queue.processes import give_way, kill, usage, worker_of
from thingsviz.queue.schedule import choose
from thingsviz.queue.slurm import Slurm
from thingsviz.queue.submit import WITHDRAWN, spawn_process, withdraw
from thingsviz.queue.ticket import PASSED_ON, Ticket, read_ticket, ticket_for, write_ticket

ATTEMPTS = 3
GRACE_S = 60.0
MEASURE_EVERY_S = 2.0
# the clock may have been set a little since the machine started
BOOT_MARGIN_S = 5.0
# what would fit into so many bytes of memory, None for all of this machine's
Advise = Callable[[RunFolder, float | None], str]
REBOOTED = "the machine was restarted; it goes on from its last saved state"


class Dispatcher:
    """Acts on rows and folders; holds nothing that cannot be found out again."""

    def __init__(self, queue: Queue, limits: Limits, advise: Advise) -> None:
        self.queue, self.limits, self.advise = queue, limits, advise
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.slurm = Slurm(queue)
        self._measured = float("-inf")

    def look(self) -> None:
        """Look once at all jobs of the line."""
        rows = self.queue.rows()
        self.slurm.look([row for row in rows if row.engine == "slurm"])
        local = [row for row in rows if row.engine == "local"]
        measuring = time.monotonic() - self._measured > MEASURE_EVERY_S
        for row in local:
            if row.state == "running":
                with _for_itself():
                    self._look_at(row, measuring)
        if measuring:
            self._measured = time.monotonic()
        self._start_next()

    def _start_next(self) -> None:
        rows = [row for row in self.queue.rows() if row.engine == "local"]
        waiting = [row.waiting() for row in rows if row.state == "waiting"]
        running = [row.running() for row in rows if row.state == "running"]
        attempts = {row.name: row.attempts for row in rows}
        for name, gpu in choose(waiting, running, self.limits):
            with _for_itself():
                self._begin(RunFolder(jobs_root() / name), gpu, attempts[name])

    def _begin(self, job: RunFolder, gpu: str, attempts: int) -> None:
        ticket, name = read_ticket(job), name_in_line(job)
        if ticket is None:
            # Withdrawn, or begun by hand; if it runs, the next recovery finds its lock.
            self.queue.remove(name)
            return
        if job.file("stop").exists() and withdraw(job, WITHDRAWN):
            self.queue.remove(name)
            return
        if attempts >= ATTEMPTS:
            withdraw(job, f"it could not be started: {job.last_line()}", "failed")
            self.queue.remove(name)
            return
        with job.held(patience_s=0.1) as handle:
            if handle is None:
                self.queue.update(name, state="running", started=time.time(), pid=worker_of(job))
                return
            self.queue.update(
                name, state="running", gpu=gpu, attempts=attempts + 1, started=time.time()
            )
            self._spawn(job, ticket, handle, gpu)

    def _spawn(self, job: RunFolder, ticket: Ticket, handle: int, gpu: str) -> None:
        extra = {name: ticket.environment.get(name, "") for name in PASSED_ON}
        extra = {name: value for name, value in extra.items() if value}
        if gpu:
            extra["CUDA_VISIBLE_DEVICES"] = gpu
        module = "thingsviz.commands.tune" if is_study(job) else "thingsviz.commands.train"
        command = [sys.executable, "-m", module, str(job.path)]
        child = spawn_process(
            command, job.file("log.txt"), handle, {**extra, LOCK_HANDLE: str(handle)}
        )
        self.children[name_in_line(job)] = child
        give_way(child.pid)
        self.queue.update(name_in_line(job), pid=child.pid, kills=cgroups.kills())
        name = name_in_line(job)
        log.event("job started", job=name, who=ticket.owner, worker=child.pid, gpu=gpu)

    def _look_at(self, row: Row, measuring: bool) -> None:
        job = RunFolder(jobs_root() / row.name)
        if not is_locked(job.file("lock")):
            self._ended(job, row)
        elif measuring:
            self._measure(job, row)

    def _measure(self, job: RunFolder, row: Row) -> None:
        pid = row.pid or worker_of(job)
        if pid is None:
            return
        memory, seconds = usage(pid)
        since = max(time.monotonic() - self._measured, MEASURE_EVERY_S)
        cpu = max(0.0, seconds - row.cpu_s) / since if row.cpu_s else 0.0
        peak = max(memory, row.peak_mb)
        kills = cgroups.kills() if row.kills < 0 else row.kills  # of one started by hand: now
        self.queue.update(
            row.name, pid=pid, memory_mb=memory, peak_mb=peak, cpu=cpu, cpu_s=seconds, kills=kills
        )
        self._hold_to_limits(job, row, memory)

    def _hold_to_limits(self, job: RunFolder, row: Row, memory_mb: float) -> None:
        limits, ran_s = self.limits, time.time() - (row.started or time.time())
        if limits.memory_mb is not None and memory_mb > limits.memory_mb:
            words = (
                f"it took {memory_mb:,.0f} MB of the {limits.memory_mb:,} MB that a training may "
                f"take here: {self.advise(job, limits.memory_mb * 2**20)}"
            )
            self.queue.update(row.name, verdict=words)
            kill(job, row.pid)
        elif is_study(job):
            return  # hours are those of a training, and a study is many
        elif limits.hours is not None and ran_s > limits.hours * 3600:
            words = f"it ran for the {limits.hours:g} h that a training may take here"
            if not job.file("stop").exists():
                job.file("stop").write_text(f"{words}; it can be resumed")
            elif ran_s > limits.hours * 3600 + GRACE_S:
                kill(job, row.pid)

    def _ended(self, job: RunFolder, row: Row) -> None:
        """Take a job whose process is gone off the line, or put it back if it never began."""
        code = self._exit_code(row.name)
        log.event("job's process ended", job=row.name, who=row.owner, code=code, why=row.verdict)
        ticket = read_ticket(job)
        if ticket is not None and ticket.submitted == row.submitted:
            self.queue.update(row.name, state="waiting", gpu="", pid=None)
            return
        if self._rebooted(job, row):
            return
        if not job.path.is_dir():
            kill(job, row.pid)  # somebody has deleted the folder of a running job
        elif ticket is None:
            self._say_how(job, row, code)
            wall = time.time() - (row.started or time.time())
            used = Usage(round(row.peak_mb, 1), round(row.cpu_s, 1), round(wall, 1))
            USAGE.write(job.file("usage.json"), used)
        self.queue.remove(row.name)
        if ticket is not None:
            self.queue.add(row.name, ticket)

    def _rebooted(self, job: RunFolder, row: Row) -> bool:
        """Put a job back into the line whose machine went down under it; nobody ended it."""
        if row.started is None or row.started > psutil.boot_time() - BOOT_MARGIN_S:
            return False
        if not job.path.is_dir():
            return False
        with job.held() as handle:
            if handle is None or row.verdict or not job.ended_silently():
                return False
            job.mark("queued", REBOOTED)
            ticket = ticket_for(job.recipe(), row.owner, row.submitted)
            # a study of short trainings is long: it keeps the place it had
            ticket = ticket.model_copy(update={"short": bool(row.short)})
            write_ticket(job, ticket)
        self.queue.remove(row.name)
        self.queue.add(row.name, ticket)
        return True

    def _exit_code(self, name: str) -> int | None:
        """Return how a child ended, None for a process that an earlier supervisor has started."""
        child = self.children.pop(name, None)
        if child is None:
            return None
        with suppress(subprocess.TimeoutExpired):
            # Its lock is free a moment before it is counted as gone.
            return child.wait(1)
        return None

    def _say_how(self, job: RunFolder, row: Row, code: int | None) -> None:
        """Write the last word for a process that could not: killed by us or by others."""
        words = _last_word(job, row, code, self.advise)
        if not words:
            return
        with job.held() as handle:
            if handle is not None and job.ended_silently():
                job.mark("stopped" if words.startswith("it was killed") else "failed", words)


def _last_word(job: RunFolder, row: Row, code: int | None, advise: Advise) -> str:
    """Say how a job's process ended, as far as it can be known; '' where it was not killed.

    Who has started a process learns its exit code. A supervisor that came later knows only that
    it is gone, and from the control group whether memory ran out meanwhile.
    """
    if row.verdict:
        return row.verdict
    out_of_memory = 0 <= row.kills < cgroups.kills()
    used = f"; it had used {row.peak_mb:,.0f} MB" if row.peak_mb else ""
    if out_of_memory and code == -signal.SIGKILL:
        return f"memory ran out and the system ended it: {advise(job, None)}{used}"
    if out_of_memory and code is None:
        words = "it ended without a word while memory ran out here and the system ended a process"
        return f"{words}: {advise(job, None)}{used}"
    if code is None or code >= 0:
        return ""
    words = f"it was killed from outside (signal {-code})"
    if code == -signal.SIGKILL:
        words += f", as the system does when memory runs out ({advise(job, None)})"
    return f"{words}{used}"


@contextmanager
def _for_itself() -> Iterator[None]:
    """Let the trouble of one job, such as a full disk, not hold up the others."""
    try:
        yield
    except Exception:
        log.failure("one job's trouble; the others go on")
