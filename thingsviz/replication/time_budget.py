"""Fit the original study's trainings into a number of minutes: fewer batches, stated."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.cost.estimate import Size, Speed, estimate, machine_speed
from models.training.config import FitConfig
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.trials.splits import make_split
from thingsviz.jobs.recipe import JobConfig

# what is left for the reference rows, the linear decoders and start-up
SHARE = 0.7
STARTUP_S = 8.0
FEWEST_CANDIDATES = 2


class TrainingSizes(NamedTuple):
    """Trials of each part, and how many numbers the model puts out."""

    n_train: int
    n_validation: int
    n_test: int
    n_outputs: int


class TrainingLoad(NamedTuple):
    """What a network's training takes on a machine, in seconds."""

    batch: float
    check: float  # validating one batch
    predict: float  # validation and test, at the end, and the start
    n_batches: int  # of a whole epoch
    n_checks: int

    @property
    def least(self) -> float:
        """One batch, checked, and the predictions."""
        return self.predict + self.batch + self.check

    def whole(self, epochs: int) -> float:
        """The training as the original study ran it."""
        return self.predict + epochs * (self.n_batches * self.batch + self.n_checks * self.check)


class ShortenedRecipe(NamedTuple):
    """A recipe that fits its time, and the sentence on what was cut."""

    config: JobConfig
    words: str


def sizes_of(config: JobConfig, store: BetaStore) -> TrainingSizes:
    """Draw the split and count."""
    wish = config.split
    split = make_split(store.trials, wish.kind, wish.fractions, wish.seed)
    n_outputs = len(config.targets)
    if config.learned.kind == "classes":
        n_outputs = int(store.trials["concept"].nunique())
    return TrainingSizes(len(split.train), len(split.validation), len(split.test), n_outputs)


def load_of(
    config: JobConfig, mask: NDArray[np.bool_], sizes: TrainingSizes, speed: Speed | None = None
) -> TrainingLoad:
    """Estimate a network's training on this machine (models.cost.estimate)."""
    fit, speed = config.fit, speed or machine_speed()
    one = fit.model_copy(update={"batches_per_epoch": 1, "validation_batches": None})

    def epoch(n_validated: int) -> float:
        size = Size(sizes.n_train, n_validated, sizes.n_outputs)
        return estimate(config.model, mask, one, size, speed).seconds_per_epoch

    batch = epoch(0)
    trial = max(epoch(1_000_000) - batch, 0.0) / 1_000_000
    n_checks = fit.validation_batches or math.ceil(sizes.n_validation / fit.batch_size)
    return TrainingLoad(
        batch,
        trial * fit.batch_size,
        STARTUP_S + trial * (sizes.n_validation + sizes.n_test),
        fit.batches_per_epoch or math.ceil(sizes.n_train / fit.batch_size),
        n_checks,
    )


def shares(
    least: Mapping[str, float], whole: Mapping[str, float], total: float
) -> dict[str, float]:
    """Deal out `total` seconds; those that need most are left out until the others' least fit.

    What is left after everybody's least is dealt out evenly, to nobody more than the whole.
    """
    kept = sorted(least, key=least.__getitem__)
    while kept and sum(least[key] for key in kept) > total:
        kept.pop()
    given = {key: least[key] for key in kept}
    left = total - sum(given.values())
    for i, key in enumerate(sorted(kept, key=lambda k: whole[k] - least[k])):
        more = min(left / (len(kept) - i), max(whole[key] - least[key], 0.0))
        given[key] += more
        left -= more
    return given


def cut(config: JobConfig, load: TrainingLoad, seconds: float) -> ShortenedRecipe:
    """Take as many batches as fit; epochs are given up only where one batch each does not fit."""
    fit = config.fit
    if load.whole(fit.epochs) <= seconds:
        return ShortenedRecipe(config, "")
    changes = _fewer(fit, load, seconds - load.predict)
    words = (
        f"cut to fit the time: {changes['epochs'] * changes['batches_per_epoch']:,} of the "
        f"original study's {fit.epochs * load.n_batches:,} batches of {fit.batch_size}"
    )
    return ShortenedRecipe(
        config.model_copy(update={"fit": fit.model_copy(update=changes)}), words
    )


def _fewer(fit: FitConfig, load: TrainingLoad, left: float) -> dict[str, Any]:
    """Return how many epochs of how many batches fit, with a validation of one batch each."""
    epochs = max(1, min(fit.epochs, int(left / (load.batch + load.check))))
    batches = max(1, min(load.n_batches, int((left / epochs - load.check) / load.batch)))
    return {"epochs": epochs, "batches_per_epoch": batches, "validation_batches": 1}


def candidates(wanted: int, load: TrainingLoad, seconds: float) -> int:
    """Return how many candidates of a search fit beside its final training, at least two."""
    return max(FEWEST_CANDIDATES, min(wanted, int(seconds / load.least) - 1))


def study_least(load: TrainingLoad) -> float:
    """Return the least that a search takes: two candidates and the final training."""
    return (FEWEST_CANDIDATES + 1) * load.least


def study_whole(load: TrainingLoad, epochs: int, wanted: int) -> float:
    """Return what the original study's search takes, with its final training."""
    return (wanted + 1) * load.whole(epochs)
