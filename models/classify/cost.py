"""What the classifiers cost: parameters, operations, memory; no torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.base.work import FLOAT, FitWork, NetworkWork, Size
from models.classify.config import (
    CNN3DConfig,
    IdentificationConfig,
    LinearSVMConfig,
    LogisticConfig,
    MLPConfig,
    MultinomialRidgeConfig,
    ProjectedSettings,
)
from models.classify.voxel_choice import cnn_input, voxels_read
from models.linear.config import RidgeConfig
from models.linear.cost import ridge_work

SVM_PASSES = 400  # times that liblinear reads all trials for one class and one C
KERNEL = 27  # voxels of a 3 × 3 × 3 convolution

# What reads the response needs no gradient of its input, so it costs twice its forward pass;
# later layers cost three times theirs.


def logistic_work(config: LogisticConfig, mask: NDArray[np.bool_], size: Size) -> NetworkWork:
    """Count one linear layer."""
    n, n_targets = len(voxels_read(config, mask, None)), size.n_targets
    return NetworkWork(n_targets * (n + 1), 0, 4.0 * n * n_targets, FLOAT * (n + n_targets))


def mlp_work(config: MLPConfig, mask: NDArray[np.bool_], size: Size) -> NetworkWork:
    """Count two linear layers."""
    n, h, n_targets = len(voxels_read(config, mask, None)), config.hidden, size.n_targets
    parameters = h * (n + 1) + n_targets * (h + 1)
    flops = 4.0 * n * h + 6.0 * h * n_targets
    return NetworkWork(parameters, 0, flops, FLOAT * (n + 3 * h + n_targets))


def cnn3d_work(config: CNN3DConfig, mask: NDArray[np.bool_], size: Size) -> NetworkWork:
    """Count three blocks of convolution and two linear layers."""
    voxels, n_targets = int(np.prod(cnn_input(config, mask).shape)), size.n_targets
    before, h = 1, config.hidden
    parameters, flops, kept = 0, 0.0, voxels
    for block, channels in enumerate(config.channels):
        parameters += channels * (KERNEL * before + 1) + 2 * channels
        flops += (2 if block == 0 else 3) * 2.0 * voxels * KERNEL * before * channels
        kept += 3 * voxels * channels  # before and after BatchNorm, after ReLU
        voxels, before = voxels // 8, channels
    parameters += h * (before + 1) + n_targets * (h + 1)
    return NetworkWork(parameters, 0, flops + 6.0 * h * (before + n_targets), FLOAT * kept)


def projected_work(
    config: ProjectedSettings, mask: NDArray[np.bool_], size: Size, fits: int = 1
) -> FitWork:
    """Count the fit of a linear classifier in its projected space.

    The randomised SVD reads the selected responses six times a fit. Choosing voxels reads all
    responses once.
    """
    n_voxels, n = int(mask.sum()), size.n_train
    k = min(config.n_selected_voxels or n_voxels, n_voxels)
    m = projected_width(config, mask, size)
    svd = 6 * 2.0 * n * k * m + 8.0 * (n + k) * m * m
    moved = fits * 10.0 * FLOAT * n * n_voxels
    held = 2.0 * FLOAT * n * k + FLOAT * (k * m + m * size.n_targets)
    return FitWork(k * m + m * size.n_targets, fits * svd, moved, held)


def projected_width(config: ProjectedSettings, mask: NDArray[np.bool_], size: Size) -> int:
    """Return how many components are kept."""
    n_voxels = int(mask.sum())
    k = min(config.n_selected_voxels or n_voxels, n_voxels)
    return min(config.n_components or k, size.n_train, k)


def onehot_ridge_work(
    config: MultinomialRidgeConfig, mask: NDArray[np.bool_], size: Size
) -> FitWork:
    """Count two fits, the first on the trials that choose the penalty."""
    return projected_work(config, mask, size, fits=2)


def linear_svm_work(config: LinearSVMConfig, mask: NDArray[np.bool_], size: Size) -> FitWork:
    """Count the machines of all classes, and where C is chosen those of each C tried."""
    fits, tried = (2, config.n_values + 1) if config.C is None else (1, 1)
    work = projected_work(config, mask, size, fits)
    width = projected_width(config, mask, size)
    machines = tried * size.n_targets * SVM_PASSES * 4.0 * size.n_train * width
    return work._replace(flops=work.flops + machines)


def identification_work(
    config: IdentificationConfig, mask: NDArray[np.bool_], size: Size
) -> FitWork:
    """Count the ridge regression that predicts the ratings."""
    return ridge_work(RidgeConfig(n_selected_voxels=config.n_selected_voxels), mask, size)
