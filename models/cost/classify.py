"""What the report's classifiers cost: parameters, operations, memory; no torch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.classify.config import (
    CNN3DConfig,
    LinearSVMConfig,
    MLPConfig,
    MultinomialRidgeConfig,
    ProjectedSettings,
    VoxelSettings,
)
from models.classify.voxel_choice import cnn_input, voxels_read

FLOAT = 4
SVM_PASSES = 400  # times that liblinear reads all trials for one class and one C
KERNEL = 27  # voxels of a 3 × 3 × 3 convolution


class NetworkWork(NamedTuple):
    """Of one network: trainable numbers, tokens, operations and kept bytes a sample."""

    parameters: int
    n_tokens: int
    flops: float
    kept_bytes: int


def counted(
    config: VoxelSettings | CNN3DConfig, mask: NDArray[np.bool_], n_targets: int
) -> NetworkWork:
    """Count a classifier's training on a mask; a multiplication and an addition are two.

    What reads the response needs no gradient of its input, so it costs twice its forward pass;
    later layers cost three times theirs.
    """
    if isinstance(config, CNN3DConfig):
        return _convolutions(config, mask, n_targets)
    n = len(voxels_read(config, mask, None))
    if isinstance(config, MLPConfig):
        h = config.hidden
        parameters = h * (n + 1) + n_targets * (h + 1)
        flops = 4.0 * n * h + 6.0 * h * n_targets
        return NetworkWork(parameters, 0, flops, FLOAT * (n + 3 * h + n_targets))
    return NetworkWork(n_targets * (n + 1), 0, 4.0 * n * n_targets, FLOAT * (n + n_targets))


def _convolutions(config: CNN3DConfig, mask: NDArray[np.bool_], n_targets: int) -> NetworkWork:
    voxels = int(np.prod(cnn_input(config, mask).shape))
    before, h = 1, config.hidden
    parameters, flops, kept = 0, 0.0, voxels
    for block, channels in enumerate(config.channels):
        parameters += channels * (KERNEL * before + 1) + 2 * channels
        flops += (2 if block == 0 else 3) * 2.0 * voxels * KERNEL * before * channels
        kept += 3 * voxels * channels  # before and after BatchNorm, after ReLU
        voxels, before = voxels // 8, channels
    parameters += h * (before + 1) + n_targets * (h + 1)
    return NetworkWork(parameters, 0, flops + 6.0 * h * (before + n_targets), FLOAT * kept)


class FitWork(NamedTuple):
    """Of one fit: numbers that are fitted, operations, bytes moved and bytes held."""

    parameters: int
    flops: float
    moved: float
    held: float


def projected_work(
    config: ProjectedSettings, n_voxels: int, n_train: int, n_classes: int
) -> FitWork:
    """Count the fit of a linear classifier in its projected space.

    The randomised SVD reads the selected responses six times; one-hot ridge does it twice, the
    first time on the trials that choose its penalty. Choosing voxels reads all responses once.
    """
    k = min(config.n_selected_voxels or n_voxels, n_voxels)
    m = min(config.n_components or k, n_train, k)
    fits = 2 if isinstance(config, MultinomialRidgeConfig) else 1
    machines = 0.0
    if isinstance(config, LinearSVMConfig):
        fits, tried = (2, config.n_values + 1) if config.C is None else (1, 1)
        machines = tried * n_classes * SVM_PASSES * 4.0 * n_train * m
    svd = 6 * 2.0 * n_train * k * m + 8.0 * (n_train + k) * m * m
    moved = fits * 10.0 * FLOAT * n_train * n_voxels
    held = 2.0 * FLOAT * n_train * k + FLOAT * (k * m + m * n_classes)
    return FitWork(k * m + m * n_classes, fits * svd + machines, moved, held)
