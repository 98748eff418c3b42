"""What fitting a linear decoder takes, beside ridge: passes over the data, axes, noise, memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.linear.config import BandedRidgeConfig, EncodingInversionConfig
from models.subspace.config import QuadraticDecoderConfig, SubspaceSettings

if TYPE_CHECKING:
    from models.cost.base import Size

FLOAT = 4  # bytes
AXIS_PRODUCTS = 8  # products of all gathered responses with all axes until the axes are found
NOISE_PRODUCTS = 24  # smoothings of all axes' maps on the grid, noise inverted
TOUCHES = 10  # times that a pass reads or writes each number

LinearSettings = SubspaceSettings | BandedRidgeConfig | EncodingInversionConfig


def linear_work(
    config: LinearSettings, mask: NDArray[np.bool_], size: Size
) -> tuple[float, float, float]:
    """Return multiplications-and-additions, bytes moved, and bytes held at once."""
    n, n_voxels = size.n_train, int(mask.sum())
    k = min(config.n_selected_voxels or n_voxels, n_voxels)
    fits = 1 if isinstance(config, EncodingInversionConfig) else 2  # once more to choose
    moved = 2.0 * fits * TOUCHES * FLOAT * n * n_voxels  # scores, then what was selected
    blocks = 3.0 * FLOAT * n * config.block_voxels
    if isinstance(config, BandedRidgeConfig):
        concepts = n / 12  # as THINGS shows them
        flops = 2.0 * config.n_bands * concepts**2 * k + 15 * config.n_candidates * concepts**3
        return flops, moved, blocks + FLOAT * 3 * concepts * k
    axes = config.n_axes + 20
    flops = fits * AXIS_PRODUCTS * 2.0 * n * k * axes
    held = blocks + FLOAT * (n * k + 4.0 * axes * k)
    if isinstance(config, SubspaceSettings) and config.local_noise == "invert":
        flops += fits * NOISE_PRODUCTS * 2.0 * axes * math.prod(mask.shape) * sum(mask.shape)
    if isinstance(config, QuadraticDecoderConfig):
        features = config.n_axes + config.n_product_axes * (config.n_product_axes + 1) / 2
        flops += 2 * n * features**2 + 180 * features**3
        held += 3 * 8 * n * features
    return flops, moved, held
