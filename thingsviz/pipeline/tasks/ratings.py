"""The task of decoding ratings: on which scale, beside ridge, ceiling and oracle, naming too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.base.arrays import Floats, TrialMatrix
from models.catalog.config import ModelConfig
from models.catalog.registry import LinearModel
from models.linear.config import MeanConfig, RidgeConfig
from thingsviz.analysis.classes.hit_table import HitPlace
from thingsviz.analysis.classes.naming import Candidates, candidates, name_concepts, naming_rows
from thingsviz.analysis.scores import resampling
from thingsviz.analysis.scores.concept_sums import RatedPart, part
from thingsviz.analysis.scores.differences import comparison_sentences, difference_rows
from thingsviz.analysis.scores.limits import free_confidence, sentences
from thingsviz.analysis.scores.metrics import mse, pearson
from thingsviz.analysis.scores.rating_scales import RatingScale, training_scale
from thingsviz.analysis.scores.score_table import ScorePlace, ceiling_rows, model_rows
from thingsviz.core.arrays import Array, Rows
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset
from thingsviz.data.things.ratings import mean_column, sd_column
from thingsviz.data.trials.splits import Audit
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.pipeline import reference_cache
from thingsviz.pipeline.tasks.base import RIDGE, Predicted, Row, Scored, Task
from thingsviz.pipeline.tasks.table import KEYS, PartValues, judged_parts, trial_columns
from thingsviz.pipeline.training_data import check_targets, read_split, scaler_file


@dataclass(frozen=True)
class Ratings(Task):
    """Ratings of the recipe's targets; NaN for trials that show no rated concept.

    No part of a split contains such trials.
    """

    references: ClassVar[Mapping[str, ModelConfig]] = {"mean": MeanConfig(), RIDGE: RidgeConfig()}

    @classmethod
    def open(cls, job: JobFolder, dataset: Dataset, store: BetaStore) -> Self:
        """Open a job whose targets the dataset has."""
        config = job.config()
        check_targets(config, store)
        split = read_split(job, store, store.trials)
        return cls(config, dataset, store, split, scaler_file(job))

    @classmethod
    def outputs_of(cls, job: JobFolder, dataset: Dataset, store: BetaStore) -> tuple[str, ...]:
        """Return the targets."""
        return job.config().targets

    @property
    def outputs(self) -> tuple[str, ...]:
        """The targets."""
        return self.config.targets

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
        return self._columns([rater_column(target) for target in self.config.targets])

    def _columns(self, names: list[str]) -> Array:
        table = self.store.trials
        nothing = np.full(len(table), np.nan)
        columns = [table[n].to_numpy(float) if n in table else nothing for n in names]
        return np.column_stack(columns)

    @cached_property
    def scale(self) -> RatingScale:
        """The scale on which models are trained, fitted on training trials."""
        rows = self.split.train
        how, targets = self.config.rating_scale, self.config.targets
        return training_scale(how, targets, self.ratings[rows], self.concepts[rows])

    @cached_property
    def answers(self) -> NDArray[np.float32]:
        """Ratings on the training scale, (n_trials, n_targets)."""
        return self.scale.to_training(self.ratings).astype(np.float32)

    def target_weights(self) -> Floats | None:
        """Weigh training ratings by how much their raters agreed, if the recipe says so."""
        if self.config.fit.target_weights != "rating_sd":
            return None
        from models.training.losses import rating_weights

        return rating_weights(self.ratings, self.rating_sd, self.split.train)

    def epoch_row(self, model: LinearModel, X: TrialMatrix) -> Row:
        """Return mean squared errors on the training scale, and r of the validation."""
        Y, train, validation = self.answers, self.split.train, self.split.validation
        row = {"train_loss": float(mse(Y[train], model.predict(X, train)).mean())}
        if len(validation):
            true, guess = Y[validation], model.predict(X, validation)
            row["validation_loss"] = float(mse(true, guess).mean())
            row["validation_r"] = float(np.nan_to_num(pearson(true, guess)).mean())
        return row

    def unscaled(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring predictions back to the raters' own scales."""
        return self.scale.to_ratings(values).astype(np.float32)

    def tabulate(self, values: PartValues, config: ModelConfig) -> Predicted:
        """Return true and predicted ratings, SD between raters, and `rank`.

        rank: on which place the true concept comes when the ratings name one; missing where the
        trial's concept is not rated, in all rows with fewer than two targets.
        """
        table, rows = trial_columns(self, values), values.rows
        columns = {
            "true": self.ratings[rows],
            "pred": values.values,
            "sd": self.rating_sd[rows],
        }
        for j, target in enumerate(self.config.targets):
            for prefix, array in columns.items():
                if prefix != "sd" or np.isfinite(array[:, j]).any():
                    table[f"{prefix}_{target}"] = array[:, j]
        return Predicted(table.assign(rank=self._places(values.values, self.concepts[rows])))

    def _places(self, guess: Array, concepts: NDArray[np.str_]) -> Any:  # noqa: ANN401
        place = np.full(len(concepts), np.nan)
        if self.candidates is not None:
            named = name_concepts(self.candidates, guess, concepts)
            if named is not None:
                place[np.isin(concepts, self.candidates.names)] = named.own
        return pd.array(place, dtype="Int64")

    @cached_property
    def candidates(self) -> Candidates | None:
        """All rated concepts of the dataset, trained or not: any may be named."""
        return candidates(self.concepts, self.ratings, self.split.train)

    def score(self, name: str, predicted: Predicted, *, own: bool) -> Scored:
        """Score properties and their mean by r, errors and confidence."""
        rows: list[Row] = []
        draws = resampling.N_DRAWS
        for scored in scored_parts(predicted.table, self.config.targets):
            rows += model_rows(name, scored.where, scored.data, chance=own, n_draws=draws)
        return Scored(rows, [])

    def bounds(self, ridge: Predicted) -> Scored:
        """Score decoders that know the ratings behind the raters' means, or the planted truth."""
        rows: list[Row] = []
        for scored in scored_parts(ridge.table, self.config.targets):
            rows += ceiling_rows(scored.where, scored.data, self.n_raters[scored.rows])
            rows += self._oracle_rows(scored)
        return Scored(rows, [])

    def oracle(self, rows: Rows, n_averaged: int) -> Array | None:
        """Return what the best linear decoder predicts that knows the planted truth.

        (len(rows), n_targets), of single trials or of the means under a first repeat; NaN for
        targets that were not planted. None for measured data.
        """
        known = reference_cache.oracle_table(self.dataset, self.config.subject)
        if known is None:
            return None
        keys = self.store.trials.iloc[rows][KEYS].reset_index(drop=True)
        asked = known[known["n_averaged"] == n_averaged]
        found = keys.merge(asked, on=KEYS, how="left", validate="one_to_one")
        return found.reindex(columns=[f"pred_{t}" for t in self.outputs]).to_numpy(float)

    def _oracle_rows(self, scored: ScoredPart) -> list[Row]:
        predicted = self.oracle(scored.rows, _repeats(scored.where.n_averaged))
        if predicted is None:
            return []
        columns = np.flatnonzero(np.isfinite(predicted).any(0))
        if not len(columns) or not np.isfinite(predicted[:, columns]).all():
            return []
        data, targets = scored.data, tuple(scored.where.targets[i] for i in columns)
        same = part(
            data.true[:, columns], predicted[:, columns], data.sd[:, columns], data.concepts
        )
        where = scored.where._replace(targets=targets)
        return model_rows("oracle", where, same, chance=False, n_draws=resampling.N_DRAWS)

    def compare(self, predicted: Predicted, other: pd.DataFrame, name: str) -> list[Row]:
        """Compare with the other's scores on the same draws of concepts."""
        rows: list[Row] = []
        targets = self.config.targets
        pairs = zip(
            scored_parts(predicted.table, targets), scored_parts(other, targets), strict=True
        )
        for ours, theirs in pairs:
            rows += difference_rows(ours.where, ours.data, theirs.data, name, resampling.N_DRAWS)
        return rows

    def more_rows(self, predicted: Predicted) -> list[Row]:
        """Score the concepts named by predicted ratings, and by those of the reference ridge.

        No rows with fewer than two targets.
        """
        if self.candidates is None:
            return []
        name = self.config.model.name
        rows = self._naming(self.candidates, name, predicted.table)
        if name != RIDGE:
            beside = reference_cache.predictions(self, RIDGE)
            rows += self._naming(self.candidates, RIDGE, beside)
        return rows

    def _naming(self, known: Candidates, name: str, table: pd.DataFrame) -> list[Row]:
        own, rows = name == self.config.model.name, []
        for scored in scored_parts(table, self.config.targets):
            data = name_concepts(known, scored.data.predicted, scored.data.concepts)
            place = HitPlace(name, scored.where.part, scored.where.n_averaged)
            if data is not None:
                rows += naming_rows(place, known, data, own=own, n_draws=resampling.N_DRAWS)
        return rows

    def limits(self, rows: Sequence[Row], compared: Sequence[Row], checked: Audit) -> list[str]:
        """Say than what it is not shown to be better, and what the table cannot show."""
        said = sentences(rows, checked, self.config.split.kind, self.dataset.simulated)
        return [*comparison_sentences(compared), *said]

    def score_facts(self, predicted: Predicted) -> Row:
        """Return the confidence that a constant gets for nothing, for each part."""
        targets = self.config.targets
        return {
            "constant_confidence": {
                scored.where.part: free_confidence(scored.data, targets)
                for scored in scored_parts(predicted.table, targets)
                if scored.where.n_averaged == "single"
            }
        }

    def manifest_facts(self, job: JobFolder) -> Row:
        """Return the scale."""
        return {"rating_scale": {"kind": self.config.rating_scale, **self.scale.as_json()}}


class ScoredPart(NamedTuple):
    """One part with one way of averaging: where it stands in the table, its rows, its ratings."""

    where: ScorePlace
    rows: Rows
    data: RatedPart


def scored_parts(predictions: pd.DataFrame, targets: Sequence[str]) -> Iterator[ScoredPart]:
    """Walk over what gets rows in the table of scores, with its ratings."""
    for name, words, wanted in judged_parts(predictions):
        frame = predictions[wanted]
        true, predicted, sd = (
            frame.reindex(columns=[f"{prefix}_{target}" for target in targets]).to_numpy(float)
            for prefix in ("true", "pred", "sd")
        )
        data = part(true, predicted, sd, frame["concept"].to_numpy(str))
        where = ScorePlace(name, words, tuple(targets))
        yield ScoredPart(where, frame["row"].to_numpy(np.int64), data)


def rater_column(target: str) -> str:
    """Return the column that counts a property's raters; labels and size have none."""
    name = mean_column(target)
    return "property_N-ratings" if name.startswith("property_") else f"{name}-without-raters"


def _repeats(words: str) -> int:
    """Read the 12 of "mean of 12"; -1, which no oracle has, for "mean of 2 to 12"."""
    number = words.removeprefix("mean of ")
    return 1 if words == "single" else int(number) if number.isdigit() else -1
