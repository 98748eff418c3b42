"""That a job waits, and on what terms: ticket.json in its folder, which its own process consumes.

The ticket is the truth; the queue's database only orders tickets and can be made again from them.
Whoever has the job's lock may write, withdraw or consume it: so a job starts once, and a job that
was killed before it took its ticket is still in the line.
"""

from __future__ import annotations

import os
from typing import Literal

from pydantic import Field

from models.catalog.registry import spec_of
from thingsviz.core import json_files
from thingsviz.core.errors import JobError
from thingsviz.core.json_files import JsonFile
from thingsviz.jobs.recipe import JobConfig, Strict
from thingsviz.jobs.run_folder import TICKET, RunFolder

# What a job's process needs to know of the app that asked for it; never a password.
PASSED_ON = ("THINGSVIZ_DATA", "THINGSVIZ_DERIVATIVES", "THINGSVIZ_THREADS")
SHORT_SAMPLES = 20_000


class Ticket(Strict):
    """Who asked, when (seconds since 1970), and what the job needs; `cluster_id` is SLURM's."""

    owner: str = ""
    submitted: float = 0.0
    short: bool = False
    wants_gpu: bool = False
    engine: Literal["local", "slurm"] = "local"
    cluster_id: str = ""
    environment: dict[str, str] = Field(default_factory=dict)


TICKETS: JsonFile[Ticket] = JsonFile("ticket", Ticket)


def ticket_for(config: JobConfig, owner: str, now: float) -> Ticket:
    """Write out a ticket for a recipe."""
    network = spec_of(config.model).kind == "network"
    environment = {name: os.environ[name] for name in PASSED_ON if os.environ.get(name)}
    return Ticket(
        owner=owner,
        submitted=now,
        short=is_short(config),
        wants_gpu=network and config.fit.device != "cpu",
        environment=environment,
    )


def is_short(config: JobConfig) -> bool:
    """Whether a training is a matter of a minute or so: fitted at once, or few samples."""
    if spec_of(config.model).kind == "linear":
        return True
    fit = config.fit
    batches = fit.batches_per_epoch
    return batches is not None and fit.epochs * batches * fit.batch_size <= SHORT_SAMPLES


def write_ticket(job: RunFolder, ticket: Ticket) -> None:
    """Put the job into the line."""
    json_files.write_sealed(job.file(TICKET), ticket.model_dump(mode="json"))


def read_ticket(job: RunFolder) -> Ticket | None:
    """Return the job's ticket, None when it does not wait; a damaged one still counts as one."""
    try:
        return TICKETS.read(job.file(TICKET))
    except JobError:
        return Ticket()


def take_ticket(job: RunFolder) -> bool:
    """Consume the ticket, if there is one; the caller has the job's lock."""
    try:
        job.file(TICKET).unlink()
    except FileNotFoundError:
        return False
    return True
