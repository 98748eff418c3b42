"""What becomes of jobs that were handed to SLURM: submitted, waiting, running, requeued, gone."""

from __future__ import annotations

import time

from thingsviz.core import log
from thingsviz.core.errors import ThingsvizError
from thingsviz.core.locks import is_locked
from thingsviz.jobs.job_folder import JobFolder, jobs_root
from thingsviz.queue import sbatch
from thingsviz.queue.database import Queue, Row
from thingsviz.queue.sbatch import SlurmJob
from thingsviz.queue.submit import WITHDRAWN, withdraw
from thingsviz.queue.ticket import Ticket, read_ticket, write_ticket

# One question for all jobs of all visitors; a large site's controller stays at ease.
ASK_EVERY_S = 3.0
BEFORE_RUNNING = {"PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT", "REQUEUE_FED"}
GONE = "SLURM has ended it before it began (cancelled there, or its command failed)"
SILENT = "SLURM has ended it without a word: out of time or memory, or its node is gone"
REQUEUED = "SLURM has put it back into its line; it goes on from its last saved state"


class Slurm:
    """Keeps rows and folders in step with squeue; locks and tickets say the rest.

    The lock says that a job runs, on whichever node: that needs a file system on which flock
    works between hosts (NFS 4, or Lustre mounted with `flock`).
    """

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self._asked = float("-inf")

    def look(self, rows: list[Row]) -> None:
        """Look at all jobs that are SLURM's, every few seconds."""
        if not rows or time.monotonic() - self._asked < ASK_EVERY_S:
            return
        self._asked = time.monotonic()
        listed = sbatch.listed()
        if listed is None:
            return
        by_id = {known.id: known for known in listed}
        by_name = {known.name: known for known in listed}
        for row in rows:
            job = JobFolder(jobs_root() / row.name)
            known = by_id.get(row.cluster_id) or by_name.get(sbatch.cluster_name(job))
            if known is not None and known.id != row.cluster_id:
                row = row._replace(cluster_id=known.id)
                self.queue.update(row.name, cluster_id=known.id)
            if row.state == "waiting":
                self._waits(job, row, known)
            else:
                self._runs(job, row, known)

    def _waits(self, job: JobFolder, row: Row, known: SlurmJob | None) -> None:
        ticket = read_ticket(job)
        if ticket is None:
            self._without_ticket(job, row, known)
        elif job.file("stop").exists():
            self._give_back(job, row, known)
        elif known is None and not row.cluster_id:
            self._submit(job, row, ticket)
        elif known is None:
            why = f"{GONE}: {job.last_line()}"
            if withdraw(job, why, "failed"):
                self.queue.remove(row.name)
                _tell("job's process ended", row, why=why)
        elif known.state in BEFORE_RUNNING:
            self._say(job, f"waits in SLURM ({known.reason})")

    def _without_ticket(self, job: JobFolder, row: Row, known: SlurmJob | None) -> None:
        """Handle a job that has begun, or that somebody took out of the line."""
        if is_locked(job.file("lock")) or (known and known.state not in BEFORE_RUNNING):
            self.queue.update(row.name, state="running", started=time.time())
            _tell("job started", row)
            return
        if known is not None:
            sbatch.cancel(known.id)
        self.queue.remove(row.name)
        _tell("job cancelled" if known else "job's process ended", row)

    def _give_back(self, job: JobFolder, row: Row, known: SlurmJob | None) -> None:
        """Cancel what shall stop before it has begun; what begins just now sees the wish."""
        if known is not None and known.state in BEFORE_RUNNING:
            sbatch.cancel(known.id)
        elif known is None and withdraw(job, WITHDRAWN):
            self.queue.remove(row.name)
            _tell("job cancelled", row)

    def _submit(self, job: JobFolder, row: Row, ticket: Ticket) -> None:
        try:
            number = sbatch.submit(job, ticket)
        except ThingsvizError as error:
            withdraw(job, str(error), "failed")
            self.queue.remove(row.name)
            _tell("job refused", row, why=str(error))
            return
        self.queue.update(row.name, cluster_id=number, attempts=row.attempts + 1)
        self._say(job, "waits in SLURM")
        _tell("job submitted", row._replace(cluster_id=number))

    def _runs(self, job: JobFolder, row: Row, known: SlurmJob | None) -> None:
        if is_locked(job.file("lock")):
            return
        if known is None:
            silent = self._ended(job)
            self.queue.remove(row.name)
            _tell("job's process ended", row, why=SILENT if silent else "")
            if (ticket := read_ticket(job)) is not None:  # started again meanwhile
                self.queue.add(row.name, ticket)
        elif known.state in BEFORE_RUNNING:
            self._requeued(job, row)

    def _requeued(self, job: JobFolder, row: Row) -> None:
        with job.held(patience_s=0.1) as handle:
            if handle is None:
                return
            job.mark("queued", REQUEUED)
            ticket = Ticket(
                owner=row.owner,
                submitted=row.submitted,
                engine="slurm",
                cluster_id=row.cluster_id,
            )
            write_ticket(job, ticket)
            self.queue.update(row.name, state="waiting")
            _tell("job requeued", row)

    def _ended(self, job: JobFolder) -> bool:
        """Take note of a job that SLURM has not any more; True where it ended without a word."""
        if not job.path.is_dir():
            return False
        with job.held(patience_s=0.1) as handle:
            if handle is None or not job.ended_silently():
                return False
            job.mark("stopped", SILENT)
        return True

    def _say(self, job: JobFolder, message: str) -> None:
        """Publish why a job waits; not while its process has begun."""
        if job.status().message in {message, REQUEUED}:
            return
        with job.held(patience_s=0) as handle:
            if handle is not None and job.is_waiting():
                job.mark("queued", message)


def _tell(what: str, row: Row, why: str = "") -> None:
    """Tell the operator, in the words of the local engine; `engine` says whose job it is."""
    log.event(what, job=row.name, who=row.owner, engine="slurm", cluster=row.cluster_id, why=why)
