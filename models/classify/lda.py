"""Linear discriminant analysis in a projected space, its covariance shrunk to a sphere."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from sklearn.covariance import ledoit_wolf_shrinkage, shrunk_covariance

from models.base.arrays import Floats, Rows, TrialMatrix
from models.base.errors import ModelError
from models.classify.config import LDAConfig
from models.classify.labels import labels_of
from models.classify.projection import ProjectedClassifier, fit_projection

UNSEEN = -1e30  # log p of a class without training trials


class LDA(ProjectedClassifier):
    """Log p(class | z) with one covariance for all classes (Fisher 1936; Rao 1948).

        log p(c | z) = zᵀ Σ⁻¹ μ_c − ½ μ_cᵀ Σ⁻¹ μ_c + log π_c + const.
        Σ = (1 − λ) S + λ (trace S / m) I,    S = pooled covariance within classes

    λ by Ledoit & Wolf (2004) on the trials minus their class means, unless given.
    (scikit-learn's LinearDiscriminantAnalysis shrinks each class's covariance by itself, of scaled
    components: another classifier, which few trials a class would not bear.) With m = 400
    components and 720 classes the fit itself takes well under a second; memory is that of the
    projection.
    """

    def __init__(self, config: LDAConfig) -> None:
        super().__init__(config)
        self.config = config

    def fit(self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]) -> Self:
        """Fit on trials `rows` with one-hot Y (len(rows), n_classes); groups are not looked at."""
        labels = labels_of(Y)
        projection, z = fit_projection(self.config, X, rows, Y)
        count = Y.sum(0)
        mean = (Y.T @ z) / np.maximum(count, 1)[:, None]
        within = z - mean[labels]
        S = (within.T @ within / np.float32(len(z))).astype(np.float64)
        shrinkage = self.config.shrinkage
        if shrinkage is None:
            shrinkage = float(ledoit_wolf_shrinkage(within.astype(float), assume_centered=True))
        weights = _solved(shrunk_covariance(S, shrinkage), mean)
        bias = -0.5 * (mean.astype(float) * weights).sum(1)
        if self.config.prior == "training":
            bias += np.log(np.maximum(count, 1) / count.sum())
        bias[count == 0] = UNSEEN
        self.keep(projection, weights.T, bias, shrinkage=shrinkage)
        return self


def _solved(sigma: NDArray[np.float64], mean: Floats) -> NDArray[np.float64]:
    """Σ⁻¹ μ, (n_classes, m); a singular Σ is one sentence."""
    try:
        found: NDArray[np.float64] = cho_solve(cho_factor(sigma), mean.T.astype(float)).T
    except np.linalg.LinAlgError:
        msg = (
            "the covariance cannot be inverted: give the shrinkage a value above 0, fewer "
            "components, or more trials"
        )
        raise ModelError(msg) from None
    return found
