"""The transformer's own attention: each token weighs all others by a softmax."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional

from models.transformer.attention.base import Attention, Queries


class SoftmaxAttention(Attention):
    """softmax(q kᵀ / √d_head) v, through PyTorch's fused kernel."""

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
