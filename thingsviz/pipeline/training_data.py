"""What a recipe turns into: opened store, split, standardised responses, answers to learn."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.base.arrays import TrialMatrix
from thingsviz.core.arrays import Rows
from thingsviz.core.command_hint import command_hint
from thingsviz.core.errors import ConfigError, DataError, JobError
from thingsviz.data.store.beta_store import BetaStore, store_state
from thingsviz.data.things.layout import Dataset, open_dataset
from thingsviz.data.things.ratings import available
from thingsviz.data.trials.folds import make_chosen
from thingsviz.data.trials.splits import Split, check_fitted_on
from thingsviz.data.trials.standardise import SessionScaler, StandardisedBetas
from thingsviz.jobs.arrays import read_arrays, write_arrays
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import JobConfig

SCALER_ARRAYS = ("sessions", "mean", "inverse_sd", "fitted_rows")


@dataclass(frozen=True)
class TrainingData(ABC):
    """Everything a model is fitted to and judged by; arrays have a row a trial of the store.

    What is learned from them, and how that is judged, says a task (pipeline.tasks).
    """

    config: JobConfig
    dataset: Dataset
    store: BetaStore
    split: Split
    scaler_file: Path

    @property
    @abstractmethod
    def outputs(self) -> tuple[str, ...]:
        """The names of what a model puts out: properties, or classes."""

    @property
    @abstractmethod
    def answers(self) -> NDArray[np.float32]:
        """What models learn, (n_trials, n_outputs): ratings on their scale, or classes one-hot."""

    @cached_property
    def concepts(self) -> NDArray[np.str_]:
        """The concept that each trial shows, (n_trials,); '' for catch trials."""
        return self.store.trials["concept"].fillna("").to_numpy(str)

    @cached_property
    def scaler(self) -> SessionScaler | None:
        """The z-scoring of sessions, fitted on training trials only; None when not wanted."""
        if self.config.standardise == "none":
            return None
        return load_scaler(self.scaler_file, self.store, self.split)

    @cached_property
    def responses(self) -> TrialMatrix:
        """Responses as models read them, (n_trials, n_voxels)."""
        return StandardisedBetas(self.store, self.scaler)

    @property
    def parts(self) -> dict[str, Rows]:
        """The rows that are predicted in the end, by part."""
        parts = {"validation": self.split.validation, "test": self.split.test}
        if "exemplars" in self.split.extra:
            parts["exemplars"] = np.asarray(self.split.extra["exemplars"], np.int64)
        return {name: rows for name, rows in parts.items() if len(rows)}

    @cached_property
    def split_hash(self) -> str:
        """One name for the rows of all parts."""
        digest = hashlib.sha256()
        for name, rows in {"train": self.split.train, **self.parts}.items():
            digest.update(name.encode() + np.asarray(rows, "<i8").tobytes())
        return digest.hexdigest()[:16]


def find_dataset(config: JobConfig) -> Dataset:
    """Find the recipe's dataset: a name below THINGSVIZ_DATA, or a path."""
    is_path = "/" in config.dataset or "\\" in config.dataset
    return open_dataset(Path(config.dataset) if is_path else config.dataset)


def open_store(dataset: Dataset, subject: str) -> BetaStore:
    """Open a subject's prepared data, or say in one sentence what is missing."""
    state = store_state(dataset, subject)
    if state.state not in {"ready", "stale"}:
        hint = command_hint("prepare", dataset.root, "--subject", subject)
        why = f" ({state.reason})" if state.reason else ""
        msg = f"{subject} of {dataset.name!r} is {state.state}{why}: prepare it with {hint}"
        raise DataError(msg)
    return BetaStore.open(dataset, subject)


def check_targets(config: JobConfig, store: BetaStore) -> None:
    """Refuse targets that the ratings of this dataset do not have."""
    there = available(store.trials.columns)
    lacking = [target for target in config.targets if target not in there]
    if lacking:
        msg = (
            f"the ratings of {config.dataset!r} have no {' and no '.join(lacking)}: "
            f"choose targets from {', '.join(there)}"
        )
        raise ConfigError(msg)


def scaler_file(job: JobFolder) -> Path:
    """Return where a job keeps the z-scoring of its training trials."""
    return job.checkpoints / "scaler.safetensors"


def read_split(
    job: JobFolder,
    store: BetaStore,
    trials: pd.DataFrame,
    check: Callable[[Split], None] = lambda split: None,
) -> Split:
    """Draw a job's split, or read the one that was drawn at its first start.

    `trials`: the store's, those unrated that no part may take; `check` may refuse a new split.
    """
    path, wish = job.file("split.json"), job.config().split
    if wish.is_cross_validation:
        msg = (
            f"job {job.name!r} is a cross-validation, which has a decoder a fold and none of its "
            "own: train one with a single split for that, or one fold of it (split.fold)"
        )
        raise JobError(msg)
    if not path.is_file():
        split = make_chosen(trials, wish.choice)
        check(split)
        split.save(path)
        return split
    split = Split.load(path)
    rows = np.concatenate([split.train, split.validation, split.test, *split.extra.values()])
    if len(rows) and not (rows.min() >= 0 and rows.max() < store.shape[0]):
        msg = f"{path} names trials that these data do not have: delete it or start a new job"
        raise JobError(msg)
    return split


def check_fingerprint(store: BetaStore, expected: str | None, dataset: str) -> None:
    """Refuse a job folder that was begun with other data of the same name."""
    if expected is not None and expected != store.fingerprint:
        msg = (
            f"this is a job folder of another dataset: it was begun with data {expected[:12]}, "
            f"but {dataset!r} holds {store.fingerprint[:12]}; start a new job for these data"
        )
        raise JobError(msg)


def load_scaler(path: Path, store: BetaStore, split: Split) -> SessionScaler:
    """Read the z-scoring kept by a job, or fit it on the training trials and keep it."""
    scaler = _read_scaler(path) if path.is_file() else _fit_scaler(path, store, split)
    check_fitted_on(split, scaler.fitted_rows, "the z-scoring")
    return scaler


def _read_scaler(path: Path) -> SessionScaler:
    kept = read_arrays(path)
    pooled = tuple(int(session) for session in kept["pooled"])
    sessions, mean, inverse_sd, fitted_rows = (kept[name] for name in SCALER_ARRAYS)
    return SessionScaler(sessions, mean, inverse_sd, fitted_rows, pooled)


def _fit_scaler(path: Path, store: BetaStore, split: Split) -> SessionScaler:
    scaler = SessionScaler.fit(store, split.train)
    arrays = {name: getattr(scaler, name) for name in SCALER_ARRAYS}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_arrays(path, {**arrays, "pooled": np.array(scaler.pooled, np.int64)})
    return scaler
