"""Noise that many voxels share: how strong it is in each trial, and what is left without it.

After Kay et al. 2013 (GLMdenoise), with concepts in the place of their stimuli:

    R = x − mean of its concept,   R / sd ≈ U S Lᵀ        (on a pool of voxels)
    Z = (x − mean) / sd · Lᵀ,   B = Cov(Z_w)⁻¹ Cov(Z_w, x),   clean x = x − Z B

Z_w is Z less its concept's mean, so that signal has no part in B. The pool is the half of the
voxels that go along least with the outputs: signal in Z would be taken out of some voxels and
appear, turned, in others that have none. How many axes are taken out is
what makes patterns of two halves of the trials agree best, for nobody says it otherwise.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.base.concepts import pearson
from thingsviz.core.arrays import Array, Floats

Real = TypeVar("Real", np.float32, np.float64)
COUNTS = (0, 1, 2, 4, 8, 12, 16)
MOST_SAMPLED = 6000  # voxels; 96 MB for 4,000 trials
TRIALS_PER_AXIS = 20
OVERSAMPLED, PASSES = 10, 4


class SharedNoise(NamedTuple):
    """Shared noise of trials: its strength Z (n, k), and that within concepts Z_w (n, k)."""

    strength: Array
    within: Array

    @property
    def n_axes(self) -> int:
        """How many axes of noise were found."""
        return int(self.strength.shape[1])


class Covariances(NamedTuple):
    """Cov(x, y) (n_voxels, m), Cov(y) (m, m), Var(x) (n_voxels,)."""

    cross: Array
    among: Array
    variance: Array


def sample_step(n_voxels: int) -> int:
    """Return so that every n-th voxel is looked at for shared noise."""
    return max(1, -(-n_voxels // MOST_SAMPLED))


def shared_noise(
    sample: Floats, beside: Floats, concepts: NDArray[np.str_], seed: int = 0
) -> SharedNoise:
    """Find the noise that voxels share: sample (n, m) of responses, outputs `beside` (n, T)."""
    centred = sample - sample.mean(0)
    y = whitened(beside)
    pool = centred[:, noise_pool(centred, y)]
    most = min(COUNTS[-1], len(pool) // TRIALS_PER_AXIS, pool.shape[1] - 1)
    residual = within(pool, concepts)
    sd = np.maximum(residual.std(0), 1e-6)
    residual /= sd
    Z = (pool / sd @ _axes(residual, most, seed).T).astype(float)
    several = [SharedNoise(Z[:, :k], within(Z[:, :k], concepts)) for k in COUNTS if k <= most]
    if len(several) == 1:
        return several[0]
    half = halves(concepts, seed)
    scores = [_agreement(centred, y, one, half) for one in several]
    return several[int(np.argmax(scores))]


def within(values: NDArray[Real], concepts: NDArray[np.str_]) -> NDArray[Real]:
    """Return values (n, m) less the mean of their concept."""
    _, group, n = np.unique(concepts, return_inverse=True, return_counts=True)
    total = np.zeros((len(n), values.shape[1]), values.dtype)
    np.add.at(total, group, values)
    total /= n[:, None]
    found: NDArray[Real] = values - total[group]
    return found


def halves(concepts: NDArray[np.str_], seed: int = 0) -> NDArray[np.bool_]:
    """Deal each concept's trials out to two halves, (n,)."""
    order = np.random.default_rng(seed).permutation(len(concepts))
    _, group = np.unique(concepts[order], return_inverse=True)
    place = np.empty(len(order), np.int64)
    for one in range(int(group.max()) + 1):
        place[order[group == one]] = np.arange(int((group == one).sum()))
    return np.asarray(place % 2 == 0)


def _axes(residual: Floats, n: int, seed: int) -> Floats:
    """Return the first n right singular vectors of residuals, (n, m) (Halko et al. 2011)."""
    shape = residual.shape[1], n + OVERSAMPLED
    start = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    basis = np.linalg.qr(residual @ start)[0]
    for _ in range(PASSES):
        basis = np.linalg.qr(residual @ (residual.T @ basis))[0]
    return np.asarray(np.linalg.svd(basis.T @ residual, full_matrices=False)[2][:n])


def whitened(beside: Floats) -> Floats:
    """Return outputs (n, T) as columns of covariance 1; those of least variance are left out."""
    y = (beside - beside.mean(0)).astype(float)
    values, vectors = np.linalg.eigh(y.T @ y / len(y))
    kept = values > 1e-3 * values[-1]
    found: Floats = (y @ (vectors[:, kept] / np.sqrt(values[kept]))).astype(np.float32)
    return found


def noise_pool(x: Floats, y: Floats) -> NDArray[np.bool_]:
    """Return the half of the voxels x (n, m) that go along least with y (n, T), (m,)."""
    share = ((y.T @ x) ** 2).sum(0) / np.maximum((x**2).sum(0), 1e-12)
    return np.asarray(share <= np.median(share))


def _agreement(x: Floats, y: Floats, shared: SharedNoise, half: NDArray[np.bool_]) -> float:
    """Return how alike the signed patterns of two halves are: a correlation over all voxels."""
    removed = np.linalg.pinv(shared.within).astype(np.float32) @ x
    clean = x - shared.strength.astype(np.float32) @ removed
    clean /= np.maximum(clean.std(0), 1e-6)
    first, second = (y[h].T @ clean[h] for h in (half, ~half))
    return float(np.nan_to_num(pearson(first.ravel(), second.ravel())))


def cleaned(found: Covariances, n_beside: int) -> Covariances:
    """Return moments of x and outputs without shared noise; y is [outputs, Z, Z_w].

    Everything follows from covariances, so that responses are read once and never changed.
    """
    k = (len(found.among) - n_beside) // 2
    if not k:
        return found
    own, z, zw = slice(n_beside), slice(n_beside, n_beside + k), slice(n_beside + k, None)
    B = np.linalg.pinv(found.among[zw, zw], hermitian=True) @ found.cross[:, zw].T  # (k, n_voxels)
    cross = found.cross[:, own] - B.T @ found.among[z, own]
    less = 2 * (B * found.cross[:, z].T).sum(0) - (B * (found.among[z, z] @ B)).sum(0)
    return Covariances(cross, found.among[own, own], found.variance - less)
