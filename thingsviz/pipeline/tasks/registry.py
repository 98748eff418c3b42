"""The tasks by what a recipe says it learns, and a job's folder opened as its task."""

from __future__ import annotations

import pandas as pd

from thingsviz.data.store.beta_store import BetaStore
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.learned import Learns
from thingsviz.jobs.recipe import JobConfig
from thingsviz.pipeline.tasks.base import Task
from thingsviz.pipeline.tasks.classes import Classes
from thingsviz.pipeline.tasks.ratings import Ratings
from thingsviz.pipeline.training_data import check_fingerprint, find_dataset, open_store

TASKS: dict[Learns, type[Task]] = {
    "ratings": Ratings,
    "concepts": Classes,
    "categories27": Classes,
    "categories53": Classes,
}


def open_trials(job: JobFolder) -> tuple[BetaStore, pd.DataFrame]:
    """Open a job's data, and its trials, those marked as unrated that no split may take."""
    config = job.config()
    dataset = find_dataset(config)
    store = open_store(dataset, config.subject)
    check_fingerprint(store, job.manifest().get("dataset_fingerprint"), config.dataset)
    return store, TASKS[config.learns].trials_of(job, dataset, store)


def open_task(
    job: JobFolder, store: BetaStore | None = None, config: JobConfig | None = None
) -> Task:
    """Open all that a job needs; `store` and `config` spare reading those again."""
    config = config or job.config()
    dataset = find_dataset(config)
    store = store or open_store(dataset, config.subject)
    check_fingerprint(store, job.manifest().get("dataset_fingerprint"), config.dataset)
    return TASKS[config.learns].open(job, dataset, store)
