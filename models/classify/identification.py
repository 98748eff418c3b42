"""Naming a concept through its ratings: predict them, then look up who is rated like that."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import Floats, Rows, TrialMatrix
from models.base.errors import ModelError
from models.classify.config import IdentificationConfig
from models.classify.labels import labels_of
from models.linear.config import RidgeConfig
from models.linear.ridge import Ridge

UNRATED = -2.0  # below any correlation
OWN = ("profiles", "profile_mean", "profile_sd")


class Identification:
    """Correlation of predicted ratings with every class's true ones, over the ratings.

        score_c = r(z(r̂), z(p_c)),     z(x) = (x − mean) / SD over the training classes

    r̂ from ridge on the profiles p of the training trials' classes. A concept that was never
    trained can be named as well, which no one-hot classifier can. It needs the profiles: `know`.
    """

    def __init__(self, config: IdentificationConfig) -> None:
        self.config = config
        ridge = RidgeConfig(n_selected_voxels=config.n_selected_voxels, seed=config.seed)
        self.ridge = Ridge(ridge)
        self.profiles: Floats | None = None
        self.scale: tuple[Floats, Floats] | None = None

    def know(self, profiles: Floats) -> Self:
        """Take the true ratings of each class, (n_classes, n_ratings); NaN: not to be named."""
        if profiles.ndim != 2 or profiles.shape[1] < 2:
            msg = f"identification needs 2 ratings or more, but there are {profiles.shape[1:]}"
            raise ModelError(msg)
        self.profiles = np.asarray(profiles, np.float32)
        return self

    def fit(self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]) -> Self:
        """Fit on trials `rows`: one-hot Y (len(rows), n_classes), groups (len(rows),)."""
        labels, profiles = labels_of(Y), self._known()
        if profiles.shape[0] != Y.shape[1]:
            msg = f"{len(profiles)} profiles came for {Y.shape[1]} classes: give one a class"
            raise ModelError(msg)
        ratings = profiles[labels]
        rated = np.isfinite(ratings).all(1)
        trained = profiles[np.unique(labels[rated])]
        sd = trained.std(0)
        self.scale = (trained.mean(0), np.where(sd > 0, sd, 1).astype(np.float32))
        self.ridge.fit(X, rows[rated], ratings[rated], groups[rated])
        return self

    def predict(self, X: TrialMatrix, rows: Rows) -> Floats:
        """Correlations (len(rows), n_classes), −2 for a class without ratings."""
        return similarity(self.ridge.predict(X, rows), self._known(), *self._scale())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Those of the ridge, and the profiles with their scale."""
        own = (self._known(), *self._scale())
        return {**self.ridge.arrays(), **dict(zip(OWN, own, strict=True))}

    @classmethod
    def from_arrays(cls, config: IdentificationConfig, arrays: dict[str, NDArray[Any]]) -> Self:
        """Rebuild from `arrays()`."""
        model = cls(config).know(arrays["profiles"])
        model.scale = (arrays["profile_mean"], arrays["profile_sd"])
        rest = {name: value for name, value in arrays.items() if name not in OWN}
        model.ridge = Ridge.from_arrays(model.ridge.config, rest)
        return model

    def _known(self) -> Floats:
        if self.profiles is None:
            msg = "identification needs the true ratings of each class: call know(profiles) first"
            raise ModelError(msg)
        return self.profiles

    def _scale(self) -> tuple[Floats, Floats]:
        if self.scale is None:
            msg = "identification is not fitted yet: call fit first"
            raise ModelError(msg)
        return self.scale


def similarity(predicted: Floats, profiles: Floats, mean: Floats, sd: Floats) -> Floats:
    """Pearson r (n, n_classes) of z-scored ratings (n, k) and profiles (n_classes, k)."""
    rated = np.isfinite(profiles).all(1)
    a, b = (_unit(np.asarray(x - mean, float) / sd) for x in (predicted, profiles[rated]))
    r = np.full((len(predicted), len(profiles)), UNRATED, np.float32)
    r[:, rated] = a @ b.T
    return r


def _unit(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centred rows of length 1; 0 for a row without differences."""
    centred = z - z.mean(1, keepdims=True)
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    flat = norm <= 1e-6 * np.linalg.norm(z, axis=1, keepdims=True)
    return np.where(flat, 0, centred / np.where(flat, 1, norm))
