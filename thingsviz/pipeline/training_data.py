"""What a recipe turns into: opened store, split, standardised responses, scaled ratings."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import TrialMatrix
from models.classify.labels import one_hot
from thingsviz.analysis.scores.rating_scales import RatingScale, training_scale
from thingsviz.core.arrays import Array, Rows
from thingsviz.core.errors import ConfigError, DataError, JobError
from thingsviz.data.store.beta_store import BetaStore, store_state
from thingsviz.data.things.layout import Dataset, open_dataset
from thingsviz.data.things.ratings import available, mean_column, sd_column
from thingsviz.data.trials.labels import LabelMap
from thingsviz.data.trials.splits import Split, check_fitted_on, make_split
from thingsviz.data.trials.standardise import SessionScaler, StandardisedBetas
from thingsviz.jobs.arrays import read_arrays, write_arrays
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import JobConfig
from thingsviz.pipeline.classes.labels import check_classes, job_labels, labelled

SCALER_ARRAYS = ("sessions", "mean", "inverse_sd", "fitted_rows")


@dataclass(frozen=True)
class TrainingData:
    """Everything a model is fitted to and judged by; arrays have a row a trial of the store.

    Ratings of trials that show no rated concept are NaN; no part of a split contains them.
    """

    config: JobConfig
    dataset: Dataset
    store: BetaStore
    split: Split
    scaler_file: Path
    labels: LabelMap | None = None
    """The classes to choose from; None where ratings are learned."""

    @cached_property
    def ratings(self) -> Array:
        """Ratings on the raters' own scales, (n_trials, n_targets)."""
        return self._columns([mean_column(target) for target in self.config.targets])

    @cached_property
    def rating_sd(self) -> Array:
        """SD between raters, (n_trials, n_targets); NaN where the release has none."""
        return self._columns([sd_column(target) for target in self.config.targets])

    @cached_property
    def n_raters(self) -> Array:
        """How many raters stand behind a mean, (n_trials, n_targets); NaN where nobody says."""
        names = [rater_column(target) for target in self.config.targets]
        return self._columns(names)

    def _columns(self, names: list[str]) -> Array:
        table = self.store.trials
        nothing = np.full(len(table), np.nan)
        columns = [table[n].to_numpy(float) if n in table else nothing for n in names]
        return np.column_stack(columns)

    @cached_property
    def concepts(self) -> NDArray[np.str_]:
        """The concept that each trial shows, (n_trials,); '' for catch trials."""
        return self.store.trials["concept"].fillna("").to_numpy(str)

    @cached_property
    def scale(self) -> RatingScale:
        """The scale on which models are trained, fitted on training trials."""
        rows = self.split.train
        how, targets = self.config.rating_scale, self.config.targets
        return training_scale(how, targets, self.ratings[rows], self.concepts[rows])

    @cached_property
    def training_ratings(self) -> NDArray[np.float32]:
        """Ratings on the training scale, (n_trials, n_targets)."""
        return self.scale.to_training(self.ratings).astype(np.float32)

    @cached_property
    def classes(self) -> NDArray[np.int64]:
        """The class of each trial, (n_trials,); −1 where it has none or ratings are learned."""
        if self.labels is None:
            return np.full(len(self.concepts), -1)
        return self.labels.classes_of(self.concepts)

    @cached_property
    def answers(self) -> NDArray[np.float32]:
        """What models learn, (n_trials, n_outputs): ratings on their scale, or classes one-hot."""
        if self.labels is None:
            return self.training_ratings
        return one_hot(self.classes, len(self.labels.names))

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of what a model puts out: properties, or classes."""
        return self.config.targets if self.labels is None else self.labels.names

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


def rater_column(target: str) -> str:
    """Return the column that counts a property's raters; labels and size have none."""
    name = mean_column(target)
    return "property_N-ratings" if name.startswith("property_") else f"{name}-without-raters"


def find_dataset(config: JobConfig) -> Dataset:
    """Find the recipe's dataset: a name below THINGSVIZ_DATA, or a path."""
    is_path = "/" in config.dataset or "\\" in config.dataset
    return open_dataset(Path(config.dataset) if is_path else config.dataset)


def open_store(dataset: Dataset, subject: str) -> BetaStore:
    """Open a subject's prepared data, or say in one sentence what is missing."""
    state = store_state(dataset, subject)
    if state.state not in {"ready", "stale"}:
        hint = f"python -m thingsviz.commands.prepare {dataset.root} --subject {subject}"
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


def open_material(job: JobFolder, store: BetaStore | None = None) -> TrainingData:
    """Open all that a job needs; `store` spares opening the data again."""
    config = job.config()
    dataset = find_dataset(config)
    store = store or open_store(dataset, config.subject)
    check_fingerprint(store, job.manifest().get("dataset_fingerprint"), config.dataset)
    labels = job_labels(job, dataset, store)
    if labels is None:
        check_targets(config, store)
    split = read_split(job, config, store, labels)
    return TrainingData(
        config, dataset, store, split, job.checkpoints / "scaler.safetensors", labels
    )


def read_split(
    job: JobFolder, config: JobConfig, store: BetaStore, labels: LabelMap | None = None
) -> Split:
    """Draw a job's split, or read the one that was drawn at its first start."""
    path, wish = job.file("split.json"), config.split
    if not path.is_file():
        trials = store.trials if labels is None else labelled(store.trials, labels)
        split = make_split(trials, wish.kind, wish.fractions, wish.seed)
        if labels is not None:
            check_classes(split, labels, store.trials)
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
