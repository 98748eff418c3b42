"""Ridge regression on one-hot classes in a projected space: the reference of classifiers."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import Floats, Rows, TrialMatrix
from models.base.concepts import check_concepts, fitting_part
from models.classify.config import MultinomialRidgeConfig
from models.classify.labels import labels_of
from models.classify.projection import ProjectedClassifier, fit_projection

LOG10_ALPHAS = (-3.0, 3.0)


class MultinomialRidge(ProjectedClassifier):
    """One column of 0 and 1 a class, one penalty α for all, the largest column wins.

        W = (ZᵀZ + α n I)⁻¹ Zᵀ (Y − Ȳ) = Zᵀ (Y − Ȳ) / (n (s² + α)),    scores = z W + Ȳ

    z are principal components (projection.py) in units of the largest one's SD, so that ZᵀZ =
    n diag(s²) and every α costs a division. α is chosen by the mean rank of the true class on
    held-out groups (images or concepts), voxels and components of the fitting part there, and of
    all rows in the final fit.
    """

    def __init__(self, config: MultinomialRidgeConfig) -> None:
        super().__init__(config)
        self.config = config

    def fit(self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]) -> Self:
        """Fit on trials `rows`: one-hot Y (len(rows), n_classes), groups (len(rows),)."""
        labels = labels_of(Y)
        check_concepts(groups, 2, "ridge chooses its penalty on held-out groups and")
        fitting = fitting_part(groups, self.config.held_out, self.config.seed)
        projection, z = fit_projection(self.config, X, rows[fitting], Y[fitting])
        held = projection.apply(X, rows[~fitting])
        mean_rank = [
            _mean_rank(held @ weights(z, projection.sd, Y[fitting], a), labels[~fitting])
            for a in self._alphas
        ]
        alpha = float(self._alphas[int(np.argmin(mean_rank))])
        projection, z = fit_projection(self.config, X, rows, Y)
        self.keep(projection, weights(z, projection.sd, Y, alpha), Y.mean(0), alpha=alpha)
        return self

    @property
    def _alphas(self) -> NDArray[np.float64]:
        return np.logspace(*LOG10_ALPHAS, self.config.n_alphas)


def weights(z: Floats, sd: Floats, Y: Floats, alpha: float) -> Floats:
    """Weights (m, n_classes) for z (n, m) of variance 1; `sd` (m,) of the components before.

    α is in units of the largest component's variance.
    """
    s2 = (sd / sd.max()).astype(np.float64) ** 2
    shrunk = s2 / (s2 + alpha) / len(z)
    found: Floats = (shrunk[:, None] * (z.T @ (Y - Y.mean(0)))).astype(np.float32)
    return found


def _mean_rank(scores: Floats, labels: NDArray[np.int64]) -> float:
    own = scores[np.arange(len(labels)), labels][:, None]
    return float((scores > own).sum(1).mean())
