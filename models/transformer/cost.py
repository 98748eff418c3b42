"""What a step of a transformer costs: operations, parameters, bytes; no torch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.base.work import FLOAT, NetworkWork, Size
from models.transformer.cnn_vit_config import CNNViTConfig
from models.transformer.config import TransformerConfig
from models.transformer.feature_maps import scale_tokens
from models.transformer.patches import PatchGrid, TokenIndex


class Embedded(NamedTuple):
    """Tokens that share a way into the transformer, and how many numbers describe one."""

    n_tokens: int
    n_inputs: int


class Front(NamedTuple):
    """What stands before a transformer's blocks: its embeddings, and a CNN if there is one."""

    parts: list[Embedded]
    parameters: int = 0
    flops: float = 0.0  # of one sample, forward and backward
    kept: int = 0  # numbers that a sample's forward pass keeps

    @property
    def n_tokens(self) -> int:
        """Tokens of a response, the CLS token not counted."""
        return sum(part.n_tokens for part in self.parts)


def vit_work(config: TransformerConfig, mask: NDArray[np.bool_], size: Size) -> NetworkWork:
    """Count a transformer over patches of the volume."""
    x, y, z = mask.shape
    grid = PatchGrid((x, y, z), config.patch_size, config.pad)
    n = grid.n_tokens if config.tokens == "dense" else len(TokenIndex.of(mask, grid).tokens)
    n = min(n, config.n_selected_tokens or n)
    return behind(Front([Embedded(n, grid.patch_voxels)]), config, size)


def cnn_vit_work(config: CNNViTConfig, mask: NDArray[np.bool_], size: Size) -> NetworkWork:
    """Count a transformer behind two convolution blocks.

    Two blocks of convolution (27 weights a channel pair), BatchNorm and maximum over 8.
    """
    a, b = config.first_channels, config.last_channels
    maps = scale_tokens(config, mask, np.ones(int(mask.sum()), np.float32)).parts
    parts = [
        Embedded(len(part.tokens), c * part.grid.patch_voxels)
        for part, c in zip(maps, (b, a), strict=False)
    ]
    n_first = int(np.prod(mask.shape))
    n_second = int(np.prod([side // 2 for side in mask.shape]))
    n_third = int(np.prod([side // 4 for side in mask.shape]))
    parameters = 28 * a + 2 * a + (27 * a + 1) * b + 2 * b
    flops = 2 * 2.0 * 27 * a * n_first + 3 * 2.0 * 27 * a * b * n_second
    # before and after BatchNorm; the maximum keeps its place as 8 bytes, the ReLU its result
    kept = n_first * (1 + 2 * a) + n_second * (3 * a + 2 * b) + n_third * 3 * b
    return behind(Front(parts, parameters, flops, kept), config, size)


def behind(front: Front, config: TransformerConfig, size: Size) -> NetworkWork:
    """Count a whole transformer: what stands in front, then blocks and head."""
    parameters = count_parameters(front, config, size.n_targets)
    flops, kept = training_flops(front, config), activation_bytes(front, config)
    return NetworkWork(parameters, front.n_tokens, flops, kept)


def count_parameters(front: Front, config: TransformerConfig, n_targets: int) -> int:
    """Trainable numbers: convolutions, embeddings and positions, CLS, blocks, head."""
    d, hidden = config.embed_dim, round(config.mlp_ratio * config.embed_dim)
    local = config.patch_embedding == "local"
    embedding = sum(
        d * inputs * n + d * n if local else d * (inputs + 1) + d * n for n, inputs in front.parts
    )
    cls = d if config.pooling == "cls" else 0
    attention = 3 * d * (d + 1) + d * (d + 1)
    mlp = hidden * (d + 1) + d * (hidden + 1)
    blocks = config.n_layers * (attention + mlp + 4 * d)
    head = n_targets * (d + 1) + (2 * d if config.final_norm else 0)
    if config.head == "mlp":
        head += hidden * (d + 1) + n_targets * (hidden + 1)
    return front.parameters + embedding + cls + blocks + head


def training_flops(front: Front, config: TransformerConfig) -> float:
    """Operations of one sample, forward and backward; a multiplication and an addition are two.

    A matrix product (n, a) · (a, b) costs 2 n a b forward and twice that backward; what reads the
    response needs no gradient of its input, so only once. Attention adds 4 n² d a layer, forward.
    """
    d, hidden = config.embed_dim, round(config.mlp_ratio * config.embed_dim)
    n = front.n_tokens + (config.pooling == "cls")
    embedding = sum(2.0 * m * inputs * d for m, inputs in front.parts)
    layer = 2.0 * n * (4 * d * d + 2 * d * hidden) + 4.0 * n * n * d
    backward = 3 if front.flops else 2
    return front.flops + backward * embedding + 3 * config.n_layers * layer


def activation_bytes(front: Front, config: TransformerConfig) -> int:
    """What a forward pass of one sample keeps for its backward pass."""
    d, hidden = config.embed_dim, round(config.mlp_ratio * config.embed_dim)
    tokens = sum(2 * part.n_tokens * part.n_inputs for part in front.parts)
    layers = (front.n_tokens + 1) * (2 * d + config.n_layers * (12 * d + 3 * hidden))
    return FLOAT * (tokens + layers + front.kept)
