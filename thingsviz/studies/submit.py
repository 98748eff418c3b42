"""How a study comes into the line, as one job among the others; its stop and enlargement."""

from __future__ import annotations

import time

from thingsviz.core.errors import ConfigError
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.queue.submit import its_owner, line_up, stop
from thingsviz.queue.ticket import ticket_for
from thingsviz.studies.config import parse_study
from thingsviz.studies.study_folder import StudyFolder, write_config


def start_study(study: StudyFolder) -> None:
    """Put a study into the line, to start or to go on, or do nothing when it waits or runs.

    It takes one slot: its candidates and final trainings run in its own process and helpers. It
    always runs on this machine, also where trainings go to a cluster.
    """
    ticket = ticket_for(study.recipe(), its_owner(study), time.time())
    line_up(study, ticket.model_copy(update={"short": False}))


def stop_study(study: StudyFolder) -> None:
    """Take a waiting study out of the line; ask a running one to end after its batch."""
    if not stop(study):
        return
    for which in ("default", "random", "best"):
        for path in study.root.glob(f"{study.name}-{which}*"):
            if (job := JobFolder(path)).is_alive():
                job.file("stop").touch()


def add_candidates(study: StudyFolder, n: int) -> None:
    """Let a study try `n` more candidates, its random control too."""
    if study.is_alive():
        msg = f"{study.name} is running: stop it, or wait for its end, before adding candidates"
        raise ConfigError(msg)
    config = study.config()
    data = config.model_dump(mode="json") | {"n_candidates": config.n_candidates + n}
    write_config(study, parse_study(data))
