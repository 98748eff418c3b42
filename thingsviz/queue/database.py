"""The line of jobs in SQLite: in what order they wait, and which run with which process.

A job's folder stays the truth (its ticket, its lock, its status); this file can be lost at any
time and is made again from the folders. SQLite's write-ahead log needs a local disk.
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from thingsviz.core.locks import is_locked
from thingsviz.jobs.about import owner_of
from thingsviz.jobs.job_folder import jobs_root
from thingsviz.jobs.run_folder import RunFolder
from thingsviz.queue.processes import cluster_id_of, worker_of
from thingsviz.queue.schedule import RunningJob, WaitingJob, in_order
from thingsviz.queue.ticket import Ticket, read_ticket

FOLDER = ".queue"
STUDIES = ".studies"
DATABASE = "queue.sqlite3"
SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    name TEXT PRIMARY KEY, state TEXT NOT NULL, owner TEXT NOT NULL, submitted REAL NOT NULL,
    short INTEGER NOT NULL, wants_gpu INTEGER NOT NULL, engine TEXT NOT NULL,
    cluster_id TEXT NOT NULL DEFAULT '', gpu TEXT NOT NULL DEFAULT '', pid INTEGER,
    started REAL, attempts INTEGER NOT NULL DEFAULT 0, verdict TEXT NOT NULL DEFAULT '',
    memory_mb REAL NOT NULL DEFAULT 0, peak_mb REAL NOT NULL DEFAULT 0,
    cpu REAL NOT NULL DEFAULT 0, cpu_s REAL NOT NULL DEFAULT 0,
    kills INTEGER NOT NULL DEFAULT -1)"""
# Columns that databases of earlier versions lack.
LATER = {"kills": "INTEGER NOT NULL DEFAULT -1"}


class Row(NamedTuple):
    """A job in the queue: `waiting` or `running`; `cpu` in processors, times since 1970.

    `kills`: how many processes the system had ended for want of memory when the job's was first
    seen (cgroups.kills), -1 before that. It outlives the supervisor, which an exit code does not.
    """

    name: str
    state: str
    owner: str
    submitted: float
    short: int = 0
    wants_gpu: int = 0
    engine: str = "local"
    cluster_id: str = ""
    gpu: str = ""
    pid: int | None = None
    started: float | None = None
    attempts: int = 0
    verdict: str = ""
    memory_mb: float = 0.0
    peak_mb: float = 0.0
    cpu: float = 0.0
    cpu_s: float = 0.0
    kills: int = -1

    def waiting(self) -> WaitingJob:
        """As the schedule sees it while it waits."""
        short, gpu = bool(self.short), bool(self.wants_gpu)
        return WaitingJob(self.name, self.owner, self.submitted, short, gpu)

    def running(self) -> RunningJob:
        """As the schedule sees it while it runs."""
        return RunningJob(self.name, self.owner, self.gpu)


def queue_folder() -> Path:
    """Return where the queue and its supervisor keep their files."""
    return jobs_root() / FOLDER


def is_study(job: RunFolder) -> bool:
    """Whether a folder in the line is a study's: it has a job's lock, ticket, stop and status."""
    return job.path.parent.name == STUDIES


def name_in_line(job: RunFolder) -> str:
    """Return what a job or a study is called in the line: its path below the jobs' root."""
    return f"{STUDIES}/{job.name}" if is_study(job) else job.name


class Queue:
    """The open database; every change is one transaction that begins with the write lock."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / DATABASE
        try:
            self._open()
            self._check()
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if isinstance(error, sqlite3.OperationalError) and _is_passing(error):
                raise
            # Not a sound database any more: the folders know all that matters.
            self.close()
            self.path.rename(self.path.with_name(f"{DATABASE}.damaged-{time.time_ns()}"))
            for tail in ("-wal", "-shm"):
                self.path.with_name(DATABASE + tail).unlink(missing_ok=True)
            self._open()

    def _open(self) -> None:
        self._connection = sqlite3.connect(
            self.path, timeout=20, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        # The folders survive a power cut; the order may lose its last moments.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(SCHEMA)
        if self._missing():
            with self.change() as base:
                for column in self._missing():
                    base.execute(f"ALTER TABLE jobs ADD COLUMN {column} {LATER[column]}")

    def _missing(self) -> set[str]:
        """Return the later columns that the table has not got yet."""
        known = {row[1] for row in self._connection.execute("PRAGMA table_info(jobs)")}
        return LATER.keys() - known

    def _check(self) -> None:
        """Raise DatabaseError for pages or rows that are damaged. Measured: 5,000 rows: 9 ms."""
        words = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        if words != ("ok",) or not all(map(_is_sound, self.rows())):
            raise sqlite3.DatabaseError(str(words))

    def close(self) -> None:
        """Close the database, if it was opened."""
        with suppress(sqlite3.Error, AttributeError):
            self._connection.close()

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """Hold the write lock for a transaction."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def rows(self) -> list[Row]:
        """Return all that wait or run."""
        found = self._connection.execute(f"SELECT {', '.join(Row._fields)} FROM jobs")
        return [Row(*row) for row in found]

    def line(self) -> list[str]:
        """Return the names of the waiting in their order."""
        waiting = [row.waiting() for row in self.rows() if row.state == "waiting"]
        return [job.name for job in in_order(waiting)]

    def add(self, name: str, ticket: Ticket) -> None:
        """Put a job into the line; one that is there already keeps its place."""
        words = ("name", "state", "owner", "submitted", "short", "wants_gpu", "engine")
        values = (name, "waiting", ticket.owner, ticket.submitted, ticket.short)
        self._insert(
            (*words, "cluster_id"), (*values, ticket.wants_gpu, ticket.engine, ticket.cluster_id)
        )

    def adopt(self, name: str, owner: str, pid: int | None, cluster_id: str = "") -> None:
        """Take note of a job that runs though nobody here has started it."""
        engine = "slurm" if cluster_id else "local"
        words = ("name", "state", "owner", "submitted", "short", "wants_gpu", "engine")
        values = (name, "running", owner, time.time(), 0, 0, engine, pid, time.time())
        self._insert((*words, "pid", "started", "cluster_id"), (*values, cluster_id))

    def _insert(self, names: tuple[str, ...], values: tuple[object, ...]) -> None:
        marks = ", ".join("?" * len(values))
        with self.change() as connection:
            connection.execute(
                f"INSERT OR IGNORE INTO jobs ({', '.join(names)}) VALUES ({marks})", values
            )

    def update(self, name: str, **values: object) -> None:
        """Change what is known of a job."""
        known = {key: value for key, value in values.items() if key in Row._fields}
        with self.change() as connection:
            sets = ", ".join(f"{key} = ?" for key in known)
            connection.execute(f"UPDATE jobs SET {sets} WHERE name = ?", (*known.values(), name))

    def remove(self, name: str) -> None:
        """Forget a job that neither waits nor runs."""
        with self.change() as connection:
            connection.execute("DELETE FROM jobs WHERE name = ?", (name,))


PASSING = ("locked", "busy", "unable to open", "readonly", "disk I/O", "full")


def _is_passing(error: sqlite3.OperationalError) -> bool:
    """Whether an error says nothing against the file: it is in use, or the disk is full."""
    return any(words in str(error) for words in PASSING)


def _is_sound(row: Row) -> bool:
    """Whether SQLite gave each column what was written there; it keeps any type in any column."""
    texts = (row.name, row.state, row.owner, row.engine, row.cluster_id, row.gpu, row.verdict)
    counts = (row.short, row.wants_gpu, row.attempts, row.kills)
    numbers = (row.submitted, row.memory_mb, row.peak_mb, row.cpu, row.cpu_s)
    return (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(number, int) for number in counts)
        and all(isinstance(number, float) for number in numbers)
        and isinstance(row.pid, int | None)
        and isinstance(row.started, float | None)
        and row.state in {"waiting", "running"}
    )


# a candidate, one of the random control, a final training
OF_A_STUDY = re.compile(r"(.+)-(?:[cr]\d{4,}|default\S*|random\S*|best\S*)")


def recover(queue: Queue) -> None:
    """Bring the database in step with the folders: 5,000 of them cost 0.26 s.

    A job with a ticket waits, even if nobody has entered it; one whose lock is held runs, even if
    it was started by hand or its supervisor has died. The dispatcher sees to rows without either.
    """
    known = {row.name for row in queue.rows()}
    under_way = {job.name for job in folders(STUDIES) if is_locked(job.file("lock"))}
    for job in (*folders(STUDIES), *folders()):
        name = name_in_line(job)
        if name in known or of_a_study(name, under_way):
            continue
        if is_locked(job.file("lock")):
            queue.adopt(name, owner_of(job), worker_of(job), cluster_id_of(job))
        elif (ticket := read_ticket(job)) is not None:
            queue.add(name, ticket)


def of_a_study(name: str, studies: set[str]) -> bool:
    """Whether a job is trained by the process of one of the studies, within its place."""
    match = OF_A_STUDY.fullmatch(name)
    return match is not None and match[1] in studies


def folders(below: str = "") -> Iterator[RunFolder]:
    """Return the job folders, or those of studies, that wait or may run."""
    root = jobs_root() / below
    if not root.is_dir():
        return
    with os.scandir(root) as entries:
        for entry in entries:
            if entry.name[0] == "." or not entry.is_dir(follow_symlinks=False):
                continue
            job = RunFolder(root / entry.name)
            if job.file("lock").exists() or job.is_waiting():
                yield job
