"""Encoding-model inversion: from ratings to voxels, then back by Bayes' rule."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import Array, Floats, Rows, TrialMatrix
from models.base.concepts import check_concepts, check_varies, checked, concept_means
from models.base.errors import ModelError
from models.base.readout import Readout
from models.base.voxel_scores import best, encoding_score
from models.base.voxel_subset import gather
from models.linear.config import EncodingInversionConfig
from models.subspace.principal_axes import diagonal, principal_axes

FEWEST_CONCEPTS = 4
ROWS_AT_ONCE = 256
SMALLEST_SHARE = 0.1  # of a voxel's residual variance stays its own, whatever the axes take


class EncodingInversion(Readout):
    """The posterior mean of the ratings under x = Bᵀ p + e, p ~ N(0, Σ), e ~ N(0, N).

        E[p | x] = Σ (I + J Σ)⁻¹ F x,    F = B N⁻¹,    J = F Bᵀ

    B (n_targets, k) by least squares over the training trials, Σ the covariance of the concepts'
    ratings, N from the residuals E = X − P B:

        'voxels':         N = Lᵀ Λ L + diag(d)   (r largest axes, a variance each; Woodbury)
        'residual_axes':  the same in the r axes alone, x → L x, N = Λ

    It would be the best decoder there is if B and N were known (that is what the oracle of a
    planted subject does). They are estimated, and B badly: there are far fewer concepts than
    voxels. N⁻¹ is largest where N has little, that is outside the axes of trials' shared
    variation, which is where the signal is not but the errors of B are. On single trials
    'voxels' therefore loses to ridge, which never divides by what it measured worst; averaged
    repeats keep the errors of B but have less noise to be spoiled, and there it holds its own.
    In the residual axes alone nothing is amplified, and it is as good as ridge.
    """

    def __init__(self, config: EncodingInversionConfig) -> None:
        super().__init__(config)
        self.config = config

    def fit(self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]) -> Self:
        """Fit on trials `rows`: Y (len(rows), n_targets), groups (len(rows),) their concepts."""
        Y = self._checked(rows, Y, groups)
        config = self.config
        voxels = best(encoding_score(X, rows, Y, config.block_voxels), config.n_selected_voxels)
        responses = gather(X, rows, voxels, config.block_voxels)
        mean = responses.mean(0)
        responses -= mean
        P = Y - Y.mean(0)
        B: Floats = np.matmul(np.linalg.pinv(P), responses)
        for start in range(0, len(P), ROWS_AT_ONCE):  # residuals from here on, without a copy
            part = slice(start, start + ROWS_AT_ONCE)
            responses[part] -= P[part] @ B
        F = self._filters(responses, B)
        prior = np.cov(concept_means(P, groups).T, bias=True).reshape(P.shape[1], -1)
        weights = (F.T @ posterior(prior, F @ B.T)).astype(np.float32)
        self.keep(voxels, weights, Y.mean(0) - mean @ weights)
        return self

    def _checked(self, rows: Rows, Y: Floats, groups: NDArray[Any]) -> Floats:
        Y = checked(rows, Y, groups)
        check_concepts(groups, FEWEST_CONCEPTS, "the encoding inversion")
        check_varies(Y)
        if self.config.n_axes > max(len(rows) - Y.shape[1], 100):
            msg = (
                f"n_axes {self.config.n_axes} is more than {len(rows)} training trials allow: "
                f"use at most {len(rows) - Y.shape[1]}"
            )
            raise ModelError(msg)
        return Y

    def _filters(self, E: Floats, B: Floats) -> Array:
        """F = B N⁻¹, (n_targets, k), from the residuals E (n, k)."""
        n, k = E.shape
        n_axes = min(self.config.n_axes, n - len(B), k)
        alone = diagonal(np.ones(k, np.float32))
        L = np.linalg.qr(principal_axes(E, [alone] * 3, n_axes, self.config.seed))[0].T
        variance = ((E @ L.T) ** 2).mean(0, dtype=np.float64)
        if self.config.space == "residual_axes":
            F: Array = (B @ L.T / variance) @ L
            return F
        total = np.einsum("nv,nv->v", E, E).astype(np.float64) / n
        return low_rank_filters(B, L, variance, total, n)


def low_rank_filters(B: Floats, L: Floats, variance: Array, total: Array, n: int) -> Array:
    """F = B (Lᵀ Λ L + diag(d))⁻¹ by Woodbury; L (r, k) orthonormal, total (k,) variances.

    Λ is `variance` less what white noise of the rest would give any axis in n trials.
    """
    rest = max((total.sum() - variance.sum()) / min(n, len(total)), 0)
    spread = np.maximum(variance - rest, 0)
    d = np.maximum(total - spread @ L.astype(np.float64) ** 2, SMALLEST_SHARE * total)
    d = np.maximum(d, np.finfo(np.float32).tiny)
    U = L * np.sqrt(spread)[:, None]
    core = np.eye(len(U)) + (U / d) @ U.T
    F: Array = B / d - ((B / d) @ U.T) @ np.linalg.solve(core, U / d)
    return F


def posterior(prior: Array, information: Array) -> Array:
    """(Σ⁻¹ + J)⁻¹, (n_targets, n_targets), that turns F x into E[p | x]; Σ may be singular."""
    J = (information + information.T) / 2
    shrunk = np.linalg.solve((np.eye(len(prior)) + J @ prior).T, prior)
    return np.asarray(shrunk, np.float64)
