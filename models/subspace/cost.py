"""What fitting a decoder in a subspace takes: passes over the data, axes, noise, memory."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from models.base.work import FLOAT, FitWork, Size
from models.subspace.config import QuadraticDecoderConfig, SubspaceSettings

AXIS_PRODUCTS = 8  # products of all gathered responses with all axes until the axes are found
NOISE_PRODUCTS = 24  # smoothings of all axes' maps on the grid, noise inverted
TOUCHES = 10  # times that a pass reads or writes each number
FITS = 2  # once more to choose on held-out concepts


class ReadsBlocks(Protocol):
    """Settings of a decoder that reads its voxels block by block."""

    n_selected_voxels: int | None
    block_voxels: int


class ReadsAxes(ReadsBlocks, Protocol):
    """Settings of a decoder that finds axes of what it read."""

    n_axes: int


class Reading(NamedTuple):
    """Voxels that are kept, bytes moved, and bytes held at once while reading."""

    n_voxels: int
    moved: float
    blocks: float


def reading(config: ReadsBlocks, mask: NDArray[np.bool_], size: Size, fits: int) -> Reading:
    """Count the passes over the data: for scores, then over what was selected."""
    n, n_voxels = size.n_train, int(mask.sum())
    kept = min(config.n_selected_voxels or n_voxels, n_voxels)
    moved = 2.0 * fits * TOUCHES * FLOAT * n * n_voxels
    return Reading(kept, moved, 3.0 * FLOAT * n * config.block_voxels)


def axes_work(config: ReadsAxes, mask: NDArray[np.bool_], size: Size, fits: int = FITS) -> FitWork:
    """Count a fit that gathers responses and finds their principal axes."""
    n, (k, moved, blocks) = size.n_train, reading(config, mask, size, fits)
    axes = config.n_axes + 20
    flops = fits * AXIS_PRODUCTS * 2.0 * n * k * axes
    held = blocks + FLOAT * (n * k + 4.0 * axes * k)
    return FitWork(k * size.n_targets, flops, moved, held)


def concept_decoder_work(config: SubspaceSettings, mask: NDArray[np.bool_], size: Size) -> FitWork:
    """Count a fit in a subspace, with the noise of neighbours where it is inverted."""
    work = axes_work(config, mask, size)
    if config.local_noise != "invert":
        return work
    axes, grid = config.n_axes + 20, math.prod(mask.shape) * sum(mask.shape)
    return work._replace(flops=work.flops + FITS * NOISE_PRODUCTS * 2.0 * axes * grid)


def quadratic_decoder_work(
    config: QuadraticDecoderConfig, mask: NDArray[np.bool_], size: Size
) -> FitWork:
    """Count the same with a ridge on products of axes."""
    work = concept_decoder_work(config, mask, size)
    features = config.n_axes + config.n_product_axes * (config.n_product_axes + 1) / 2
    flops = 2 * size.n_train * features**2 + 180 * features**3
    held = 3 * 8 * size.n_train * features
    return work._replace(flops=work.flops + flops, held=work.held + held)
