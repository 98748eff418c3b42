"""How the line is made again from the job folders, whatever was lost or happened unseen."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from thingsviz.core.locks import is_locked
from thingsviz.jobs.about import owner_of
from thingsviz.jobs.job_folder import jobs_root
from thingsviz.jobs.run_folder import RunFolder
from thingsviz.queue.database import STUDIES, Queue, name_in_line
from thingsviz.queue.processes import cluster_id_of, worker_of
from thingsviz.queue.ticket import read_ticket

# a candidate, one of the random control, a final training
OF_A_STUDY = re.compile(r"(.+)-(?:[cr]\d{4,}|default\S*|random\S*|best\S*)")


def recover(queue: Queue) -> None:
    """Bring the database in step with the folders: 5,000 of them cost 0.26 s.

    A job with a ticket waits, even if nobody has entered it; one whose lock is held runs, even
    if it was started by hand or its supervisor has died. The foreman sees to rows without either.
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
