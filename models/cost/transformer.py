"""What a step of a transformer costs: operations, parameters, bytes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.cost.base import FLOAT, Size
from models.cost.classify import NetworkWork
from models.transformer.cnn_vit_config import CNNViTConfig
from models.transformer.config import TransformerConfig
from models.transformer.feature_maps import scale_tokens
from models.transformer.patches import PatchGrid, TokenIndex


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


def _transformer(config: TransformerConfig, mask: NDArray[np.bool_], size: Size) -> NetworkWork:
    parameters = count_parameters(config, mask, size.n_targets)
    flops, kept = training_flops(config, mask), _activation_bytes(config, mask)
    return NetworkWork(parameters, count_tokens(config, mask), flops, kept)


def _activation_bytes(config: TransformerConfig, mask: NDArray[np.bool_]) -> int:
    """What a forward pass of one sample keeps for its backward pass."""
    d, hidden = config.embed_dim, round(config.mlp_ratio * config.embed_dim)
    parts = embedded(config, mask)
    n = sum(part.n_tokens for part in parts) + 1
    tokens = sum(2 * part.n_tokens * part.n_inputs for part in parts)
    layers = n * (2 * d + config.n_layers * (12 * d + 3 * hidden))
    return FLOAT * (tokens + layers + convolution_work(config, mask).kept)
