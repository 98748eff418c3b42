"""Ridge regression from voxels to ratings, in blocks; penalties chosen on held-out concepts."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from models.base.arrays import Floats, Rows, TrialMatrix
from models.base.concepts import check_concepts, checked, fitting_part, pearson
from models.base.readout import Readout
from models.base.voxel_scores import best, encoding_score
from models.base.voxel_subset import gather
from models.linear.config import RidgeConfig


class Metric(NamedTuple):
    """The voxels that count, (k,) indices, and what each is multiplied by, (k,)."""

    voxels: NDArray[np.int64]
    weight: Floats


class System(NamedTuple):
    """The smaller of the two systems: of trials, left = K, or of voxels, left = C Xᵀ X C."""

    left: Floats
    weighted: Floats | None  # X C (n, k), centred, in the system of voxels
    mean: Floats  # (k,) of X there

    def right(self, Y: Floats) -> Floats:
        """Right-hand side of centred ratings (n, n_targets)."""
        return Y if self.weighted is None else self.weighted.T @ Y

    def parts(self, fitting: NDArray[np.bool_]) -> tuple[System, Floats]:
        """The system of the fitting trials, and what turns its solution into held-out ratings."""
        if self.weighted is None:
            K = np.ascontiguousarray(self.left[np.ix_(fitting, fitting)])
            return System(K, None, self.mean), self.left[np.ix_(~fitting, fitting)]
        held = self.weighted[~fitting]
        left = self.left - held.T @ held
        return System(left, self.weighted[fitting], self.mean), held


class Ridge(Readout):
    """Ridge regression with one penalty α per target.

        W = argmin ‖Y − X C W‖² + α s ‖W‖²   ⇔   D = (K + α s I)⁻¹ Y,   W = C Xᵀ D,   K = X C² Xᵀ

    X (n, k) selected voxels, centred; C = diag(score^score_power), mean 1; s = trace(K) / n, so
    that α has no unit. K is built from blocks of voxels: memory is n² + n · block, whatever k.
    With fewer voxels than trials the same W comes from the smaller system of voxels,

        W = C V,   V = (C Xᵀ X C + α s I)⁻¹ C Xᵀ Y

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
        system = self._system(X, rows, metric)
        alphas, held_out_r = self._choose(system, Y, fitting)
        if self._needs_score:
            metric = self._metric(X, rows, Y)
            system = self._system(X, rows, metric)
        offset = Y.mean(0)
        solved = _solved(system.left, system.right(Y - offset), alphas, len(rows))
        if system.weighted is None:
            W, intercept = self._primal(X, rows, metric, solved)
        else:
            W = metric.weight[:, None] * solved
            intercept = system.mean @ W
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

    def _system(self, X: TrialMatrix, rows: Rows, metric: Metric) -> System:
        if len(metric.voxels) >= len(rows):
            return System(self._kernel(X, rows, metric), None, np.empty(0, np.float32))
        responses = gather(X, rows, metric.voxels, self.config.block_voxels)
        mean = responses.mean(0)
        responses -= mean
        responses *= metric.weight
        return System(responses.T @ responses, responses, mean)

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
        self, system: System, Y: Floats, fitting: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Best α and the held-out correlation with it, both (n_targets,)."""
        low, high = self.config.log10_alpha_min, self.config.log10_alpha_max
        alphas = np.logspace(low, high, self.config.n_alphas)
        offset = Y[fitting].mean(0)
        part, held = system.parts(fitting)
        right = part.right(Y[fitting] - offset)
        n_targets = Y.shape[1]
        error = np.empty((len(alphas), n_targets))
        r = np.empty_like(error)
        for i, alpha in enumerate(alphas):
            every = np.full(n_targets, alpha)
            guess = held @ _solved(part.left, right, every, int(fitting.sum())) + offset
            error[i] = ((guess - Y[~fitting]) ** 2).mean(0)
            r[i] = np.nan_to_num(pearson(guess, Y[~fitting]))
        chosen = error.argmin(0)
        return alphas[chosen], r[chosen, np.arange(n_targets)]


def _solved(left: Floats, right: Floats, alphas: NDArray[np.float64], n: int) -> Floats:
    """(left + α s I)⁻¹ right, s = trace(left) / n trials; one Cholesky factor per distinct α."""
    scale = np.trace(left, dtype=np.float64) / n or 1.0
    out = np.empty(right.shape, np.float32)
    for alpha in np.unique(alphas):
        A = left.copy()
        A[np.diag_indices(len(A))] += alpha * scale
        columns = alphas == alpha
        factor = cho_factor(A, lower=True, overwrite_a=True, check_finite=False)
        out[:, columns] = cho_solve(factor, right[:, columns], check_finite=False)
    return out


def _scattered(metric: Metric, n_voxels: int) -> Floats:
    """Weights of all voxels (n_voxels,), 0 where a voxel does not count."""
    scale = np.zeros(n_voxels, np.float32)
    scale[metric.voxels] = metric.weight
    return scale
