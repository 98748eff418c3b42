"""From voxels to a few coordinates: which voxels, which metric, which axes, by these trials."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import Floats, Mask, Rows, TrialMatrix
from models.base.concepts import check_concepts, check_varies, checked
from models.base.errors import ModelError
from models.base.voxel_scores import best, encoding_score
from models.base.voxel_subset import gather
from models.subspace.config import DEFAULT_AXES, SubspaceSettings
from models.subspace.principal_axes import Metric, diagonal, principal_axes
from models.subspace.spatial_noise import FWHM_PER_SD, GridKernel, LocalNoise, noise_shape

FEWEST_CONCEPTS = 4
NOISE_ROWS = 930  # every eighth trial of a full subject: enough for the noise of neighbours
WIDE_AXES = 100  # what these leave of the responses is taken for local noise


class Subspace(NamedTuple):
    """Axes (k, n_axes) on voxels (k,), the mean response (k,), coordinates (n, n_axes)."""

    axes: Floats
    voxels: NDArray[np.int64]
    mean: Floats
    z: Floats

    def of(self, X: TrialMatrix, rows: Rows, width: int) -> Floats:
        """Coordinates of other trials, (len(rows), n_axes)."""
        z: Floats = np.matmul(gather(X, rows, self.voxels, width) - self.mean, self.axes)
        return z


class Axes:
    """Principal axes of the responses in a metric A of the selected voxels.

    local_noise 'ignore': A = diag(score), each voxel alone. 'invert': A = N⁻¹ D G D N⁻¹, with N
    the noise that neighbours share (subspace.spatial_noise), D² = diag(√score), and G the prior
    that neighbours are tuned alike. (score_power 0.5 stands in both formulas.)
    """

    def __init__(self, config: SubspaceSettings, mask: Mask | None) -> None:
        self.config, self.mask = config, mask

    def check(
        self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any], what: str
    ) -> Floats:
        """Return Y as float32, or refuse what axes and a readout cannot be fitted to."""
        Y = checked(rows, Y, groups)
        check_concepts(groups, FEWEST_CONCEPTS, what)
        check_varies(Y)
        if self.config.local_noise == "invert" and self.mask is None:
            msg = (
                "local_noise 'invert' needs to know which voxels are neighbours, but no brain "
                "mask was given: pass build_linear(config, mask)"
            )
            raise ModelError(msg)
        most = min(len(rows), X.shape[1])
        if self.config.n_axes > max(most, DEFAULT_AXES):
            msg = (
                f"n_axes {self.config.n_axes} is more than the {len(rows)} training trials and "
                f"{X.shape[1]} voxels allow: use at most {most}"
            )
            raise ModelError(msg)
        return Y

    def find(self, X: TrialMatrix, rows: Rows, Y: Floats) -> Subspace:
        """Find the axes from these trials alone."""
        config = self.config
        score = encoding_score(X, rows, Y, config.block_voxels)
        voxels = best(score, config.n_selected_voxels)
        responses = gather(X, rows, voxels, config.block_voxels)
        mean = responses.mean(0)
        responses -= mean
        metrics = self._metrics(responses, score[voxels], voxels)
        n_axes = min(config.n_axes, *responses.shape)
        axes = principal_axes(responses, metrics, n_axes, config.seed)
        return Subspace(axes, voxels, mean, responses @ axes)

    def _metrics(self, X: Floats, score: Floats, voxels: NDArray[np.int64]) -> list[Metric]:
        """Return what the iteration is given: two cheap steps, then A as often as needed."""
        alone = diagonal(_mean_one(score**self.config.score_power))
        if self.config.local_noise == "ignore" or self.mask is None:
            return [alone] * 3
        noise = local_noise(X, self.mask, voxels, self.config.seed)
        D = _mean_one(score ** (self.config.score_power / 2))
        tuned = GridKernel(self.mask, voxels, self.config.tuning_fwhm / FWHM_PER_SD)

        def metric(maps: Floats) -> Floats:
            return noise.inverse(tuned.times(noise.inverse(maps) * D) * D)

        return [alone, alone, metric, metric]


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
