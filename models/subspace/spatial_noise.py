"""How noise is shared by neighbouring voxels, and how its covariance is inverted on the grid."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import Floats, Mask

FWHM_PER_SD = 2.3548
OFFSETS = (
    *((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1), (2, 0, 0), (0, 2, 0), (0, 0, 2)),
    *((0, 1, 2), (3, 0, 0), (0, 0, 3)),
)
MOST_PAIRS = 8000
TOLERANCE = (
    0.03  # the covariance is itself an estimate; 3e-3 gave the same scores, 3 times as slow
)
MOST_STEPS = 40
AT_ONCE = 24
TINY = np.float32(1e-30)


class GridKernel:
    """Correlations that fall with distance: R_vw = exp(−|v − w|² / 4σ²), distances in voxels.

    That is what smoothing white noise with a Gaussian of standard deviation σ gives. On a grid R
    is a product of three small matrices, one an axis, so multiplying with it costs three matrix
    products however wide it is: 0.5 s for 100 maps of 72 × 91 × 75 voxels on one core.
    """

    def __init__(self, mask: Mask, voxels: NDArray[np.int64], sigma: float) -> None:
        at = np.argwhere(mask)[voxels]
        at -= at.min(0)
        self.shape = tuple((at.max(0) + 1).tolist())  # the box that holds all voxels
        self.places = np.ravel_multi_index(tuple(at.T), self.shape)
        self.axes = [_along(n, sigma) for n in self.shape]
        # Made once: fresh memory for each product cost ten times the product.
        self._buffers = [np.empty((AT_ONCE, math.prod(self.shape)), np.float32) for _ in range(2)]

    def times(self, maps: Floats) -> Floats:
        """`maps` (q, n_voxels) · R, (q, n_voxels)."""
        out = np.empty_like(maps)
        for start in range(0, len(maps), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            self._times(maps[part], out[part])
        return out

    def _times(self, maps: Floats, out: Floats) -> None:
        (nx, ny, nz), (x, y, z) = self.shape, self.axes
        first, second = (buffer[: len(maps)] for buffer in self._buffers)
        first[:] = 0
        first[:, self.places] = maps
        np.matmul(first.reshape(-1, nz), z, out=second.reshape(-1, nz))
        np.matmul(y, second.reshape(-1, ny, nz), out=first.reshape(-1, ny, nz))
        planes = (len(maps), nx, ny * nz)
        np.matmul(x, first.reshape(planes), out=second.reshape(planes))
        np.take(second, self.places, axis=1, out=out, mode="clip")


def _along(n: int, sigma: float) -> Floats:
    distance = np.arange(n)[:, None] - np.arange(n)
    if sigma <= 0:
        return np.eye(n, dtype=np.float32)
    correlations: Floats = np.exp(-(distance**2) / (4 * sigma**2)).astype(np.float32)
    return correlations


class NoiseShape(NamedTuple):
    """Share of smooth noise in a voxel's variance, and the sd (voxels) of the kernel behind it."""

    share: float
    sigma: float


def noise_shape(E: Floats, mask: Mask, voxels: NDArray[np.int64], seed: int = 0) -> NoiseShape:
    """Fit ρ(d) = share · exp(−d² / 4σ²) to the correlations of neighbours in residuals E.

    E (n, n_voxels): what is left of responses without their signal and wide noise. The fit is a
    straight line of log ρ over d², over offsets of 1 to 3 voxels.
    """
    number = np.full(mask.size, -1)
    number[np.flatnonzero(mask)[voxels]] = np.arange(len(voxels))
    grid = number.reshape(mask.shape)
    rng = np.random.default_rng(seed)
    found = [_correlation(E, _pairs(grid, offset, rng)) for offset in OFFSETS]
    known = [(sum(d * d for d in o), r) for o, r in zip(OFFSETS, found, strict=True) if r > 0.01]
    if len({d2 for d2, _ in known}) < 2:
        return NoiseShape(0.0, 0.5)
    squares, rho = np.array(known).T
    slope, intercept = np.polyfit(squares, np.log(rho), 1, w=np.sqrt(rho))
    if slope >= 0:
        return NoiseShape(0.0, 0.5)
    share = float(np.clip(np.exp(intercept), 0, 0.95))
    return NoiseShape(share, float(np.clip(np.sqrt(-1 / (4 * slope)), 0.3, 5)))


def _pairs(
    grid: NDArray[np.int64], offset: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return numbers of voxels (2, n) that stand `offset` apart and are both there."""
    here = tuple(slice(None, n - d) for n, d in zip(grid.shape, offset, strict=True))
    there = tuple(slice(d, None) for d in offset)
    a, b = grid[here].ravel(), grid[there].ravel()
    both = np.flatnonzero((a >= 0) & (b >= 0))
    chosen = rng.permutation(both)[:MOST_PAIRS]
    return np.stack([a[chosen], b[chosen]])


def _correlation(E: Floats, pairs: NDArray[np.int64]) -> float:
    if not pairs.size:
        return 0.0
    a, b = E[:, pairs[0]], E[:, pairs[1]]
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + TINY))


class LocalNoise:
    """Noise that neighbours share: N = sd [(1 − s) I + s R] sd, and multiplication with N⁻¹.

    `sd` (n_voxels,) of the residuals; s and R from `noise_shape`. By conjugate gradients, each
    map alone; four or five steps reach 10 %, which is better than the estimate of N itself.
    """

    def __init__(self, kernel: GridKernel, sd: Floats, share: float) -> None:
        self.kernel = kernel
        self.inverse_sd: Floats = (1 / np.maximum(sd, TINY)).astype(np.float32)
        self.share = np.float32(share)

    def inverse(self, maps: Floats) -> Floats:
        """`maps` (q, n_voxels) · N⁻¹."""
        if not self.share:
            return maps * self.inverse_sd**2
        parts = [maps[i : i + AT_ONCE] for i in range(0, len(maps), AT_ONCE)]
        return np.vstack([self._solve(part * self.inverse_sd) for part in parts]) * self.inverse_sd

    def _times(self, x: Floats) -> Floats:
        return (1 - self.share) * x + self.share * self.kernel.times(x)

    def _solve(self, right: Floats) -> Floats:
        """Solve x · [(1 − s) I + s R] = right; a diagonal of ones needs no preconditioner."""
        x = np.zeros_like(right)
        residual = right.copy()
        direction = residual.copy()
        size = _squares(residual)
        goal = size * np.float32(TOLERANCE**2)
        for _ in range(MOST_STEPS):
            if (size <= goal).all():
                break
            image = self._times(direction)
            step = _ratio(size, np.einsum("qv,qv->q", direction, image)[:, None])
            x += step * direction
            residual -= step * image
            new = _squares(residual)
            direction = residual + _ratio(new, size) * direction
            size = new
        return x


def _squares(a: Floats) -> Floats:
    squares: Floats = np.einsum("qv,qv->q", a, a)[:, None]
    return squares


def _ratio(a: Floats, b: Floats) -> Floats:
    ratio: Floats = np.divide(a, np.maximum(b, TINY))
    return ratio
