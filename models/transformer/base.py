"""What follows the tokens in every transformer: CLS, blocks, pooling, head."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.base.errors import ModelError
from models.base.network import Network
from models.transformer.config import TransformerConfig
from models.transformer.layers import POSITION_SD, Block, ReadoutHead


class Transformer(Network):
    """Tokens → [CLS] → blocks → pooling → head; subclasses say what tokens are.

    A response comes as a masked vector (B, n_voxels), C order of the mask, or as a dense volume
    (B, X, Y, Z). Departures from the textbook: pooling 'sum' divides by √tokens, so that a
    linear read-out of unit-variance tokens has unit variance.
    """

    config: TransformerConfig

    def __init__(self, config: TransformerConfig, mask: NDArray[np.bool_], n_targets: int) -> None:
        super().__init__(config, mask, n_targets)
        self.shape = mask.shape

    def add_layers(self, config: TransformerConfig, n_targets: int) -> None:
        """Add what reads the tokens; after the embedding, so that seeds keep their weights."""
        dim = config.embed_dim
        self.cls = (
            nn.Parameter(torch.randn(1, 1, dim) * POSITION_SD) if config.pooling == "cls" else None
        )
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.head = ReadoutHead(config, n_targets)

    def with_cls(self, x: Tensor) -> Tensor:
        """Embedded tokens (B, n, dim) → (B, n (+ 1 for CLS), dim)."""
        if self.cls is not None:
            x = torch.cat([self.cls.expand(len(x), -1, -1).to(x.dtype), x], 1)
        dropped: Tensor = self.dropout(x)
        return dropped

    def read(self, x: Tensor) -> Tensor:
        """(B, n, dim) → (B, n_targets)."""
        for block in self.blocks:
            x = block(x)
        ratings: Tensor = self.head(self._pool(x))
        return ratings

    def masked(self, x: Tensor) -> Tensor:
        """Responses as masked vectors (B, n_voxels), or one sentence."""
        vector = x.flatten(1).index_select(1, self.brain) if x.ndim == 4 else x
        if vector.ndim != 2 or vector.shape[1] != len(self.brain):
            msg = (
                f"responses (B, {len(self.brain)}) in the mask or volumes (B, *{self.shape}) "
                f"were expected, but {tuple(x.shape)} came"
            )
            raise ModelError(msg)
        return vector

    def _pool(self, x: Tensor) -> Tensor:
        if self.config.pooling == "cls":
            return x[:, 0]
        if self.config.pooling == "mean":
            return x.mean(1)
        return x.sum(1) / math.sqrt(x.shape[1])
