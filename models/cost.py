"""What a training costs before it starts: parameters, memory, multiplications, time; no torch."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.config import FitConfig, ModelConfig, RidgeConfig, ViT3DConfig
from models.patches import PatchGrid, TokenIndex

FLOAT = 4  # bytes
COPIES = 5  # of each weight while training: itself, gradient, two moments, the best epoch's
ADAMW_TOUCHES = 8  # times that a step reads or writes each weight's numbers
READ_AHEAD = 3  # batches of responses in memory


@dataclass(frozen=True)
class Speed:
    """How fast a machine is: float32 multiplications-and-additions, and memory, per second."""

    flops: float
    bytes: float


@dataclass(frozen=True)
class Cost:
    """What a training will take.

    `flops_per_sample` is forward and backward; `bytes` is beyond what Python and torch need by
    themselves (about 0.6 GB); `seconds` is a guess that is right within a factor of two on an
    idle machine.
    """

    parameters: int
    n_tokens: int
    flops_per_sample: float
    bytes: int
    seconds_per_epoch: float
    seconds: float


@dataclass(frozen=True)
class Size:
    """What the data bring: trials in each part, targets."""

    n_train: int
    n_validation: int = 0
    n_targets: int = 12


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
    if isinstance(config, ViT3DConfig):
        return _network(config, mask, fit, size, speed)
    if isinstance(config, RidgeConfig):
        return _ridge(config, n_voxels, size, speed)
    return Cost(size.n_targets, 0, 0.0, 0, 0.0, 0.0)


def count_tokens(config: ViT3DConfig, mask: NDArray[np.bool_]) -> int:
    """Tokens of a response, the CLS token not counted."""
    x, y, z = mask.shape
    grid = PatchGrid((x, y, z), config.patch_size, config.pad)
    if config.tokens == "dense":
        return grid.n_tokens
    n = len(TokenIndex.of(mask, grid).tokens)
    return n if config.n_selected_tokens is None else min(n, config.n_selected_tokens)


def count_parameters(config: ViT3DConfig, n_tokens: int, n_targets: int) -> int:
    """Trainable numbers: embedding and positions, CLS, blocks, head."""
    d, hidden = config.embed_dim, round(config.mlp_ratio * config.embed_dim)
    voxels = int(np.prod(config.patch_size))
    embedding = d * voxels * n_tokens if config.patch_embedding == "local" else d * (voxels + 1)
    cls = d if config.pooling == "cls" else 0
    attention = 3 * d * (d + 1) + d * (d + 1)
    mlp = hidden * (d + 1) + d * (hidden + 1)
    blocks = config.n_layers * (attention + mlp + 4 * d)
    head = n_targets * (d + 1) + (2 * d if config.final_norm else 0)
    return embedding + d * n_tokens + cls + blocks + head


def training_flops(config: ViT3DConfig, n_tokens: int) -> float:
    """Operations of one sample, forward and backward; a multiplication and an addition are two.

    A matrix product (n, a) · (a, b) costs 2 n a b forward and twice that backward; the embedding
    needs no gradient of its input, so only once. Attention adds 4 n² d a layer, forward.
    """
    d, hidden = config.embed_dim, round(config.mlp_ratio * config.embed_dim)
    n = n_tokens + (config.pooling == "cls")
    embedding = 2.0 * n_tokens * int(np.prod(config.patch_size)) * d
    layer = 2.0 * n * (4 * d * d + 2 * d * hidden) + 4.0 * n * n * d
    return 2 * embedding + 3 * config.n_layers * layer


def _network(
    config: ViT3DConfig, mask: NDArray[np.bool_], fit: FitConfig, size: Size, speed: Speed
) -> Cost:
    n_tokens, n_voxels = count_tokens(config, mask), int(mask.sum())
    parameters = count_parameters(config, n_tokens, size.n_targets)
    flops = training_flops(config, n_tokens)
    activations = _activation_bytes(config, n_tokens)
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


def _activation_bytes(config: ViT3DConfig, n_tokens: int) -> int:
    """What a forward pass of one sample keeps for its backward pass."""
    d, hidden = config.embed_dim, round(config.mlp_ratio * config.embed_dim)
    voxels = int(np.prod(config.patch_size))
    token = 2 * voxels + 2 * d + config.n_layers * (12 * d + 3 * hidden)
    return FLOAT * (n_tokens + 1) * token


def _ridge(config: RidgeConfig, n_voxels: int, size: Size, speed: Speed) -> Cost:
    n = size.n_train
    k = min(config.n_selected_voxels or n_voxels, n_voxels)
    scored = config.n_selected_voxels is not None or config.score_power > 0
    flops = (2 if scored else 1) * n * n * k + (config.n_alphas + 2) * n**3 / 3
    passes = 5 if scored else 2
    seconds = flops / speed.flops + passes * 10 * FLOAT * n * n_voxels / speed.bytes
    memory = FLOAT * (4 * n * n + 3 * n * config.block_voxels + n_voxels * size.n_targets)
    return Cost(k * size.n_targets, 0, flops / max(n, 1), memory, seconds, seconds)


@cache
def machine_speed() -> Speed:
    """Measure this machine for a fifth of a second: a float32 matrix product, and a copy."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal((1024, 1024), np.float32)
    flops = 2 * 1024**3 / _best_time(lambda: a @ a)
    big = np.ones(16_000_000, np.float32)
    other = np.empty_like(big)
    return Speed(0.6 * flops, 2 * big.nbytes / _best_time(lambda: np.copyto(other, big)))


def _best_time(work: Callable[[], object]) -> float:
    times = []
    for _ in range(6):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
