"""Banded ridge: voxels in bands, each with its own penalty, mixtures searched by himalaya."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from himalaya.kernel_ridge import MultipleKernelRidgeCV
from numpy.typing import NDArray
from sklearn.model_selection import PredefinedSplit

from models.base.arrays import Array, Floats, Mask, Rows, TrialMatrix
from models.base.concepts import check_concepts, checked, concept_means, fitting_part
from models.base.errors import ModelError
from models.base.readout import Readout
from models.base.voxel_scores import best, encoding_score
from models.base.voxel_subset import mean_responses
from models.linear.config import BandedRidgeConfig

FEWEST_CONCEPTS = 4


class Bands(NamedTuple):
    """Concept means (n_concepts, k) of weighted voxels, and the band of each voxel."""

    means: Floats  # centred, and times `weight`
    centre: Floats  # (k,) on the responses' own scale
    weight: Floats  # (k,)
    voxels: NDArray[np.int64]  # (k,)
    band: NDArray[np.int64]  # (k,)

    def kernels(self, n_bands: int) -> Array:
        """K_b = X_b X_bᵀ of each band, (n_bands, n_concepts, n_concepts)."""
        parts = [self.means[:, self.band == b].astype(np.float64) for b in range(n_bands)]
        return np.stack([part @ part.T for part in parts])


class BandedRidge(Readout):
    """Ridge with a penalty per band and rating (Dupré la Tour et al. 2022), on concept means.

        W = argmin ‖Y − Σ_b X_b W_b‖² + Σ_b α_b ‖W_b‖²,   K = Σ_b K_b / α_b,   D = (K + I)⁻¹ Y

    X (n_concepts, k): the mean response to each training concept. A concept has one rating
    however often it is shown, so its trials tell no more of the ratings than their mean does; 620
    rows instead of 7,440 make a search over mixtures cost seconds instead of hours. himalaya's
    random search draws mixtures of the bands and picks mixture and penalty per rating by the
    squared error on held-out concepts. Voxels, bands and weights are those of the fitting part
    there, and of all training trials in the final fit.
    """

    def __init__(self, config: BandedRidgeConfig, mask: Mask | None = None) -> None:
        super().__init__(config)
        self.config, self.mask = config, mask

    def fit(self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]) -> Self:
        """Fit on trials `rows`: Y (len(rows), n_targets), groups (len(rows),) their concepts."""
        Y = self._checked(rows, Y, groups)
        config = self.config
        fit = fitting_part(groups, config.held_out, config.seed)
        means = concept_means(Y.astype(np.float64), groups)
        fitting = np.isin(np.unique(groups), np.unique(groups[fit]))
        first = self._bands(X, rows, groups, self._metric(X, rows[fit], Y[fit]), fitting)
        strengths, r2 = self._search(first.kernels(config.n_bands), means, fitting)
        bands = self._bands(X, rows, groups, self._metric(X, rows, Y), np.ones_like(fitting))
        offset = means.mean(0)
        W = _weights(bands, bands.kernels(config.n_bands), means - offset, strengths)
        more = {"strengths": strengths, "held_out_r2": r2, "bands": bands.band}
        self.keep(bands.voxels, W, offset - bands.centre @ W, **more)
        return self

    def _checked(self, rows: Rows, Y: Floats, groups: NDArray[Any]) -> Floats:
        Y = checked(rows, Y, groups)
        check_concepts(groups, FEWEST_CONCEPTS, "banded ridge")
        if self.config.bands == "place" and self.mask is None:
            msg = (
                "bands 'place' needs to know where the voxels are, but no brain mask was given: "
                "pass build_linear(config, mask)"
            )
            raise ModelError(msg)
        return Y

    def _metric(
        self, X: TrialMatrix, rows: Rows, Y: Floats
    ) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
        """Return voxels (k,), weights (k,) and bands (k,) by these trials."""
        config = self.config
        score = encoding_score(X, rows, Y, config.block_voxels)
        voxels = best(score, config.n_selected_voxels)
        if config.n_bands > len(voxels):
            msg = f"n_bands {config.n_bands} is more than the {len(voxels)} voxels: use fewer"
            raise ModelError(msg)
        weight = score[voxels] ** config.score_power
        order = np.argsort(-score[voxels], kind="stable")
        if config.bands == "place" and self.mask is not None:
            order = np.argsort(np.argwhere(self.mask)[voxels][:, 1], kind="stable")
        band = np.empty(len(voxels), np.int64)
        for b, part in enumerate(np.array_split(order, config.n_bands)):
            band[part] = b
        return voxels, (weight / weight.mean()).astype(np.float32), band

    def _bands(
        self,
        X: TrialMatrix,
        rows: Rows,
        groups: NDArray[Any],
        metric: tuple[NDArray[np.int64], Floats, NDArray[np.int64]],
        fitting: NDArray[np.bool_],
    ) -> Bands:
        voxels, weight, band = metric
        means = mean_responses(X, rows, groups, voxels, self.config.block_voxels)
        centre = means[fitting].mean(0)
        scaled = (means - centre) * weight
        # One unit for all bands and data: the mean square of a concept's weighted response.
        unit = np.sqrt((scaled[fitting] ** 2).sum(1).mean()) or np.float32(1)
        return Bands(scaled / unit, centre, weight / unit, voxels, band)

    def _search(self, K: Array, Y: Array, fitting: NDArray[np.bool_]) -> tuple[Array, Array]:
        """Return 1 / α (n_bands, n_targets), and each rating's R² on held-out concepts."""
        config = self.config
        alphas = np.logspace(config.log10_alpha_min, config.log10_alpha_max, config.n_alphas)
        himalaya = MultipleKernelRidgeCV(
            kernels="precomputed",
            solver="random_search",
            solver_params={
                "n_iter": config.n_candidates if config.n_bands > 1 else 1,
                "alphas": alphas,
                "progress_bar": False,
            },
            cv=PredefinedSplit(np.where(fitting, -1, 0)),
            random_state=config.seed,
        ).fit(K, Y - Y[fitting].mean(0))
        strengths = np.exp(np.asarray(himalaya.deltas_, np.float64))
        errors = np.asarray(himalaya.cv_scores_, np.float64).max(0)
        spread = ((Y[~fitting] - Y[fitting].mean(0)) ** 2).mean(0)
        return strengths, 1 + errors / np.where(spread > 0, spread, np.inf)


def _weights(bands: Bands, K: Array, Y: Array, strengths: Array) -> Floats:
    """W (k, n_targets) for raw responses: W_b = C_b X_bᵀ D / α_b, D = (Σ K_b / α_b + I)⁻¹ Y."""
    W = np.empty((len(bands.voxels), Y.shape[1]), np.float32)
    for target, strength in enumerate(strengths.T):
        A = np.tensordot(strength, K, 1) + np.eye(len(Y))
        D = np.linalg.solve(A, Y[:, target])
        W[:, target] = bands.weight * strength[bands.band] * (bands.means.T @ D)
    return W
