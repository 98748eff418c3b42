"""Smooth Gaussian fields on the brain: how they are drawn, and their covariance as an operator."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
FWHM_TO_SD = 1 / np.sqrt(8 * np.log(2))


def _kernel(n: int, sd: float) -> NDArray[np.float64]:
    """Gaussian blur along one axis: a symmetric (n, n) matrix, cut where it has fallen to 3e-4."""
    distance = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    blur: NDArray[np.float64] = np.exp(-(distance**2) / (2 * sd**2)) * (distance <= 4 * sd + 1)
    return blur


class SmoothField:
    """White noise on the brain's bounding box, blurred by D·G and read at the brain's voxels.

    G is a separable Gaussian (three small matrices: exact, symmetric, faster here than an FFT);
    D divides by the blurred noise's own SD, so that the variance is 1 everywhere, edges included.
    """

    def __init__(
        self, fwhm_mm: float, voxel_mm: NDArray[np.float64], brain: NDArray[np.bool_]
    ) -> None:
        box = [_extent(brain, axis) for axis in range(3)]
        self.shape = tuple(hi - lo for lo, hi in box)
        inside = brain[tuple(slice(lo, hi) for lo, hi in box)]
        self.at = np.flatnonzero(inside)  # (n_voxels,), in C order like the store's
        sds = np.maximum(fwhm_mm * FWHM_TO_SD / voxel_mm, 1e-3)
        blurs = [_kernel(n, sd) for n, sd in zip(self.shape, sds, strict=True)]
        x, y, z = (np.sqrt((m**2).sum(1)) for m in blurs)
        self.unit: Float32 = (1 / np.einsum("i,j,k->ijk", x, y, z)).astype(np.float32)
        self.blurs: list[Float32] = [m.astype(np.float32) for m in blurs]

    def blur(self, box: Float32) -> Float32:
        """G · `box`, with `box` (b, X, Y, Z)."""
        b, nx, ny, nz = box.shape
        mx, my, mz = self.blurs
        first = box @ mz
        second = np.matmul(my, first)
        # written over the first: fresh memory costs as much as the product
        np.matmul(mx, second.reshape(b, nx, ny * nz), out=first.reshape(b, nx, ny * nz))
        return first

    def read(self, box: Float32) -> Float32:
        """Return the brain's voxels (b, n_voxels) of boxes (b, X, Y, Z)."""
        return box.reshape(len(box), -1)[:, self.at]

    def draw(self, rng: np.random.Generator, n: int) -> Float32:
        """Draw `n` independent fields of variance 1, (n, n_voxels)."""
        white = rng.standard_normal((n, *self.shape), dtype=np.float32)
        fields = self.blur(white)
        fields *= self.unit
        return self.read(fields)

    def covariance(self, x: Float32) -> Float32:
        """`x` (b, n_voxels) times the covariance P D G G D Pᵀ, P reading the brain from a box."""
        box = np.zeros((len(x), *self.shape), np.float32)
        box.reshape(len(x), -1)[:, self.at] = x
        box *= self.unit
        smooth = self.blur(self.blur(box))
        smooth *= self.unit
        return self.read(smooth)


def _extent(brain: NDArray[np.bool_], axis: int) -> tuple[int, int]:
    """First and last + 1 index along `axis` that the brain touches."""
    others = tuple(a for a in range(3) if a != axis)
    touched = np.flatnonzero(brain.any(axis=others))
    return int(touched[0]), int(touched[-1]) + 1
