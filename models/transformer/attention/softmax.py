"""How tokens look at each other: the mechanisms, and how their weights are collected."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

Queries = Sequence[int] | slice


@dataclass
class AttentionRecord:
    """Weights (B, heads, queries, n_tokens), one tensor per layer and forward pass, in order."""

    queries: Queries
    weights: list[Tensor] = field(default_factory=list)


class SoftmaxAttention(nn.Module):
    """Multi-head self-attention, softmax(q kᵀ / √d_head) v, through PyTorch's fused kernel.

    While a record is attached the weights are computed beside the fused result, which stays
    what it is.
    """

    def __init__(self, dim: int, n_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.dropout = dropout
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.record: AttentionRecord | None = None
        self.drop: nn.Module | None = None  # where processes share a batch (shared_layers)

    def forward(self, x: Tensor) -> Tensor:
        """(B, n, dim) → (B, n, dim)."""
        q, k, v = self._heads(x)
        if self.record is not None:
            self.record.weights.append(self.weights(q, k, self.record.queries).detach())
        mixed = self.mix(q, k, v)
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out

    def mix(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Each (B, heads, n, d_head) → (B, heads, n, d_head)."""
        if self.drop is not None and self.training:
            dropped: Tensor = self.drop(self.weights(q, k)).to(v.dtype) @ v
            return dropped
        dropout = self.dropout if self.training else 0.0
        return functional.scaled_dot_product_attention(q, k, v, dropout_p=dropout)

    def weights(self, q: Tensor, k: Tensor, queries: Queries = slice(None)) -> Tensor:
        """Weights (B, heads, queries, n): each row sums to 1."""
        logits = q[:, :, queries].float() @ k.float().transpose(-1, -2) / math.sqrt(q.shape[-1])
        return logits.softmax(-1)

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        batch, n, dim = x.shape
        qkv = self.qkv(x).view(batch, n, 3, self.n_heads, dim // self.n_heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        return q, k, v


MECHANISMS: dict[str, type[SoftmaxAttention]] = {"softmax": SoftmaxAttention}


@contextmanager
def collect_attention(
    network: nn.Module, queries: Queries = slice(None)
) -> Iterator[AttentionRecord]:
    """Collect the attention of every layer while forward passes run inside the context.

    `queries` keeps only some rows, for instance [0] for the CLS token's: all rows of 2,341
    tokens and 8 heads are 175 MB a sample and layer.
    """
    record = AttentionRecord(queries)
    layers = [m for m in network.modules() if isinstance(m, SoftmaxAttention)]
    for layer in layers:
        layer.record = record
    try:
        with torch.no_grad():
            yield record
    finally:
        for layer in layers:
            layer.record = None
