"""Which classes a job learns, kept in its folder, and whether its split lets them be learned."""

from __future__ import annotations

import numpy as np
import pandas as pd

from thingsviz.core.errors import ConfigError, DataError, JobError
from thingsviz.core.files import crc_of_file
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset
from thingsviz.data.trials.labels import LabelMap, label_doubts, label_map
from thingsviz.data.trials.splits import Split
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import JobConfig

FILE = "labels.tsv"


def job_labels(job: JobFolder, dataset: Dataset, store: BetaStore) -> LabelMap:
    """Return the classes of a job, those of its first start."""
    config, path = job.config(), job.file(FILE)
    if path.is_file():
        if job.manifest().get("labels_crc32", crc_of_file(path)) != crc_of_file(path):
            msg = f"{path} is not as it was written (its checksum does not fit): restore it"
            raise JobError(msg)
        return LabelMap.load(path)
    found = label_map(dataset, config.subject, config.learns, store.trials)
    found.save(path)
    return found


def labelled(trials: pd.DataFrame, labels: LabelMap) -> pd.DataFrame:
    """Return the trials with those of no class marked as unrated, so that no part takes them."""
    known = labels.classes_of(trials["concept"].fillna("").to_numpy(str)) >= 0
    return trials.assign(uniqueID=trials["uniqueID"].where(known))


def doubts(config: JobConfig, dataset: Dataset) -> list[str]:
    """Say why the classes of a job could be wrong, a sentence each."""
    try:
        found = label_doubts(dataset, config.learns)
    except DataError:  # the file has gone since the classes were made
        return []
    return [f"Whether the classes are right: {text}." for text in found]


def check_classes(split: Split, labels: LabelMap, trials: pd.DataFrame) -> None:
    """Refuse a split without training trials of two classes, or without test trials."""
    concepts = trials["concept"].fillna("").to_numpy(str)
    trained = np.unique(labels.classes_of(concepts[split.train]))
    if len(trained) < 2:
        msg = (
            f"the training part shows {len(trained)} of {len(labels.names)} classes: a classifier "
            "needs 2 or more, so choose another split or other classes"
        )
        raise ConfigError(msg)
    if not len(split.test):
        msg = "the split has no test trial that shows a class: give the test a larger share"
        raise ConfigError(msg)
