"""Maps of a network's layers and heads as volumes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thingsviz.analysis.regions.smoothing import smooth_in_brain
from thingsviz.core.arrays import Array, Mask
from thingsviz.core.space import Grid

Volumes = NDArray[np.float32]


MOST_HEADS = 16


def head_volumes(maps: Array, mask: Mask, grid: Grid, fwhm_mm: float) -> Volumes:
    """Return smoothed volumes (n, X, Y, Z) of maps (n, n_voxels), each scaled to a mean of 1.

    A value is then in multiples of uniform attention, the same for any number of voxels.
    """
    out = np.zeros((len(maps), *mask.shape), np.float32)
    for volume, row in zip(out, maps, strict=True):
        mean = float(row.mean())
        volume[mask] = row / mean if mean > 0 else row
        volume[...] = smooth_in_brain(volume, mask, grid, fwhm_mm)
    return out
