"""The concept decoder: principal axes in a metric of voxels, then the φ-Wiener readout.

Why it beats ridge for unseen concepts, and what each step is worth on a full planted subject:
benchmarks/README.md.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from models.concepts import check_concepts, check_varies, checked, fitting_part
from models.configs.concept_decoder import ConceptDecoderConfig
from models.errors import ModelError
from models.inputs import Floats, Rows, TrialMatrix
from models.localnoise import (
    FWHM_PER_SD,
    GridKernel,
    LocalNoise,
    Mask,
    noise_shape,
)
from models.readout import Readout
from models.selection import best, encoding_score
from models.subspace import Metric, diagonal, gather, principal_axes
from models.wiener import ALPHAS, PHIS, choose, summarise

FEWEST_CONCEPTS = 4
NOISE_ROWS = 930  # every eighth trial of a full subject: enough for the noise of neighbours
WIDE_AXES = 100  # what these leave of the responses is taken for local noise


class Coordinates(NamedTuple):
    """Axes (k, n_axes) on voxels (k,), the mean response (k,), coordinates (n, n_axes)."""

    axes: Floats
    voxels: NDArray[np.int64]
    mean: Floats
    z: Floats


class ConceptDecoder(Readout):
    """Ratings of concepts that were never seen, from few axes of the responses.

        1. score_v = share of voxel v's variance that the ratings explain    (models.selection)
        2. z = X M, M the principal axes of X in the metric A                (models.subspace)
        3. W = (S_b + φ S_w + α I)⁻¹ Cov(concept means of z, ratings)        (models.wiener)

    local_noise 'ignore': A = diag(score), each voxel alone. 'invert': A = N⁻¹ D G D N⁻¹ with N
    the noise that neighbours share (models.localnoise), D = diag(√score)^½ and G the prior that
    neighbours are tuned alike. (score_power 0.5 stands in both formulas.)

    With φ or α empty, both the axes and the readout are fitted once more on the part of the
    concepts that is not held out, so that nothing of the held-out concepts helps to choose.
    """

    def __init__(self, config: ConceptDecoderConfig, mask: Mask | None = None) -> None:
        super().__init__(config)
        self.config, self.mask = config, mask

    def fit(self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]) -> Self:
        """Fit on trials `rows`: Y (len(rows), n_targets), groups (len(rows),) their concepts."""
        Y = self._checked(X, rows, Y, groups)
        phi, alpha, r = self._choice(X, rows, Y, groups)
        found = self._coordinates(X, rows, Y)
        W, offset = summarise(found.z, Y, groups).readout(phi, alpha)
        weights = found.axes @ W.astype(np.float32)
        offset = offset - found.mean @ weights
        self.keep(found.voxels, weights, offset, phi=phi, alpha=alpha, held_out_r=r)
        return self

    def _checked(self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]) -> Floats:
        Y = checked(rows, Y, groups)
        check_concepts(groups, FEWEST_CONCEPTS, "the concept decoder")
        check_varies(Y)
        if self.config.local_noise == "invert" and self.mask is None:
            msg = (
                "local_noise 'invert' needs to know which voxels are neighbours, but no brain "
                "mask was given: pass build_linear(config, mask)"
            )
            raise ModelError(msg)
        most = min(len(rows), X.shape[1])
        if self.config.n_axes > most:
            msg = (
                f"n_axes {self.config.n_axes} is more than the {len(rows)} training trials and "
                f"{X.shape[1]} voxels allow: use at most {most}"
            )
            raise ModelError(msg)
        return Y

    def _choice(
        self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]
    ) -> tuple[float, float, float]:
        """Return φ, α and the mean r of single trials on held-out concepts (NaN if both given)."""
        config = self.config
        if config.phi is not None and config.alpha is not None:
            return config.phi, config.alpha, float("nan")
        fit = fitting_part(groups, config.held_out, config.seed)
        found = self._coordinates(X, rows[fit], Y[fit])
        held = gather(X, rows[~fit], found.voxels, config.block_voxels) - found.mean
        return choose(
            summarise(found.z, Y[fit], groups[fit]),
            (held @ found.axes, Y[~fit], groups[~fit]),
            PHIS if config.phi is None else (config.phi,),
            ALPHAS if config.alpha is None else (config.alpha,),
        )

    def _coordinates(self, X: TrialMatrix, rows: Rows, Y: Floats) -> Coordinates:
        """Find the axes from these trials alone."""
        config = self.config
        score = encoding_score(X, rows, Y, config.block_voxels)
        voxels = best(score, config.n_selected_voxels)
        responses = gather(X, rows, voxels, config.block_voxels)
        mean = responses.mean(0)
        responses -= mean
        metric = self._metric(responses, score[voxels], voxels)
        n_axes = min(config.n_axes, *responses.shape)
        axes = principal_axes(responses, metric, n_axes, config.seed)
        return Coordinates(axes, voxels, mean, responses @ axes)

    def _metric(self, X: Floats, score: Floats, voxels: NDArray[np.int64]) -> Metric:
        if self.config.local_noise == "ignore":
            return diagonal(_mean_one(score**self.config.score_power))
        assert self.mask is not None
        noise = local_noise(X, self.mask, voxels, self.config.seed)
        D = _mean_one(score ** (self.config.score_power / 2))
        tuned = GridKernel(self.mask, voxels, self.config.tuning_fwhm / FWHM_PER_SD)
        return lambda maps: noise.inverse(tuned.times(noise.inverse(maps) * D) * D)


def local_noise(X: Floats, mask: Mask, voxels: NDArray[np.int64], seed: int) -> LocalNoise:
    """Estimate the noise that neighbours share from responses (n, n_voxels), centred.

    It is what the largest unweighted principal components leave, in a share of the trials.
    """
    some = X[:: max(1, len(X) // NOISE_ROWS)]
    n_wide = min(WIDE_AXES, len(some) // 4, len(voxels) // 4)
    E = some - _projected(some, n_wide) if n_wide else some
    shape = noise_shape(E, mask, voxels, seed)
    kernel = GridKernel(mask, voxels, shape.sigma)
    return LocalNoise(kernel, E.std(0), shape.share)


def _projected(X: Floats, n: int) -> Floats:
    """X on its n largest principal components, from the (rows, rows) side."""
    _, vectors = np.linalg.eigh(X @ X.T)
    U = vectors[:, ::-1][:, :n]
    on: Floats = U @ (U.T @ X)
    return on


def _mean_one(weight: Floats) -> Floats:
    scaled: Floats = (weight / weight.mean()).astype(np.float32)
    return scaled
