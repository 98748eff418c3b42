"""All that a visitor can set going, change or end: who may, whose it is then, and the audit line.

No other module of the pages imports the functions that do these things; a test looks. So whatever
a page forgets to disable is refused here, before anything is made.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import BinaryIO, TypeVar

from thingsviz.analysis.regions import parcellation
from thingsviz.core import log
from thingsviz.core.errors import JobError
from thingsviz.core.users import os_user
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset
from thingsviz.jobs.about import owner_of, write_about
from thingsviz.jobs.job_folder import JobFolder, create_job, jobs_root
from thingsviz.jobs.recipe import JobConfig
from thingsviz.queue import audit_log, background_tasks, submit
from thingsviz.queue import trash as job_bin
from thingsviz.queue.background_tasks import Task
from thingsviz.queue.trash import DeletedJob, LeftoverState
from thingsviz.reports import bundle as job_bundle
from thingsviz.studies.config import StudyConfig
from thingsviz.studies.study_folder import StudyFolder, create_study
from thingsviz.studies.submit import add_candidates, start_study, stop_study
from thingsviz.ui.access.ownership import check_may_change, claim, current_user, may_change
from thingsviz.ui.access.visitor import AccessError, need, visitor

T = TypeVar("T")
LOG = logging.getLogger("thingsviz.actions")


def refusal() -> str:
    """Return '' for a visitor who may train, else the sentence that says whom to ask."""
    try:
        need("train")
    except AccessError as error:
        return str(error)
    return ""


def _note(action: str, what: str) -> None:
    known = visitor()
    log.event(action, who=known.name, address=known.address, what=what)
    try:
        audit_log.note(known.name, known.address, action, what)
    except OSError as error:
        # on a full disk one must still be able to stop a training and to delete one
        LOG.error("%s %s %s could not be noted: %s", known.name, action, what, error)


def begin_training(config: JobConfig) -> JobFolder:
    """Make a job of a recipe, the visitor's own, and put it into the line."""
    need("train")
    job = create_job(config)
    claim(job)
    _note("start training", job.name)
    submit.start(job, config)
    return job


def resume_training(job: JobFolder) -> None:
    """Put a stopped or failed job back into the line."""
    _change(job, "resume training", submit.start)


def stop_training(job: JobFolder) -> None:
    """Take a job out of the line, or ask it to end after its batch."""
    _change(job, "stop training", submit.stop)


def delete_job(job: JobFolder) -> DeletedJob:
    """Move a job into the bin."""
    return _change(job, "delete job", job_bin.delete)


def describe_job(job: JobFolder, *, title: str, tags: tuple[str, ...], note: str) -> None:
    """Change what people say of a job."""

    def write(job: JobFolder) -> None:
        write_about(job, title=title, tags=tags, note=note)

    _change(job, "describe job", write)


def _change(job: JobFolder, action: str, do: Callable[[JobFolder], T]) -> T:
    check_may_change(job)
    done = do(job)
    _note(action, job.name)
    return done


def restore_job(one: DeletedJob) -> JobFolder:
    """Take a job out of the bin again."""
    check_may_change(JobFolder(one.path))
    job = job_bin.restore(one)
    _note("restore job", job.name)
    return job


def empty_bin(found: Sequence[DeletedJob]) -> None:
    """Delete for good what is in the bin; nothing of it where one of them is somebody else's."""
    need("train")
    for one in found:
        check_may_change(JobFolder(one.path))
    for one in found:
        job_bin.empty([one])
        _note("delete for good", one.name)


def clean_up(found: Sequence[LeftoverState]) -> int:
    """Delete states from which old trainings could go on; returns the bytes freed."""
    need("train")
    for one in found:
        check_may_change(JobFolder(jobs_root() / one.name))
    freed = job_bin.clean(found)
    for one in found:
        _note("delete states", one.name)
    return freed


def bring_job(zipped: BinaryIO, called: str) -> JobFolder:
    """Open a zip made on another machine as a job of the visitor's."""
    need("train")
    job = job_bundle.import_job(zipped, called, rename=False, owner=current_user())
    _note("import job", job.name)
    return job


def add_parcellation(
    dataset: Dataset, store: BetaStore, name: str, image: BinaryIO, table: bytes, space: str
) -> None:
    """Keep a visitor's parcellation beside the prepared data, for everybody who sees those."""
    need("train")
    parcellation.keep_parcellation(
        store, parcellation.kept_folder(dataset), name, image.read(), table, space
    )
    _note("add parcellation", name)


def begin_task(kind: str, args: Sequence[str]) -> Task:
    """Start background work, the visitor's own."""
    need("train")
    task = background_tasks.start_task(kind, args, owner=current_user())
    _note(f"start {kind}", args[0] if args else "")
    return task


def task_refusal(task_id: str) -> str:
    """Return '' for whoever may interrupt background work, else the sentence: whom to ask."""
    owner = background_tasks.owner_of(task_id) or os_user()
    if (refused := refusal()) or may_change(owner):
        return refused
    return f"this was started by {owner}: ask them, or an administrator"


def end_task(task_id: str) -> None:
    """Interrupt background work, as its starter or an administrator may."""
    if refused := task_refusal(task_id):
        raise JobError(refused)
    background_tasks.stop_task(task_id)
    _note("stop task", task_id)


def begin_study(config: StudyConfig) -> StudyFolder:
    """Make a study of a recipe, the visitor's own, and start it."""
    need("train")
    study = create_study(config)
    claim(study)
    _note("start study", study.name)
    start_study(study)
    return study


def resume_study(study: StudyFolder, more: int = 0) -> None:
    """Let a study go on, with `more` candidates where that is wished for."""
    check_may_change(study)
    if more:
        add_candidates(study, more)
        _note(f"add {more} candidates", study.name)
    start_study(study)
    _note("resume study", study.name)


def end_study(study: StudyFolder) -> None:
    """Ask a study to end after the batch it is in."""
    check_may_change(study)
    stop_study(study)
    _note("stop study", study.name)


def may_change_study(study: StudyFolder) -> bool:
    """Whether the visitor may stop, resume or enlarge a study."""
    return may_change(owner_of(study))
