"""Which voxels are brain, and in which order the store lists them."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from thingsviz.core.errors import DataError
from thingsviz.core.files import write_atomically
from thingsviz.core.space import Grid
from thingsviz.data.volumes.gzip_stream import Digest
from thingsviz.data.volumes.nifti import VolumeReader

MOST_VOXELS = 300**3  # more than 1 mm voxels of any head


@dataclass(frozen=True)
class BrainMask:
    """Brain voxels of a grid; the store lists them in C order (the last axis fastest)."""

    inside: NDArray[np.bool_]  # (X, Y, Z)
    grid: Grid

    @cached_property
    def ijk(self) -> NDArray[np.int64]:
        """Voxel indices of the brain voxels, (n_voxels, 3)."""
        return np.argwhere(self.inside)

    @property
    def n_voxels(self) -> int:
        """Number of brain voxels."""
        return len(self.ijk)

    @cached_property
    def fortran_positions(self) -> NDArray[np.intp]:
        """Where each brain voxel stands in a volume as NIfTI writes it, (n_voxels,)."""
        positions: NDArray[np.intp] = np.ravel_multi_index(
            tuple(self.ijk.T), self.grid.shape, order="F"
        )
        return positions

    def unmask(self, vector: NDArray[np.generic], fill: float = 0.0) -> NDArray[np.float32]:
        """Put (n_voxels,) values into a (X, Y, Z) volume."""
        volume = np.full(self.grid.shape, fill, np.float32)
        volume[self.inside] = vector
        return volume


def read_mask(path: Path) -> tuple[BrainMask, Digest]:
    """Read a brain mask: all that is not zero is brain."""
    if not path.is_file():
        msg = f"there is no brain mask {str(path)!r}: put the published one there"
        raise DataError(msg)
    with VolumeReader(path, n_axes=3) as reader:
        grid = reader.header.grid
        if grid.n_voxels > MOST_VOXELS:
            msg = f"{str(path)!r} claims the shape {grid.shape}: no brain mask is that large"
            raise DataError(msg)
        numbers = reader.to_values(next(reader.volumes()))
        inside = (np.nan_to_num(numbers) != 0).reshape(grid.shape, order="F")
        digest = reader.source.finish()
    if not inside.any():
        msg = f"{str(path)!r} marks no voxel as brain: put the published mask there"
        raise DataError(msg)
    return BrainMask(np.ascontiguousarray(inside), grid), digest


def write_mask(path: Path, mask: BrainMask) -> None:
    """Write a mask as NIfTI, the same bytes each time."""
    image = nib.Nifti1Image(mask.inside.astype(np.uint8), mask.grid.matrix)
    image.header.set_xyzt_units("mm")
    packed = gzip.compress(image.to_bytes(), 6, mtime=0)
    write_atomically(path, lambda file: file.write(packed))
