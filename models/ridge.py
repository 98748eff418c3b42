"""Ridge regression from voxels to ratings, in blocks; penalties chosen on held-out concepts."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from models.concepts import check_concepts, checked, correlation, fitting_part
from models.config import RidgeConfig
from models.inputs import Floats, Rows, TrialMatrix
from models.readout import Readout
from models.selection import best, encoding_score


class Metric(NamedTuple):
    """The voxels that count, (k,) indices, and what each is multiplied by, (k,)."""

    voxels: NDArray[np.int64]
    weight: Floats


class Ridge(Readout):
    """Ridge regression with one penalty α per target.

        W = argmin ‖Y − X C W‖² + α s ‖W‖²   ⇔   D = (K + α s I)⁻¹ Y,   W = C Xᵀ D,   K = X C² Xᵀ

    X (n, k) selected voxels, centred; C = diag(score^score_power), mean 1; s = trace(K) / n, so
    that α has no unit. K is built from blocks of voxels: memory is n² + n · block, whatever k.
    α is chosen per target by the squared error on held-out concepts; selection and weights are
    those of the fitting part there, and of all rows in the final fit.

    One Cholesky factor per α takes 2.6 s for 13 α at n = 4,000 on 2 cores, where himalaya's
    KernelRidgeCV takes 33 s (it holds a (13, n, n) tensor); the tests compare the two.
    """

    def __init__(self, config: RidgeConfig) -> None:
        super().__init__(config)
        self.config = config

    def fit(self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]) -> Self:
        """Fit on trials `rows`: Y (len(rows), n_targets), groups (len(rows),) their concepts."""
        Y = checked(rows, Y, groups)
        fitting = self._fitting_part(groups)
        metric = self._metric(X, rows[fitting], Y[fitting])
        K = self._kernel(X, rows, metric)
        alphas, held_out_r = self._choose(K, Y, fitting)
        if self._needs_score:
            metric = self._metric(X, rows, Y)
            K = self._kernel(X, rows, metric)
        offset = Y.mean(0)
        dual = _dual(K, Y - offset, alphas)
        W, intercept = self._primal(X, rows, metric, dual)
        found = {"alphas": alphas, "held_out_r": held_out_r}
        self.keep(metric.voxels, W, offset - intercept, **found)
        return self

    @property
    def _needs_score(self) -> bool:
        return self.config.n_selected_voxels is not None or self.config.score_power > 0

    def _fitting_part(self, groups: NDArray[Any]) -> NDArray[np.bool_]:
        """Trials (n,) whose concept is not held out."""
        check_concepts(groups, 2, "ridge chooses its penalty on held-out concepts and")
        return fitting_part(groups, self.config.held_out, self.config.seed)

    def _metric(self, X: TrialMatrix, rows: Rows, Y: Floats) -> Metric:
        if not self._needs_score:
            return Metric(np.arange(X.shape[1]), np.ones(X.shape[1], np.float32))
        score = encoding_score(X, rows, Y, self.config.block_voxels)
        voxels = best(score, self.config.n_selected_voxels)
        weight = score[voxels] ** self.config.score_power
        return Metric(voxels, (weight / weight.mean()).astype(np.float32))

    def _kernel(self, X: TrialMatrix, rows: Rows, metric: Metric) -> Floats:
        """K (n, n) = X C² Xᵀ, X centred over `rows`."""
        K = np.zeros((len(rows), len(rows)), np.float32)
        scale = _scattered(metric, X.shape[1])
        for part, block in X.blocks(rows, self.config.block_voxels):
            weight = scale[part]
            if not weight.all():  # voxels that were not selected
                block, weight = block[:, weight > 0], weight[weight > 0]
            block = (block - block.mean(0)) * weight
            K += block @ block.T
        return K

    def _primal(
        self, X: TrialMatrix, rows: Rows, metric: Metric, dual: Floats
    ) -> tuple[Floats, Floats]:
        """Weights (k, n_targets) for raw responses, and the mean response's share (n_targets,)."""
        scale = _scattered(metric, X.shape[1])
        W = np.zeros((X.shape[1], dual.shape[1]), np.float32)
        mean_part = np.zeros(dual.shape[1])
        centred_dual = dual - dual.mean(0)  # Xᵀ D of centred X, without centring X again
        for part, block in X.blocks(rows, self.config.block_voxels):
            W[part] = (scale[part] ** 2)[:, None] * (block.T @ centred_dual)
            mean_part += block.mean(0) @ W[part]
        return W[metric.voxels], mean_part.astype(np.float32)

    def _choose(
        self, K: Floats, Y: Floats, fitting: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Best α and the held-out correlation with it, both (n_targets,)."""
        low, high = self.config.log10_alpha_min, self.config.log10_alpha_max
        alphas = np.logspace(low, high, self.config.n_alphas)
        offset = Y[fitting].mean(0)
        K_fit = np.ascontiguousarray(K[np.ix_(fitting, fitting)])
        K_held = K[np.ix_(~fitting, fitting)]
        n_targets = Y.shape[1]
        error = np.empty((len(alphas), n_targets))
        r = np.empty_like(error)
        for i, alpha in enumerate(alphas):
            dual = _dual(K_fit, Y[fitting] - offset, np.full(n_targets, alpha))
            guess = K_held @ dual + offset
            error[i] = ((guess - Y[~fitting]) ** 2).mean(0)
            r[i] = correlation(guess, Y[~fitting])
        chosen = error.argmin(0)
        return alphas[chosen], r[chosen, np.arange(n_targets)]


def _dual(K: Floats, Y: Floats, alphas: NDArray[np.float64]) -> Floats:
    """D (n, n_targets) = (K + α s I)⁻¹ Y, one Cholesky factor per distinct α."""
    scale = np.trace(K, dtype=np.float64) / len(K) or 1.0
    D = np.empty(Y.shape, np.float32)
    for alpha in np.unique(alphas):
        A = K.copy()
        A[np.diag_indices(len(A))] += alpha * scale
        columns = alphas == alpha
        factor = cho_factor(A, lower=True, overwrite_a=True, check_finite=False)
        D[:, columns] = cho_solve(factor, Y[:, columns], check_finite=False)
    return D


def _scattered(metric: Metric, n_voxels: int) -> Floats:
    """Weights of all voxels (n_voxels,), 0 where a voxel does not count."""
    scale = np.zeros(n_voxels, np.float32)
    scale[metric.voxels] = metric.weight
    return scale
