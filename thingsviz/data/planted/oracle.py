"""The best that a linear decoder can reach: posterior means from the true tuning and noise."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thingsviz.data.planted.fields import Float32, SmoothField
from thingsviz.data.planted.latents import N_PROPERTIES
from thingsviz.data.planted.presets import SimulationPreset
from thingsviz.data.planted.regions import Anatomy
from thingsviz.data.planted.tuning import SMOOTH_FWHM_MM, Tuning

FloatArray = NDArray[np.float64]
TOLERANCE = 2e-3  # relative residual: changes a prediction by less than 1e-3 of its SD
MOST_ITERATIONS = 60
TINY = np.float32(1e-30)
AT_ONCE = 6  # right-hand sides solved together: 12 MB a vector on the published grid


class Filters(NamedTuple):
    """T = y · F tells of the latents all that y does.

    voxels F = N⁻¹ Wᵀ (n_voxels, 54); information W N⁻¹ Wᵀ (54, 54).
    """

    voxels: Float32
    information: FloatArray


def make_filters(
    tuning: Tuning,
    anatomy: Anatomy,
    voxel_mm: FloatArray,
    pool: Executor,
    on_part: Callable[[], None],
) -> Filters:
    """Solve for the oracle's filters.

    N = diag(white²) + smooth K smooth + Uᵀ U, with K the covariance of the smooth field:
    conjugate gradients for the first two terms, Woodbury for the wide noise. No approximation
    but the tolerance.
    """
    if not len(tuning.signal):
        n = len(tuning.weights)
        return Filters(np.zeros((anatomy.n_voxels, n), np.float32), np.zeros((n, n)))
    local = _LocalNoise(SmoothField(SMOOTH_FWHM_MM, voxel_mm, anatomy.brain), tuning)
    weights = np.zeros((len(tuning.weights), anatomy.n_voxels), np.float32)
    weights[:, tuning.signal] = tuning.weights
    right = np.vstack([weights, tuning.wide])
    parts = [right[i : i + AT_ONCE] for i in range(0, len(right), AT_ONCE)]
    solution = np.vstack(list(_noticed(pool.map(local.solve, parts), on_part)))
    of_weights, of_wide = solution[: len(weights)], solution[len(weights) :]
    core = np.eye(len(tuning.wide)) + tuning.wide @ of_wide.T
    filters = of_weights - (of_weights @ tuning.wide.T) @ np.linalg.solve(core, of_wide)
    information = (filters[:, tuning.signal] @ tuning.weights.T).astype(np.float64)
    return Filters(filters.T.astype(np.float32), (information + information.T) / 2)


def _noticed(parts: Iterable[Float32], on_part: Callable[[], None]) -> Iterable[Float32]:
    for part in parts:
        on_part()
        yield part


class _LocalNoise:
    """The white and the smooth noise: their covariance L = diag(white²) + smooth K smooth."""

    def __init__(self, field: SmoothField, tuning: Tuning) -> None:
        self.field, self.smooth = field, tuning.smooth
        self.white: Float32 = tuning.white**2
        # K's largest eigenvalues are about 8: a diagonal that halves the iterations
        self.nearly: Float32 = np.reciprocal(self.white + np.float32(8) * self.smooth**2)

    def times(self, x: Float32) -> Float32:
        """`x` (b, n_voxels) · L."""
        return x * self.white + self.field.covariance(x * self.smooth) * self.smooth

    def solve(self, right: Float32) -> Float32:
        """`right` (b, n_voxels) · L⁻¹ by preconditioned conjugate gradients, each row alone."""
        x = right * self.nearly
        residual = right - self.times(x)
        direction = residual * self.nearly
        slope = _dot(residual, direction)
        goal = np.float32(TOLERANCE**2) * _dot(right, right)
        for _ in range(MOST_ITERATIONS):
            if (_dot(residual, residual) <= goal).all():
                break
            image = self.times(direction)
            step = slope / np.maximum(_dot(direction, image), TINY)
            x += step * direction
            residual -= step * image
            near = residual * self.nearly
            new = _dot(residual, near)
            direction = near + (new / np.maximum(slope, TINY)) * direction
            slope = new
        return x


def _dot(a: Float32, b: Float32) -> Float32:
    """Inner products of rows, (n, 1)."""
    products: Float32 = np.einsum("lv,lv->l", a, b)[:, None]
    return products


class Posterior(NamedTuple):
    """Posterior means of z-scored ratings (n, 14), and the correlation (14,) expected of them."""

    mean: FloatArray
    expected_r: FloatArray


def decode(
    statistics: FloatArray,
    information: FloatArray,
    covariance: FloatArray,
    preset: SimulationPreset,
    n_averaged: int = 1,
) -> Posterior:
    """Return E[ratings | T] for T averaged over `n_averaged` repeats of an image, T (n, 54).

    K = (1 + trial_state / n) S is the latents' covariance then, n·B the information:
    E[ζ | T] = K (I + n B K)⁻¹ n T, and ratings follow from ζ with Cov(p, ζ) = √(1 − τ) S.
    """
    k = (1 + preset.trial_state / n_averaged) * covariance
    shrunk = n_averaged * np.linalg.solve(
        np.eye(len(k)) + n_averaged * information @ k, np.eye(len(k))
    )
    ratio = np.sqrt(1 - preset.exemplar_share) / (1 + preset.trial_state / n_averaged)
    readout = ratio * np.eye(len(k), N_PROPERTIES)  # Cov(p, ζ) K⁻¹
    to_ratings = shrunk.T @ k.T @ readout
    gained = k @ shrunk @ information @ k  # variance of E[ζ | T]
    variance = np.einsum("lp,lm,mp->p", readout, gained, readout)
    return Posterior(statistics @ to_ratings, np.sqrt(np.clip(variance, 0, None)))
