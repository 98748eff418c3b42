"""Where attention goes: per layer and head, rolled out over layers, and weighed by gradients.

Nothing here changes what a network computes: hooks look at each layer's input, and the fused
kernel's result stays what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from models.base.errors import ModelError
from models.base.network import Network
from models.transformer.attention.base import Attention, Queries


def attention_layers(network: nn.Module) -> list[Attention]:
    """Return the attention layers in the order in which they run; none for a linear decoder."""
    return [m for m in network.modules() if isinstance(m, Attention)]


def n_heads(network: nn.Module) -> int:
    """Return how many heads a layer has; refuse a network without attention."""
    layers = attention_layers(network)
    if not layers:
        msg = (
            "this model has no attention layer, so there is no attention to look at: choose a "
            "method that needs none, such as gradient × input or occlusion"
        )
        raise ModelError(msg)
    return layers[0].n_heads


def n_extra(network: nn.Module) -> int:
    """Return how many tokens come before those of the brain: 1 with a CLS token, else 0."""
    return int(getattr(network, "cls", None) is not None)


def read_out(network: nn.Module) -> str:
    """Say whose attention `attention` shows, in words for the page."""
    if n_extra(network):
        return "from the CLS token, which the decoder reads, to each brain token"
    return (
        "received by each brain token, averaged over all tokens that look (this model pools all "
        "tokens and has no CLS token)"
    )


def attention(network: Network, x: Tensor, queries: list[int] | None = None) -> Tensor:
    """Return attention (B, layers, heads, n_tokens) for responses x (B, n_voxels).

    From the CLS token where there is one, else averaged over all tokens that look; `queries`:
    instead averaged over these brain tokens. A CLS token's attention to itself is left out, so
    that a row may sum to less than 1.
    """
    extra = n_extra(network)
    chosen: Queries = [0] if extra else slice(None)
    if queries is not None:
        chosen = [q + extra for q in queries]
    rows: list[Tensor] = []

    def take(layer: Attention, q: Tensor, k: Tensor, v: Tensor) -> None:
        weights = over_tokens(layer.weights(q, k, chosen), q.shape[2])
        rows.append(weights.mean(2)[..., extra:])

    with torch.no_grad(), watch(network, take):
        network(x)
    return torch.stack(rows, 1)


def over_tokens(weights: Tensor | None, n: int) -> Tensor:
    """Return weights (…, n) as they are; refuse a mechanism that does not look at tokens."""
    if weights is None or weights.shape[-1] != n:
        what = "no weights" if weights is None else f"{weights.shape[-1]} summaries"
        msg = (
            f"this attention mechanism looks at {what}, not at the {n} tokens, so it has no place "
            "in the brain: choose a method that needs no attention"
        )
        raise ModelError(msg)
    return weights


def rollout(network: Network, x: Tensor) -> Tensor:
    """Return attention rolled out over layers, (B, n_tokens), after Abnar & Zuidema 2020.

        R = Ã_L … Ã_1,   Ã = ½ (mean over heads of A) + ½ I

    Read at the CLS row, or averaged over rows where all tokens are pooled.
    """
    mixed: list[Tensor] = []

    def take(layer: Attention, q: Tensor, k: Tensor, v: Tensor) -> None:
        mixed.append(over_tokens(layer.weights(q, k), q.shape[2]).mean(1))

    with torch.no_grad(), watch(network, take):
        network(x)
    row = _first_row(network, mixed[0])
    for weights in reversed(mixed):
        row = 0.5 * (row @ weights) + 0.5 * row
    return row[:, 0, n_extra(network) :]


def attention_gradient(
    network: Network, x: Tensor, objective: Callable[[Tensor], Tensor]
) -> Tensor:
    """Return attention × gradient, (B, n_tokens), after Chefer, Gur & Wolf 2021.

        R ← R + Ā R,   Ā = mean over heads of (∇A ⊙ A)⁺,   ∇A = (∂objective/∂(A v)) vᵀ

    `objective` turns outputs (B, n_targets) into one number a trial, (B,). What is returned is
    what attention brought, without the identity that R starts from.
    """
    seen = _Seen()
    with torch.enable_grad(), watch(network, seen.take), watch_mixed(network, seen.mixed):
        total = objective(network(x)).sum()
        gradients = torch.autograd.grad(total, seen.mixed)
    start = row = _first_row(network, seen.weights[0][:, 0])
    layers = list(zip(seen.weights, seen.values, gradients, strict=True))
    for weights, v, gradient in reversed(layers):
        per_head = gradient.view(*gradient.shape[:2], v.shape[1], v.shape[3]).transpose(1, 2)
        slope = per_head.float() @ v.float().transpose(-1, -2)
        row = row + row @ (slope * weights).clamp(min=0).mean(1)
    return (row - start)[:, 0, n_extra(network) :].detach()


class _Seen:
    """What passes by while a network runs: weights and values of each layer, mixed outputs."""

    def __init__(self) -> None:
        self.weights: list[Tensor] = []
        self.values: list[Tensor] = []
        self.mixed: list[Tensor] = []

    def take(self, layer: Attention, q: Tensor, k: Tensor, v: Tensor) -> None:
        self.weights.append(over_tokens(layer.weights(q, k), q.shape[2]).detach())
        self.values.append(v.detach())


def _first_row(network: nn.Module, like: Tensor) -> Tensor:
    """Return the row (B, 1, n) at which the head reads: the CLS token, or all tokens alike."""
    batch, n = like.shape[0], like.shape[-1]
    row = like.new_zeros(batch, 1, n)
    if n_extra(network):
        row[..., 0] = 1
    else:
        row[...] = 1 / n
    return row


Take = Callable[[Attention, Tensor, Tensor, Tensor], None]


@contextmanager
def watch(network: nn.Module, take: Take) -> Iterator[None]:
    """Show q, k, v (B, heads, n, d_head) of each attention layer to `take` as it runs."""

    def hook(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, Attention)
        with torch.no_grad():
            take(layer, *layer.heads(inputs[0].detach()))

    n_heads(network)  # refuses a network without attention
    handles = [m.register_forward_pre_hook(hook) for m in attention_layers(network)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def watch_mixed(network: nn.Module, into: list[Tensor]) -> Iterator[None]:
    """Collect what the heads bring together, (B, n, dim) a layer, with its gradient."""

    def hook(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        into.append(inputs[0])

    handles = [m.out.register_forward_pre_hook(hook) for m in attention_layers(network)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
