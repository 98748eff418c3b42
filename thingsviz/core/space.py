"""Where a voxel is: grid and affine of a volume, voxel index ⇄ millimetre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """A voxel grid: `shape` (X, Y, Z) and the 4 × 4 `affine` from voxel index to mm, by rows."""

    shape: tuple[int, int, int]
    affine: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, shape: tuple[int, ...], affine: NDArray[np.floating]) -> Grid:
        """Make a grid from the first three axes of `shape` and a (4, 4) affine."""
        rows = tuple(tuple(float(v) for v in row) for row in np.asarray(affine))
        x, y, z = shape[:3]
        return cls((int(x), int(y), int(z)), rows)

    @property
    def matrix(self) -> FloatArray:
        """The affine as a (4, 4) array."""
        return np.array(self.affine)

    @property
    def voxel_size(self) -> FloatArray:
        """Edge lengths of a voxel in mm, (3,)."""
        size: FloatArray = np.sqrt((self.matrix[:3, :3] ** 2).sum(0))
        return size

    @property
    def n_voxels(self) -> int:
        """Number of voxels, brain or not."""
        return int(np.prod(self.shape))

    def to_mm(self, ijk: NDArray[np.number]) -> FloatArray:
        """Millimetre coordinates (…, 3) of voxel indices (…, 3)."""
        mm: FloatArray = np.asarray(ijk, float) @ self.matrix[:3, :3].T + self.matrix[:3, 3]
        return mm

    def to_voxel(self, mm: NDArray[np.number]) -> NDArray[np.intp]:
        """Nearest voxel indices (…, 3) of millimetre coordinates (…, 3), clipped to the grid."""
        inverse = np.linalg.inv(self.matrix)
        ijk = np.rint(np.asarray(mm, float) @ inverse[:3, :3].T + inverse[:3, 3])
        inside: NDArray[np.intp] = np.clip(ijk, 0, np.array(self.shape) - 1).astype(np.intp)
        return inside

    def same_as(self, other: Grid, tolerance_mm: float = 1e-3) -> bool:
        """Whether both grids have the same shape and, within the tolerance, the same affine."""
        return self.shape == other.shape and bool(
            np.allclose(self.matrix, other.matrix, atol=tolerance_mm, rtol=0)
        )
