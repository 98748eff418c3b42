"""What every attention mechanism shares: heads in, heads out; a mechanism says how they mix."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

Queries = Sequence[int] | slice


class Attention(nn.Module, ABC):
    """Multi-head self-attention, out(mix(q, k, v)): `mix` and `weights` are the mechanism's.

    Maps of attention, shared dropout and the transformer's block know only this class.
    """

    def __init__(self, dim: int, n_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.dropout = dropout
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.drop: nn.Module | None = None  # where processes share a batch (shared_layers)

    def forward(self, x: Tensor) -> Tensor:
        """(B, n, dim) → (B, n, dim)."""
        mixed = self.mix(*self.heads(x))
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out

    @abstractmethod
    def mix(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Each (B, heads, n, d_head) → (B, heads, n, d_head)."""

    @abstractmethod
    def weights(self, q: Tensor, k: Tensor, queries: Queries = slice(None)) -> Tensor | None:
        """Weights (B, heads, queries, n), each row's sum 1; None: tokens are not looked at."""

    def heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return q, k and v of x (B, n, dim), each (B, heads, n, d_head)."""
        batch, n, dim = x.shape
        qkv = self.qkv(x).view(batch, n, 3, self.n_heads, dim // self.n_heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        return q, k, v
