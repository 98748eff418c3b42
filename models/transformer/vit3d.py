"""The 3-D vision transformer, on every patch of the volume or on the brain's alone."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.base.arrays import Floats
from models.base.voxel_scores import best
from models.transformer.base import Transformer
from models.transformer.layers import EMBEDDINGS
from models.transformer.patches import PatchGrid, TokenIndex, gather_tokens
from models.transformer.vit3d_config import ViT3DConfig


class ViT3D(Transformer):
    """Patches → embedding → [CLS] → blocks → pooling → head.

    Masked vectors go straight to tokens through a precomputed index. With dense tokens a dense
    volume is taken whole, as in the original study; with brain tokens what lies outside the mask
    is not looked at.
    """

    token_ids: Tensor
    config: ViT3DConfig
    gather: Tensor
    weight: Tensor

    def __init__(
        self,
        config: ViT3DConfig,
        mask: NDArray[np.bool_],
        n_targets: int,
        score: Floats | None = None,
    ) -> None:
        super().__init__(config, mask, n_targets)
        x, y, z = mask.shape
        self.grid = PatchGrid((x, y, z), config.patch_size, config.pad)
        index = token_index(config, mask, self.grid, score)
        self.register_buffer("token_ids", torch.as_tensor(index.tokens))
        self.register_buffer("gather", torch.as_tensor(index.gather))
        self.register_buffer("weight", voxel_weight(index, score, config.score_power))
        dim, n = config.embed_dim, len(index.tokens)
        self.input_dropout = nn.Dropout(config.input_dropout)
        self.embedding = EMBEDDINGS[config.patch_embedding](n, self.grid.patch_voxels, dim)
        self.add_layers(config, n_targets)

    @property
    def tokens(self) -> TokenIndex:
        """The tokens in use: those of the loaded weights, if any were loaded."""
        ids, gather = self.token_ids.cpu().numpy(), self.gather.cpu().numpy()
        return TokenIndex(self.grid, len(self.brain), ids, gather)

    @property
    def starts_fitted(self) -> bool:
        """Whether training begins with fitting a linear decoder (models.training.warm_start)."""
        return self.config.start == "linear"

    def forward(self, x: Tensor) -> Tensor:
        """(B, n_voxels) or (B, X, Y, Z) → (B, n_targets) on the learned scale."""
        return self.read(self.embed(self.tokenize(x)))

    def tokenize(self, x: Tensor) -> Tensor:
        """Responses → (B, n_tokens, patch_voxels)."""
        if x.ndim == 4 and self.config.tokens == "dense":
            whole = self.grid.to_tokens(x)
            return whole * self.weight if self.config.score_power else whole
        return gather_tokens(self.masked(x), self.gather, self.weight)

    def embed(self, tokens: Tensor) -> Tensor:
        """(B, n_tokens, patch_voxels) → (B, n_tokens (+ 1 for CLS), dim)."""
        x: Tensor = self.embedding(self.input_dropout(tokens))
        return self.with_cls(x)

    def embedding_parameters(self) -> list[nn.Parameter]:
        """The patch embedding, which may have a learning rate of its own."""
        return list(self.embedding.parameters())


def token_index(
    config: ViT3DConfig, mask: NDArray[np.bool_], grid: PatchGrid, score: Floats | None
) -> TokenIndex:
    """Tokens that a config asks for; `score` (n_voxels,) ranks patches by their summed score."""
    index = TokenIndex.of(mask, grid, brain_only=config.tokens == "brain")
    if config.n_selected_tokens is None or score is None:
        return index
    chosen = best(patch_score(index, score), config.n_selected_tokens)
    return TokenIndex.of(mask, grid, keep=index.tokens[chosen])


def patch_score(index: TokenIndex, score: Floats) -> Floats:
    """Sum of the voxel scores (n_voxels,) in each patch, (n_tokens,)."""
    total: Floats = np.where(index.present, score[index.gather], 0).sum(1, dtype=np.float32)
    return total


def voxel_weight(index: TokenIndex, score: Floats | None, power: float) -> Tensor:
    """score^power (n_tokens, patch_voxels), root mean square 1; 0 where there is no voxel."""
    weight = index.present.astype(np.float32)
    if score is not None and power:
        weight *= score[index.gather] ** power
        weight /= np.sqrt((weight[index.present] ** 2).mean())
    return torch.as_tensor(weight)
