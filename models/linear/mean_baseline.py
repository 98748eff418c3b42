"""The decoder that ignores the brain: the mean of the training ratings."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import Floats, Rows, TrialMatrix
from models.base.errors import ModelError
from models.linear.config import MeanConfig


class Mean:
    """Predict the training mean of every rating, whatever the response."""

    def __init__(self, config: MeanConfig) -> None:
        self.config = config
        self.mean: Floats | None = None

    def fit(self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]) -> Self:
        """Take the mean of Y (len(rows), n_targets); X and groups are not looked at."""
        self.mean = np.asarray(Y, np.float64).mean(0).astype(np.float32)
        return self

    def predict(self, X: TrialMatrix, rows: Rows) -> Floats:
        """Ratings (len(rows), n_targets): the mean, once per row."""
        return np.repeat(self._fitted()[None], len(rows), 0)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The mean, (n_targets,)."""
        return {"mean": self._fitted()}

    def _fitted(self) -> Floats:
        if self.mean is None:
            msg = "the mean is not fitted yet: call fit first"
            raise ModelError(msg)
        return self.mean

    @classmethod
    def from_arrays(cls, config: MeanConfig, arrays: dict[str, NDArray[Any]]) -> Self:
        """Rebuild from `arrays()`."""
        model = cls(config)
        model.mean = np.asarray(arrays["mean"], np.float32)
        return model
