"""The scales of ratings: as raters gave them, brought to 0-1 for training, or z-scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from thingsviz.core.arrays import Array
from thingsviz.core.errors import DataError
from thingsviz.data.things.ratings import rating_range


class RatingScale(NamedTuple):
    """training value = (rating − offset) / factor; both arrays (n_targets,)."""

    offset: Array
    factor: Array

    def to_training(self, ratings: ArrayLike) -> Array:
        """Bring ratings (n, n_targets) to the scale that a model is trained on."""
        return np.asarray((np.asarray(ratings, float) - self.offset) / self.factor)

    def to_ratings(self, values: ArrayLike) -> Array:
        """Bring training values (n, n_targets) back to the raters' own scales."""
        return np.asarray(np.asarray(values, float) * self.factor + self.offset)

    def as_json(self) -> dict[str, list[float]]:
        """Return plain lists for a manifest."""
        return {"offset": self.offset.tolist(), "factor": self.factor.tolist()}


def unit_scale(targets: Sequence[str]) -> RatingScale:
    """0 for the lowest answer, 1 for the highest: (r − 1)/6 for 1-7 ratings, r/520 for size."""
    ranges = [rating_range(target) for target in targets]
    low = np.array([r.low for r in ranges], float)
    return RatingScale(low, np.array([r.high for r in ranges], float) - low)


def training_scale(
    how: str, targets: Sequence[str], ratings: ArrayLike, concepts: ArrayLike
) -> RatingScale:
    """Return the scale `how` ("unit" | "raw" | "z") for training ratings (n, n_targets).

    z takes mean and SD over the training *concepts* (n,), each counted once.
    """
    if how == "unit":
        return unit_scale(targets)
    if how == "raw":
        return RatingScale(np.zeros(len(targets)), np.ones(len(targets)))
    _, first = np.unique(np.asarray(concepts), return_index=True)
    rows = np.asarray(ratings, float)[first]
    spread = rows.std(0)
    if not (spread > 0).all():
        flat = ", ".join(np.asarray(targets)[~(spread > 0)])
        msg = f"{flat} is the same for all training concepts: it cannot be z-scored or learned"
        raise DataError(msg)
    return RatingScale(rows.mean(0), spread)
