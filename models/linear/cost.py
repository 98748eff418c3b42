"""What fitting a linear decoder takes: passes over the data, kernels, penalties, memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.base.work import FLOAT, FitWork, Size
from models.linear.config import (
    BandedRidgeConfig,
    EncodingInversionConfig,
    MeanConfig,
    RidgeConfig,
)
from models.subspace.cost import FITS, axes_work, reading

TRIALS_PER_CONCEPT = 12  # as THINGS shows them


def ridge_work(config: RidgeConfig, mask: NDArray[np.bool_], size: Size) -> FitWork:
    """Count kernel ridge: the kernel of the voxels that are kept, and a solution a penalty."""
    n, n_voxels = size.n_train, int(mask.sum())
    k = min(config.n_selected_voxels or n_voxels, n_voxels)
    scored = config.n_selected_voxels is not None or config.score_power > 0
    flops = (2 if scored else 1) * n * n * k + (config.n_alphas + 2) * n**3 / 3
    passes = 5 if scored else 2
    moved = passes * 10 * FLOAT * n * n_voxels
    held = FLOAT * (4 * n * n + 3 * n * config.block_voxels + n_voxels * size.n_targets)
    return FitWork(k * size.n_targets, flops, moved, held)


def banded_ridge_work(config: BandedRidgeConfig, mask: NDArray[np.bool_], size: Size) -> FitWork:
    """Count a kernel a band between concepts, and a solution a mixture."""
    k, moved, blocks = reading(config, mask, size, FITS)
    concepts = size.n_train / TRIALS_PER_CONCEPT
    flops = 2.0 * config.n_bands * concepts**2 * k + 15 * config.n_candidates * concepts**3
    return FitWork(k * size.n_targets, flops, moved, blocks + FLOAT * 3 * concepts * k)


def encoding_inversion_work(
    config: EncodingInversionConfig, mask: NDArray[np.bool_], size: Size
) -> FitWork:
    """Count the axes of the noise; nothing is chosen on held-out concepts."""
    return axes_work(config, mask, size, fits=1)


def mean_work(config: MeanConfig, mask: NDArray[np.bool_], size: Size) -> FitWork:
    """Count nothing but the means themselves."""
    return FitWork(size.n_targets, 0.0, 0.0, 0.0)
