"""The transformer's parts: patch embeddings, block, pooling."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.transformer.attention.mechanisms import mechanism_of
from models.transformer.config import TransformerConfig

POSITION_SD = 0.02


class SharedEmbedding(nn.Module):
    """One linear map for all patches: what Conv3d with kernel = stride = patch computes.

    Its start is Conv3d's own, U(±1 / √patch_voxels).
    """

    def __init__(self, n_tokens: int, patch_voxels: int, dim: int) -> None:
        super().__init__()
        self.map = nn.Linear(patch_voxels, dim)
        self.position = nn.Parameter(torch.randn(n_tokens, dim) * POSITION_SD)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, n, patch_voxels) → (B, n, dim)."""
        embedded: Tensor = self.map(tokens)
        return embedded + self.position


class LocalEmbedding(nn.Module):
    """One linear map per patch, so that each place in the brain has filters of its own.

    Positions start at zero: the maps tell the places apart already. A random start of the head
    on top of random maps adds noise that training must first undo: on the demo subject the r of
    unseen concepts is .26 with it and .32 with a head that starts at zero (config.start).
    """

    def __init__(self, n_tokens: int, patch_voxels: int, dim: int) -> None:
        super().__init__()
        self.map = nn.Parameter(torch.randn(n_tokens, patch_voxels, dim) * patch_voxels**-0.5)
        self.position = nn.Parameter(torch.zeros(n_tokens, dim))

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, n, patch_voxels) → (B, n, dim)."""
        by_patch = tokens.transpose(0, 1)  # (n, B, patch_voxels)
        return torch.baddbmm(self.position[:, None], by_patch, self.map).transpose(0, 1)


EMBEDDINGS: dict[str, type[SharedEmbedding] | type[LocalEmbedding]] = {
    "shared": SharedEmbedding,
    "local": LocalEmbedding,
}


class Block(nn.Module):
    """x + attention(LN x), then x + MLP(LN x) with GELU: a pre-norm transformer block."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        dim = config.embed_dim
        hidden = round(config.mlp_ratio * dim)
        mechanism = mechanism_of(config.attention)
        self.norm_attention = nn.LayerNorm(dim)
        self.attention = mechanism(dim, config.n_heads, config.attention_dropout)
        self.norm_mlp = nn.LayerNorm(dim)
        self.up = nn.Linear(dim, hidden)
        self.down = nn.Linear(hidden, dim)
        self.gelu = nn.GELU()
        self.dropout = nn.Dropout(config.dropout)
        if config.start != "random":
            for layer in (self.attention.out, self.down):
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, n, dim) → (B, n, dim)."""
        x = x + self.dropout(self.attention(self.norm_attention(x)))
        hidden = self.dropout(self.gelu(self.up(self.norm_mlp(x))))
        out: Tensor = x + self.dropout(self.down(hidden))
        return out


class ReadoutHead(nn.Module):
    """LayerNorm (if asked) → Dropout → Linear, and beside it (if asked) a hidden layer.

    mlp    x ↦ A x + C · dropout(GELU(B x)),    B (hidden, dim),    C starts at 0 with `start`
    """

    def __init__(self, config: TransformerConfig, n_targets: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.embed_dim) if config.final_norm else nn.Identity()
        self.dropout = nn.Dropout(config.dropout)
        self.map = nn.Linear(config.embed_dim, n_targets)
        self.beside = HiddenReadout(config, n_targets) if config.head == "mlp" else None
        if config.start != "random":
            nn.init.zeros_(self.map.weight)
            nn.init.zeros_(self.map.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, dim) → (B, n_targets)."""
        x = self.dropout(self.norm(x))
        ratings: Tensor = self.map(x)
        return ratings if self.beside is None else ratings + self.beside(x)


class HiddenReadout(nn.Sequential):
    """The head's hidden layer: Linear → GELU → Dropout → Linear."""

    def __init__(self, config: TransformerConfig, n_targets: int) -> None:
        hidden = round(config.mlp_ratio * config.embed_dim)
        out = nn.Linear(hidden, n_targets)
        if config.start != "random":
            nn.init.zeros_(out.weight)
            nn.init.zeros_(out.bias)
        super().__init__(
            nn.Linear(config.embed_dim, hidden), nn.GELU(), nn.Dropout(config.dropout), out
        )
