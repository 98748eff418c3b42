"""A fitted linear decoder: weights on some voxels and an intercept, kept as plain arrays."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.base.arrays import Floats, Rows, TrialMatrix
from models.base.errors import ModelError
from models.base.settings import Settings

PREDICT_ROWS = 64


class Readout:
    """Ratings = responses of `voxels` · weights + intercept; what fits it is a subclass's own."""

    def __init__(self, config: Settings) -> None:
        self._arrays: dict[str, NDArray[Any]] = {}

    def keep(
        self, voxels: NDArray[np.int64], W: Floats, offset: NDArray[Any], **more: ArrayLike
    ) -> None:
        """Take voxels (k,), W (k, n_targets), offset (n_targets,) and whatever else was found."""
        kept = {"weights": W, "intercept": offset}
        arrays = {name: np.ascontiguousarray(value, np.float32) for name, value in kept.items()}
        extra = {name: np.atleast_1d(np.asarray(value)) for name, value in more.items()}
        self._arrays = {**arrays, "voxels": np.asarray(voxels, np.int64), **extra}

    def predict(self, X: TrialMatrix, rows: Rows) -> Floats:
        """Ratings (len(rows), n_targets) on the scale of Y."""
        fitted = self.arrays()
        W, voxels, intercept = fitted["weights"], fitted["voxels"], fitted["intercept"]
        every = len(voxels) == X.shape[1]
        out = np.empty((len(rows), W.shape[1]), np.float32)
        for start in range(0, len(rows), PREDICT_ROWS):
            part = slice(start, start + PREDICT_ROWS)
            block = X.batch(rows[part])
            out[part] = (block if every else block[:, voxels]) @ W + intercept
        return out

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Weights (k, n_targets), intercept (n_targets,), voxels (k,), and what fitting chose."""
        if not self._arrays:
            msg = f"the {_words(type(self).__name__)} is not fitted yet: call fit first"
            raise ModelError(msg)
        return dict(self._arrays)

    @classmethod
    def from_arrays(cls, config: Any, arrays: dict[str, NDArray[Any]]) -> Self:  # noqa: ANN401
        """Rebuild a fitted decoder from its config and `arrays()`."""
        model = cls(config)
        model._arrays = {name: np.asarray(value) for name, value in arrays.items()}
        return model


def _words(name: str) -> str:
    """Write ConceptDecoder as 'concept decoder'."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
