"""What a training costs before it starts: parameters, memory, multiplications, time; no torch."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.catalog.config import CNNViTConfig, FitConfig, ModelConfig, RidgeConfig
from models.classify.config import (
    CNN3DConfig,
    IdentificationConfig,
    ProjectedSettings,
    VoxelSettings,
)
from models.cost.classify import Counted, counted, projected_work
from models.cost.linear import LinearSettings, linear_work
from models.transformer.config import TransformerConfig
from models.transformer.feature_maps import scale_tokens
from models.transformer.patches import PatchGrid, TokenIndex

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


class Embedded(NamedTuple):
    """Tokens that share a way into the transformer, and how many numbers describe one."""

    n_tokens: int
    n_inputs: int


def embedded(config: TransformerConfig, mask: NDArray[np.bool_]) -> list[Embedded]:
    """Count the tokens of each embedding: one for a ViT, one a map behind a CNN."""
    if isinstance(config, CNNViTConfig):
        channels = (config.last_channels, config.first_channels)
        score = np.ones(int(mask.sum()), np.float32)
        parts = scale_tokens(config, mask, score).parts
        return [
            Embedded(len(part.tokens), c * part.grid.patch_voxels)
            for part, c in zip(parts, channels, strict=False)
        ]
    x, y, z = mask.shape
    grid = PatchGrid((x, y, z), config.patch_size, config.pad)
    n = grid.n_tokens if config.tokens == "dense" else len(TokenIndex.of(mask, grid).tokens)
    return [Embedded(min(n, config.n_selected_tokens or n), grid.patch_voxels)]


def count_tokens(config: TransformerConfig, mask: NDArray[np.bool_]) -> int:
    """Tokens of a response, the CLS token not counted."""
    return sum(part.n_tokens for part in embedded(config, mask))


def count_parameters(config: TransformerConfig, mask: NDArray[np.bool_], n_targets: int) -> int:
    """Trainable numbers: convolutions, embeddings and positions, CLS, blocks, head."""
    d, hidden = config.embed_dim, round(config.mlp_ratio * config.embed_dim)
    local = config.patch_embedding == "local"
    embedding = sum(
        d * inputs * n + d * n if local else d * (inputs + 1) + d * n
        for n, inputs in embedded(config, mask)
    )
    cls = d if config.pooling == "cls" else 0
    attention = 3 * d * (d + 1) + d * (d + 1)
    mlp = hidden * (d + 1) + d * (hidden + 1)
    blocks = config.n_layers * (attention + mlp + 4 * d)
    head = n_targets * (d + 1) + (2 * d if config.final_norm else 0)
    if config.head == "mlp":
        head += hidden * (d + 1) + n_targets * (hidden + 1)
    return convolution_work(config, mask).parameters + embedding + cls + blocks + head


def training_flops(config: TransformerConfig, mask: NDArray[np.bool_]) -> float:
    """Operations of one sample, forward and backward; a multiplication and an addition are two.

    A matrix product (n, a) · (a, b) costs 2 n a b forward and twice that backward; what reads the
    response needs no gradient of its input, so only once. Attention adds 4 n² d a layer, forward.
    """
    d, hidden = config.embed_dim, round(config.mlp_ratio * config.embed_dim)
    n = count_tokens(config, mask) + (config.pooling == "cls")
    embedding = sum(2.0 * m * inputs * d for m, inputs in embedded(config, mask))
    layer = 2.0 * n * (4 * d * d + 2 * d * hidden) + 4.0 * n * n * d
    convolutions = convolution_work(config, mask)
    backward = 3 if convolutions.flops else 2
    return convolutions.flops + backward * embedding + 3 * config.n_layers * layer


class Convolutions(NamedTuple):
    """What the CNN in front of a transformer takes; nothing where there is none."""

    parameters: int = 0
    flops: float = 0.0  # of one sample, forward and backward
    kept: int = 0  # numbers that a sample's forward pass keeps


def convolution_work(config: TransformerConfig, mask: NDArray[np.bool_]) -> Convolutions:
    """Two blocks of convolution (27 weights a channel pair), BatchNorm and maximum over 8."""
    if not isinstance(config, CNNViTConfig):
        return Convolutions()
    a, b = config.first_channels, config.last_channels
    n_first = int(np.prod(mask.shape))
    n_second = int(np.prod([side // 2 for side in mask.shape]))
    n_third = int(np.prod([side // 4 for side in mask.shape]))
    parameters = 28 * a + 2 * a + (27 * a + 1) * b + 2 * b
    flops = 2 * 2.0 * 27 * a * n_first + 3 * 2.0 * 27 * a * b * n_second
    # before and after BatchNorm; the maximum keeps its place as 8 bytes, the ReLU its result
    kept = n_first * (1 + 2 * a) + n_second * (3 * a + 2 * b) + n_third * 3 * b
    return Convolutions(parameters, flops, kept)


def _transformer(config: TransformerConfig, mask: NDArray[np.bool_], size: Size) -> Counted:
    parameters = count_parameters(config, mask, size.n_targets)
    flops, kept = training_flops(config, mask), _activation_bytes(config, mask)
    return Counted(parameters, count_tokens(config, mask), flops, kept)


def _network(work: Counted, n_voxels: int, fit: FitConfig, size: Size, speed: Speed) -> Cost:
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


def _activation_bytes(config: TransformerConfig, mask: NDArray[np.bool_]) -> int:
    """What a forward pass of one sample keeps for its backward pass."""
    d, hidden = config.embed_dim, round(config.mlp_ratio * config.embed_dim)
    parts = embedded(config, mask)
    n = sum(part.n_tokens for part in parts) + 1
    tokens = sum(2 * part.n_tokens * part.n_inputs for part in parts)
    layers = n * (2 * d + config.n_layers * (12 * d + 3 * hidden))
    return FLOAT * (tokens + layers + convolution_work(config, mask).kept)


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
