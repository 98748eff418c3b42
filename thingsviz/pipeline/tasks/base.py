"""The protocol of a task: what a decoder learns, how it is fitted, kept, judged and compared."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.base.arrays import Floats, TrialMatrix
from models.base.voxel_scores import encoding_score
from models.catalog.config import ModelConfig
from models.catalog.registry import LinearModel, build_linear
from thingsviz.analysis.classes.hits import Ranks
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset
from thingsviz.data.trials.splits import Audit
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.manifest import keep_predictions
from thingsviz.pipeline.tasks.table import PartValues, Predict, values_of_parts
from thingsviz.pipeline.training_data import TrainingData

Row = dict[str, Any]
RIDGE = "ridge"  # the reference beside whose rows the bounds are shown


class Predicted(NamedTuple):
    """What a model said: a row a trial, and for classes every class's rank beside it."""

    table: pd.DataFrame
    ranks: Ranks | None = None  # (len(table), n_classes)


class Scored(NamedTuple):
    """Rows of a table of scores, and curves of hits over k where classes are learned."""

    rows: list[Row]
    curves: list[Row]


@dataclass(frozen=True)
class Task(TrainingData, ABC):
    """Training data with all that depends on what is learned from them.

    One class a task, such as `Ratings` and `Classes`; fitting, predicting, scoring and the
    references go the same way for all of them and ask these methods.
    """

    references: ClassVar[Mapping[str, ModelConfig]]
    """The models that every training is shown beside, by the name of their rows."""
    references_may_fail: ClassVar[bool] = False
    """Whether a reference that cannot be fitted to these data is left out."""
    reference_columns: ClassVar[Sequence[str] | None] = None
    """The columns of a reference's predictions that are kept; None: all."""

    @classmethod
    @abstractmethod
    def open(cls, job: JobFolder, dataset: Dataset, store: BetaStore) -> Self:
        """Open a job: what it learns and its split, drawn at its first start."""

    @classmethod
    @abstractmethod
    def outputs_of(cls, job: JobFolder, dataset: Dataset, store: BetaStore) -> tuple[str, ...]:
        """Return the names of a job's outputs without opening anything else."""

    @classmethod
    def trials_of(cls, job: JobFolder, dataset: Dataset, store: BetaStore) -> pd.DataFrame:
        """Return the trials of which a job's split is drawn."""
        return store.trials

    # fitting

    @property
    def groups(self) -> NDArray[Any]:
        """What a model may hold out as a whole, (n_trials,): concepts."""
        return self.concepts

    def voxel_scores(self, X: TrialMatrix) -> Floats:
        """Score the voxels by what is learned, on the training trials, (n_voxels,)."""
        rows = self.split.train
        return encoding_score(X, rows, self.answers[rows])

    def target_weights(self) -> Floats | None:
        """Return how much each training answer counts; None: all the same."""
        return None

    def blank_linear(self, config: ModelConfig) -> LinearModel:
        """Return a linear model that is not fitted yet."""
        return build_linear(config, self.store.mask)

    def fit_linear(self, config: ModelConfig, X: TrialMatrix) -> LinearModel:
        """Fit a linear model on the training trials."""
        rows = self.split.train
        model = self.blank_linear(config)
        return model.fit(X, rows, self.answers[rows], self.groups[rows])

    @abstractmethod
    def epoch_row(self, model: LinearModel, X: TrialMatrix) -> Row:
        """Measure a fitted linear model on training and validation, as an epoch of a network."""

    # predicting

    def unscaled(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring a model's output (n, n_outputs) from the scale it learned to the data's own."""
        return values

    @abstractmethod
    def tabulate(self, values: PartValues, config: ModelConfig) -> Predicted:
        """Make a table of a model's output, a row a trial or a mean of repeats."""

    def predict(self, predict: Predict, config: ModelConfig) -> Predicted:
        """Predict validation, test and, if the split has them, exemplars.

        `predict` gives `unscaled` outputs of `config`'s model. The test part has a second set of
        rows: for an image with k > 1 repeats the mean of its k outputs, under its first repeat.
        """
        made = [self.tabulate(values, config) for values in values_of_parts(self, predict)]
        table = pd.concat([part.table for part in made], ignore_index=True)
        ranks = [part.ranks for part in made if part.ranks is not None]
        return Predicted(table, np.concatenate(ranks) if ranks else None)

    def kept(self, job: JobFolder) -> Predicted | None:
        """Return what a job's model said, None before it looked at the test trials."""
        table = job.predictions()
        return None if table is None else Predicted(table)

    def keep(self, job: JobFolder, predicted: Predicted) -> None:
        """Write down what a job's model said, the table last."""
        keep_predictions(job, predicted.table)

    # judging

    @abstractmethod
    def score(self, name: str, predicted: Predicted, *, own: bool) -> Scored:
        """Score every part that is judged; `own`: a job's own model, with chance beside it."""

    @abstractmethod
    def bounds(self, ridge: Predicted) -> Scored:
        """Score what needs no model, on the trials of the reference ridge: ceiling or prior."""

    @abstractmethod
    def compare(self, predicted: Predicted, other: pd.DataFrame, name: str) -> list[Row]:
        """Compare with the kept predictions of the reference `name`, part by part."""

    def more_rows(self, predicted: Predicted) -> list[Row]:
        """Return rows of other questions that the same predictions answer."""
        return []

    @abstractmethod
    def limits(self, rows: Sequence[Row], compared: Sequence[Row], checked: Audit) -> list[str]:
        """Say in sentences what the scores could not show, the weightiest first."""

    @abstractmethod
    def score_facts(self, predicted: Predicted) -> Row:
        """Return what scores.json holds of this task alone."""

    @abstractmethod
    def manifest_facts(self, job: JobFolder) -> Row:
        """Return what the manifest holds of the answers."""

    def cache_facts(self) -> Row:
        """Return what references depend on besides data, split, targets and scale."""
        return {}
