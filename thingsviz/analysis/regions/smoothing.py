"""Smoothing inside the brain."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from thingsviz.core.arrays import Mask, Volume
from thingsviz.core.space import Grid

# FWHM of a Gaussian = 2 √(2 ln 2) σ
FWHM_PER_SIGMA = 2.354820045


def smooth_in_brain(volume: Volume, mask: Mask, grid: Grid, fwhm_mm: float) -> Volume:
    """Smooth `volume` (X, Y, Z) with a Gaussian of `fwhm_mm` inside `mask` (X, Y, Z); 0 outside.

    s = G∗(m·v) / G∗m: what lies outside the brain does not pull its edge towards zero. About 15 ms
    on the published grid.
    """
    inside = np.where(mask, np.nan_to_num(volume), 0).astype(np.float32)
    if fwhm_mm <= 0:
        return inside
    sigma = fwhm_mm / FWHM_PER_SIGMA / grid.voxel_size
    total = ndimage.gaussian_filter(inside, sigma, truncate=3, mode="constant")
    weight = ndimage.gaussian_filter(mask.astype(np.float32), sigma, truncate=3, mode="constant")
    return np.where(mask, total / np.maximum(weight, 1e-6), 0).astype(np.float32)
