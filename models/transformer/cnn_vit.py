"""The original study's CNN + transformer: two convolution blocks, then tokens of their map."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.base.arrays import Floats
from models.base.errors import ModelError
from models.transformer.base import Transformer
from models.transformer.cnn_vit_config import CNNViTConfig
from models.transformer.feature_maps import MapTokens, ScaleTokens, scale_tokens, strides
from models.transformer.layers import EMBEDDINGS


class ConvBlock(nn.Module):
    """Conv3d(k 3, p 1) → BatchNorm3d → MaxPool3d(2) → ReLU.

    The original study has the ReLU before the maximum, which gives the same numbers (max and ReLU
    commute) from eight times as many.

    BatchNorm takes its statistics over the trials that are in memory together: with micro-batches
    over each part, not over the whole batch, so that they are not the same step.
    """

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.convolution = nn.Conv3d(n_in, n_out, 3, padding=1)
        self.norm = nn.BatchNorm3d(n_out)
        self.pool = nn.MaxPool3d(2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, n_in, X, Y, Z) → (B, n_out, X // 2, Y // 2, Z // 2)."""
        pooled: Tensor = self.pool(self.norm(self.convolution(x)))
        return pooled.relu()


class CNNViT(Transformer):
    """Volume → two `ConvBlock`s → patches of the last map (or of both) → transformer.

    Maps are kept with their channels last: a step of the original study's network takes 0.48 s a
    sample instead of 0.62 in float32 on one thread, 0.36 instead of 0.53 in bfloat16.

    Masked vectors are laid out as volumes first, zeros outside the brain. With brain tokens only
    patches are used whose receptive field meets the brain mask.
    """

    config: CNNViTConfig
    weight: Tensor | None

    def __init__(
        self,
        config: CNNViTConfig,
        mask: NDArray[np.bool_],
        n_targets: int,
        score: Floats | None = None,
    ) -> None:
        super().__init__(config, mask, n_targets)
        found = scale_tokens(config, mask, score)
        self.grids = [part.grid for part in found.parts]
        for i, part in enumerate(found.parts):
            self.register_buffer(_ids(i), torch.as_tensor(part.tokens))
        self.register_buffer("weight", _voxel_weight(score, config.score_power))
        self.first = ConvBlock(1, config.first_channels)
        self.last = ConvBlock(config.first_channels, config.last_channels)
        self.input_dropout = nn.Dropout(config.input_dropout)
        channels = (config.last_channels, config.first_channels)
        kind = EMBEDDINGS[config.patch_embedding]
        self.embeddings = nn.ModuleList(
            kind(len(part.tokens), c * part.grid.patch_voxels, config.embed_dim)
            for part, c in zip(found.parts, channels, strict=False)
        )
        self.add_layers(config, n_targets)

    @property
    def tokens(self) -> ScaleTokens:
        """The tokens in use: those of the loaded weights, if any were loaded."""
        mask = np.zeros(int(np.prod(self.shape)), bool)
        mask[self.brain.cpu().numpy()] = True
        parts = (
            MapTokens(grid, stride, mask.reshape(self.shape), self._ids(i).cpu().numpy())
            for i, (grid, stride) in enumerate(zip(self.grids, strides(self.config), strict=True))
        )
        return ScaleTokens(tuple(parts))

    def forward(self, x: Tensor) -> Tensor:
        """(B, n_voxels) or (B, X, Y, Z) → (B, n_targets) on the learned scale."""
        return self.read(self.embed(self.maps(self.volume(x))))

    def volume(self, x: Tensor) -> Tensor:
        """Responses → (B, 1, X, Y, Z)."""
        if x.ndim == 4 and self.config.tokens == "dense" and self.weight is None:
            if tuple(x.shape[1:]) != self.shape:
                msg = f"volumes (B, *{self.shape}) were expected, but {tuple(x.shape)} came"
                raise ModelError(msg)
            return x[:, None]
        vector = self.masked(x)
        if self.weight is not None:
            vector = vector * self.weight
        whole = vector.new_zeros(len(x), int(np.prod(self.shape)))
        whole[:, self.brain] = vector
        return whole.view(len(x), 1, *self.shape)

    def maps(self, volume: Tensor) -> list[Tensor]:
        """(B, 1, X, Y, Z) → the maps (B, channels, x, y, z) whose patches are tokens."""
        first: Tensor = self.first(volume.to(memory_format=torch.channels_last_3d))
        last: Tensor = self.last(first)
        return [last, first] if len(self.grids) == 2 else [last]

    def embed(self, maps: list[Tensor]) -> Tensor:
        """Maps → (B, n_tokens (+ 1 for CLS), dim)."""
        embedded = [
            embedding(self.input_dropout(self._patches(i, values)))
            for i, (embedding, values) in enumerate(zip(self.embeddings, maps, strict=True))
        ]
        return self.with_cls(torch.cat(embedded, 1))

    def embedding_parameters(self) -> list[nn.Parameter]:
        """The patch embeddings, which may have a learning rate of their own."""
        return list(self.embeddings.parameters())

    def _patches(self, i: int, values: Tensor) -> Tensor:
        """A map (B, channels, x, y, z) → (B, n_tokens, channels · patch_voxels)."""
        x, y, z = self.grids[i].shape
        patches = self.grids[i].to_tokens(values[..., :x, :y, :z])
        return patches.index_select(2, self._ids(i)).transpose(1, 2).flatten(2)

    def _ids(self, i: int) -> Tensor:
        return cast("Tensor", getattr(self, _ids(i)))


def _ids(i: int) -> str:
    return ("token_ids", "first_token_ids")[i]


def _voxel_weight(score: Floats | None, power: float) -> Tensor | None:
    """score^power (n_voxels,), root mean square 1; None where all voxels count alike."""
    if score is None or not power:
        return None
    weight = score**power
    return torch.as_tensor(weight / np.sqrt((weight**2).mean()))
