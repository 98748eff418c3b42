"""Which voxels a network without tokens reads, and where they stand in its volume."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import Floats, Mask
from models.base.errors import ModelError
from models.base.voxel_scores import best
from models.classify.config import CNN3DConfig, VoxelSettings

STRIDE = 2  # of the original study's `[::2, ::2, ::2]`
Places = NDArray[np.int64]


def voxels_read(config: VoxelSettings, mask: Mask, score: Floats | None) -> Places:
    """Places (n,) in the masked vector of the voxels that a config's `input` reads.

    'volume' stands for `volume[::2, ::2, ::2]` flattened: its voxels outside the brain are 0 in
    every trial, so no weight on them could ever matter, and they are left out. 'selected' without
    a score takes the first ones, for a network whose weights are about to be loaded.
    """
    n_voxels = int(mask.sum())
    if config.input == "brain":
        return np.arange(n_voxels)
    if config.input == "selected":
        return best(
            np.ones(n_voxels, np.float32) if score is None else score, config.n_selected_voxels
        )
    kept = np.zeros(mask.shape, bool)
    kept[::STRIDE, ::STRIDE, ::STRIDE] = True
    found = np.flatnonzero(kept[mask])
    if not len(found):
        msg = "no second voxel lies in the brain: choose input='brain'"
        raise ModelError(msg)
    return found


class CNNInput(NamedTuple):
    """A down-sampled volume: its shape, the flat places in it (n,), and in the mask (n,)."""

    shape: tuple[int, int, int]
    places: Places
    voxels: Places


def cnn_input(config: CNN3DConfig, mask: Mask) -> CNNInput:
    """Return the volume that a CNN reads; one too small for its two poolings is refused."""
    kept = box(mask) if config.crop else (slice(None),) * 3
    where = np.full(mask.shape, -1)
    where[mask] = np.arange(int(mask.sum()))
    small = where[kept][:: config.stride, :: config.stride, :: config.stride]
    if min(small.shape) < 4 or small.max() < 0:
        sides = " × ".join(map(str, small.shape))
        msg = (
            f"a volume of {sides} voxels is too small for two poolings: make the down-sampling "
            f"smaller than {config.stride} or do not crop"
        )
        raise ModelError(msg)
    places = np.flatnonzero(small.ravel() >= 0)
    x, y, z = small.shape
    return CNNInput((x, y, z), places, small.ravel()[places])


def box(mask: Mask) -> tuple[slice, slice, slice]:
    """Return the smallest box that holds the brain."""
    at = np.argwhere(mask)
    low, high = at.min(0), at.max(0) + 1
    x, y, z = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return x, y, z
