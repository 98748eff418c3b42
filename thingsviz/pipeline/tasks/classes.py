"""The task of decoding classes, concepts or categories: hits among the first k guesses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import log_softmax

from models.base.arrays import Floats, TrialMatrix
from models.catalog.config import ModelConfig
from models.catalog.registry import LinearModel, spec_of
from models.classify.config import IdentificationConfig, MultinomialRidgeConfig
from models.classify.labels import class_encoding_score, one_hot
from thingsviz.analysis.classes.differences import hit_rows, hit_sentences
from thingsviz.analysis.classes.hit_table import (
    HitPlace,
    class_curve,
    class_rows,
    ks_of,
    prior_line,
    prior_rows,
)
from thingsviz.analysis.classes.hits import Guesses, rank_classes
from thingsviz.analysis.classes.limits import class_sentences
from thingsviz.analysis.scores import resampling
from thingsviz.core.errors import ConfigError, JobError
from thingsviz.core.files import crc_of_file
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset
from thingsviz.data.things.ratings import available, mean_column
from thingsviz.data.trials.labels import LabelMap
from thingsviz.data.trials.splits import Audit, Split
from thingsviz.jobs.arrays import read_arrays, write_arrays
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.pipeline.tasks import labels
from thingsviz.pipeline.tasks.base import RIDGE, Predicted, Row, Scored, Task
from thingsviz.pipeline.tasks.table import PartValues, judged_parts, trial_columns
from thingsviz.pipeline.training_data import read_split, scaler_file

PRIOR, IDENTIFICATION = "prior", "identification"
SHOWN = 20
RANKS = "ranks.safetensors"


@dataclass(frozen=True)
class Classes(Task):
    """Which class each trial shows; trials of no class are in no part of a split."""

    labels: LabelMap
    """The classes to choose from."""

    references: ClassVar[Mapping[str, ModelConfig]] = {
        RIDGE: MultinomialRidgeConfig(),
        IDENTIFICATION: IdentificationConfig(),
    }
    references_may_fail: ClassVar[bool] = True
    reference_columns: ClassVar[Sequence[str] | None] = (
        *("row", "part", "n_averaged", "concept", "rank"),
    )

    @classmethod
    def open(cls, job: JobFolder, dataset: Dataset, store: BetaStore) -> Self:
        """Open a job with the classes of its first start, if its split lets them be learned."""
        known = labels.job_labels(job, dataset, store)

        def check(split: Split) -> None:
            labels.check_classes(split, known, store.trials)

        split = read_split(job, store, labels.labelled(store.trials, known), check)
        return cls(job.config(), dataset, store, split, scaler_file(job), known)

    @classmethod
    def outputs_of(cls, job: JobFolder, dataset: Dataset, store: BetaStore) -> tuple[str, ...]:
        """Return the names of the classes."""
        return labels.job_labels(job, dataset, store).names

    @classmethod
    def trials_of(cls, job: JobFolder, dataset: Dataset, store: BetaStore) -> pd.DataFrame:
        """Return the trials, those of no class marked as unrated."""
        return labels.labelled(store.trials, labels.job_labels(job, dataset, store))

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.labels.names

    @cached_property
    def classes(self) -> NDArray[np.int64]:
        """The class of each trial, (n_trials,); −1 where it has none."""
        return self.labels.classes_of(self.concepts)

    @cached_property
    def answers(self) -> NDArray[np.float32]:
        """Classes one-hot, (n_trials, n_classes)."""
        return one_hot(self.classes, len(self.labels.names))

    @property
    def groups(self) -> NDArray[Any]:
        """What a classifier may hold out, (n_trials,): whole concepts, or pictures of each.

        A concept that is held out cannot be learned as a class of its own.
        """
        if self.config.learns == "concepts":
            return self.store.trials["image_filename"].to_numpy(str)
        return self.concepts

    def voxel_scores(self, X: TrialMatrix) -> Floats:
        """Score the voxels by how they tell classes apart."""
        rows = self.split.train
        return class_encoding_score(X, rows, self.answers[rows])

    def blank_linear(self, config: ModelConfig) -> LinearModel:
        """Return a classifier that knows, where it asks for them, the classes' ratings."""
        model = super().blank_linear(config)
        if spec_of(config).names_unseen:
            model.know(self.profiles())  # type: ignore[attr-defined]
        return model

    def profiles(self) -> NDArray[np.float32]:
        """Return the true ratings of each class, (n_classes, n_ratings); NaN where unrated.

        Of the recipe's targets those that the dataset has, as rated; a category's ratings are the
        mean over its concepts.
        """
        table = self.store.trials
        targets = [t for t in self.config.targets if t in available(table.columns)]
        if len(targets) < 2:
            msg = "identification needs 2 rated properties or more: add targets"
            raise ConfigError(msg)
        shown = table[self.classes >= 0].assign(label=self.classes[self.classes >= 0])
        ratings = shown.drop_duplicates("concept").set_index("label")
        columns = ratings[[mean_column(target) for target in targets]].astype(float)
        means = columns.groupby(level=0).mean()
        return means.reindex(range(len(self.outputs))).to_numpy(np.float32)

    def epoch_row(self, model: LinearModel, X: TrialMatrix) -> Row:
        """Return the shares of hits in training and validation."""
        found: Row = {}
        for name, rows in (("train", self.split.train), ("validation", self.split.validation)):
            if len(rows):
                ranks = rank_classes(model.predict(X, rows))
                own = ranks[np.arange(len(rows)), self.classes[rows]]
                found |= {f"{name}_top{k}": float((own <= k).mean()) for k in (1, 10)}
        return found

    def tabulate(self, values: PartValues, config: ModelConfig) -> Predicted:
        """Return the true class, its rank, its probability if there is one, the first guesses."""
        table, scores = trial_columns(self, values), values.values
        names, true = np.array(self.outputs), self.classes[values.rows]
        each, ranks = np.arange(len(true)), rank_classes(scores)
        table["true_class"] = names[true]
        table["rank"] = ranks[each, true].astype(np.int64)
        log_p = has_probabilities(config)
        table["p_true"] = np.exp(log_softmax(scores, 1)[each, true]) if log_p else np.nan
        order = np.argsort(ranks, axis=1)[:, :SHOWN]
        for place in range(order.shape[1]):
            table[f"top_{place + 1}"] = names[order[:, place]]
        return Predicted(table, ranks)

    def kept(self, job: JobFolder) -> Predicted | None:
        """Return what a job's classifier said, None before it looked at the test trials."""
        table = job.predictions()
        if table is None or not job.file(RANKS).is_file():
            return None
        return Predicted(table, read_arrays(job.file(RANKS))["ranks"].astype(np.int16))

    def keep(self, job: JobFolder, predicted: Predicted) -> None:
        """Write down the ranks of all classes, then the table."""
        assert predicted.ranks is not None
        write_arrays(job.file(RANKS), {"ranks": predicted.ranks})
        super().keep(job, predicted)

    def score(self, name: str, predicted: Predicted, *, own: bool) -> Scored:
        """Score hits among the first k guesses and the mean rank; curves over every k."""
        scored, draws = Scored([], []), resampling.N_DRAWS
        for place, data in scored_classes(predicted, self.outputs, name):
            scored.rows.extend(class_rows(place, data, chance=own, n_draws=draws))
            scored.curves.append(class_curve(place, data, full=own, n_draws=draws))
        return scored

    def bounds(self, ridge: Predicted) -> Scored:
        """Score the guess that ignores the brain: the most frequent training classes."""
        scored, classes = Scored([], []), self.classes[self.split.train]
        trained = np.bincount(classes, minlength=len(self.outputs)).astype(np.int64)
        for place, data in scored_classes(ridge, self.outputs, PRIOR):
            scored.rows.extend(prior_rows(place, data, trained))
            scored.curves.append(prior_line(place, data, trained))
        return scored

    def compare(self, predicted: Predicted, other: pd.DataFrame, name: str) -> list[Row]:
        """Compare with the other's hits on the same trials."""
        rows: list[Row] = []
        ks = ks_of(len(self.outputs))
        for part, averaging, wanted in judged_parts(predicted.table):
            ours, theirs = predicted.table[wanted], other[wanted]
            if not np.array_equal(ours["row"], theirs["row"]):
                msg = f"the reference {name!r} was scored on other trials: delete its folder"
                raise JobError(msg)
            ranks, concepts = (ours["rank"], theirs["rank"]), ours["concept"].to_numpy(str)
            place = HitPlace(name, part, averaging)
            rows += hit_rows(place, ranks, concepts, ks, 10 * resampling.N_DRAWS)
        return rows

    def limits(self, rows: Sequence[Row], compared: Sequence[Row], checked: Audit) -> list[str]:
        """Say what is doubtful about the classes, and what the table cannot show."""
        return [
            *labels.doubts(self.config, self.dataset),
            *hit_sentences(compared),
            *class_sentences(rows, checked, self._learnable(), self.dataset.simulated),
        ]

    def _learnable(self) -> tuple[int, int]:
        """Return how many test trials show a class that was trained, and how many there are."""
        test = self.classes[self.split.test]
        return int(np.isin(test, self.classes[self.split.train]).sum()), len(test)

    def score_facts(self, predicted: Predicted) -> Row:
        """Return how many classes there are, and how many test trials show a trained one."""
        known, n_test = self._learnable()
        counts = {"test_trials": n_test, "of_trained_classes": known}
        return {"learnable": counts, "n_classes": len(self.outputs)}

    def manifest_facts(self, job: JobFolder) -> Row:
        """Return which classes, how many, and the checksum of their file."""
        facts = {"learns": self.config.learns, "n_classes": len(self.outputs)}
        return {**facts, "labels_crc32": crc_of_file(job.file(labels.FILE))}

    def cache_facts(self) -> Row:
        """Return the classes; 'kept' 2: the references' guesses are kept as well."""
        return {"learns": self.config.learns, "classes": self.labels.names, "kept": 2}


def has_probabilities(config: ModelConfig) -> bool:
    """Whether a classifier's scores are log-probabilities up to a constant."""
    return spec_of(config).kind == "network" or config.name == "lda"


class ScoredClasses(NamedTuple):
    """One part with one way of averaging."""

    place: HitPlace
    data: Guesses


def scored_classes(
    predicted: Predicted, names: tuple[str, ...], model: str
) -> Iterator[ScoredClasses]:
    """Walk over what gets rows in the table of scores, with its guesses."""
    table, ranks = predicted
    if ranks is None or ranks.shape != (len(table), len(names)):
        shape = None if ranks is None else ranks.shape
        msg = (
            f"ranks {shape} do not fit {len(table)} predictions of {len(names)} classes: "
            "delete predictions.parquet and start the job again"
        )
        raise JobError(msg)
    index = {name: i for i, name in enumerate(names)}
    for name, words, wanted in judged_parts(table):
        frame = table[wanted]
        true = np.asarray(frame["true_class"].map(index), np.int64)
        data = Guesses(ranks[wanted], true, frame["concept"].to_numpy(str))
        yield ScoredClasses(HitPlace(model, name, words), data)
