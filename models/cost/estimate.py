"""What a training costs before it starts: parameters, memory, multiplications, time; no torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.catalog.config import ModelConfig
from models.classify.config import (
    CNN3DConfig,
    IdentificationConfig,
    ProjectedSettings,
    VoxelSettings,
)
from models.cost.base import FLOAT, Cost, Size, Speed, machine_speed
from models.cost.classify import NetworkWork, counted, projected_work
from models.cost.linear import LinearSettings, linear_work
from models.cost.transformer import _transformer
from models.linear.config import RidgeConfig
from models.training.config import FitConfig
from models.transformer.config import TransformerConfig

COPIES = 5  # of each weight while training: itself, gradient, two moments, the best epoch's
ADAMW_TOUCHES = 8  # times that a step reads or writes each weight's numbers
READ_AHEAD = 3  # batches of responses in memory


def estimate(
    config: ModelConfig,
    mask: NDArray[np.bool_],
    fit: FitConfig,
    size: Size,
    speed: Speed | None = None,
) -> Cost:
    """Estimate a training on a brain mask (X, Y, Z); without `speed` it is measured, once."""
    speed = speed or machine_speed()
    n_voxels = int(mask.sum())
    if isinstance(config, TransformerConfig):
        return _network(_transformer(config, mask, size), n_voxels, fit, size, speed)
    if isinstance(config, VoxelSettings | CNN3DConfig):
        return _network(counted(config, mask, size.n_targets), n_voxels, fit, size, speed)
    if isinstance(config, ProjectedSettings):
        work = projected_work(config, n_voxels, size.n_train, size.n_targets)
        seconds = work.flops / speed.flops + work.moved / speed.bytes
        per_sample = work.flops / max(size.n_train, 1)
        return Cost(work.parameters, 0, per_sample, int(work.held), seconds, seconds)
    if isinstance(config, IdentificationConfig):
        config = RidgeConfig(n_selected_voxels=config.n_selected_voxels)
    if isinstance(config, RidgeConfig):
        return _ridge(config, n_voxels, size, speed)
    if isinstance(config, LinearSettings):
        flops, moved, held = linear_work(config, mask, size)
        seconds = flops / speed.flops + moved / speed.bytes
        n_weights = min(config.n_selected_voxels or n_voxels, n_voxels) * size.n_targets
        return Cost(n_weights, 0, flops / max(size.n_train, 1), int(held), seconds, seconds)
    return Cost(size.n_targets, 0, 0.0, 0, 0.0, 0.0)


def _network(work: NetworkWork, n_voxels: int, fit: FitConfig, size: Size, speed: Speed) -> Cost:
    parameters, n_tokens, flops, activations = work
    batches = fit.batches_per_epoch or -(-size.n_train // fit.batch_size)
    validated = size.n_validation
    if fit.validation_batches is not None:
        validated = min(validated, fit.validation_batches * fit.batch_size)
    sample = flops / speed.flops + (3 * activations + 6 * FLOAT * n_voxels) / speed.bytes
    step = fit.batch_size * sample + ADAMW_TOUCHES * FLOAT * parameters / speed.bytes
    epoch = batches * step + validated * sample / 3
    held = fit.micro_batch_size or fit.batch_size
    memory = (
        COPIES * FLOAT * parameters
        + held * activations
        + READ_AHEAD * fit.batch_size * n_voxels * FLOAT
    )
    return Cost(parameters, n_tokens, flops, int(memory), epoch, epoch * fit.epochs)


def _ridge(config: RidgeConfig, n_voxels: int, size: Size, speed: Speed) -> Cost:
    n = size.n_train
    k = min(config.n_selected_voxels or n_voxels, n_voxels)
    scored = config.n_selected_voxels is not None or config.score_power > 0
    flops = (2 if scored else 1) * n * n * k + (config.n_alphas + 2) * n**3 / 3
    passes = 5 if scored else 2
    seconds = flops / speed.flops + passes * 10 * FLOAT * n * n_voxels / speed.bytes
    memory = FLOAT * (4 * n * n + 3 * n * config.block_voxels + n_voxels * size.n_targets)
    return Cost(k * size.n_targets, 0, flops / max(n, 1), memory, seconds, seconds)
