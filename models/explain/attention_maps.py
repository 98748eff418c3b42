"""Where attention goes: per layer and head, rolled out over layers, and weighed by gradients.

Nothing here changes what a network computes: hooks look at each layer's input, and the fused
kernel's result stays what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph
from torch import Tensor, nn

from models.base.errors import ModelError
from models.base.network import Network
from models.transformer.attention.softmax import Queries, SoftmaxAttention

ROW_BYTES = 192 * 2**20  # of explicit attention that may be in memory at once


def attention_layers(network: nn.Module) -> list[SoftmaxAttention]:
    """Return the attention layers in the order in which they run; none for a linear decoder."""
    return [m for m in network.modules() if isinstance(m, SoftmaxAttention)]


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


def check_place(network: nn.Module, layer: int, head: int) -> None:
    """Refuse a layer or head (counted from 0) that the network does not have."""
    heads, layers = n_heads(network), len(attention_layers(network))
    if not (0 <= layer < layers and 0 <= head < heads):
        msg = (
            f"layer {layer + 1}, head {head + 1} was asked for, but the model has {layers} "
            f"layers of {heads} heads: choose one of those"
        )
        raise ModelError(msg)


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


def batch_for(network: nn.Module, n_tokens: int) -> int:
    """Return how many trials fit into ROW_BYTES with one layer's full attention each."""
    return max(1, ROW_BYTES // (4 * n_heads(network) * (n_tokens + 1) ** 2))


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

    def take(layer: SoftmaxAttention, q: Tensor, k: Tensor, v: Tensor) -> None:
        weights = layer.weights(q, k, chosen)
        rows.append(over_tokens(weights.mean(2), q.shape[2])[..., extra:])

    with torch.no_grad(), watch(network, take):
        network(x)
    return torch.stack(rows, 1)


def over_tokens(weights: Tensor, n: int) -> Tensor:
    """Return weights (…, n) as they are; refuse a mechanism that does not look at tokens."""
    if weights.shape[-1] != n:
        msg = (
            f"this attention mechanism looks at {weights.shape[-1]} summaries, not at the {n} "
            "tokens, so it has no place in the brain: choose a method that needs no attention"
        )
        raise ModelError(msg)
    return weights


def rollout(network: Network, x: Tensor) -> Tensor:
    """Return attention rolled out over layers, (B, n_tokens), after Abnar & Zuidema 2020.

        R = Ã_L … Ã_1,   Ã = ½ (mean over heads of A) + ½ I

    Read at the CLS row, or averaged over rows where all tokens are pooled.
    """
    mixed: list[Tensor] = []

    def take(layer: SoftmaxAttention, q: Tensor, k: Tensor, v: Tensor) -> None:
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


MOST_EDGES = 60_000  # of the layered graph: one token's flow takes about 20 ms there


def flow(network: Network, x: Tensor, most_edges: int = MOST_EDGES) -> NDArray[np.float64]:
    """Return the attention flow of the batch's mean attention, (1, n_tokens).

    Abnar & Zuidema 2020: the maximum flow from where the head reads to each token through the
    layers, whose capacities are ½ A + ½ I (A: mean over heads), here of the mean over trials.
    """
    mixed: list[Tensor] = []

    def take(layer: SoftmaxAttention, q: Tensor, k: Tensor, v: Tensor) -> None:
        mixed.append(over_tokens(layer.weights(q, k), q.shape[2]).mean((0, 1)))

    with torch.no_grad(), watch(network, take):
        network(x)
    n, extra = mixed[0].shape[-1], n_extra(network)
    if len(mixed) * n * n > most_edges:
        msg = (
            f"attention flow through {len(mixed)} layers of {n} tokens would take too long "
            f"({len(mixed) * n * n:,} edges, {most_edges:,} at most): choose rollout"
        )
        raise ModelError(msg)
    capacities = [0.5 * w.double().numpy() + 0.5 * np.eye(n) for w in reversed(mixed)]
    first = _first_row(network, mixed[0][None])[0, 0].double().numpy()
    return _max_flows(first, capacities, range(extra, n))[None]


def _max_flows(
    first: NDArray[np.float64], capacities: list[NDArray[np.float64]], ends: Iterable[int]
) -> NDArray[np.float64]:
    """Return the maximum flow from a source over layered nodes to each of `ends`."""
    n, depth = len(first), len(capacities)
    graph = sparse.lil_array((1 + (depth + 1) * n,) * 2, dtype=np.int32)
    unit = 1_000_000  # the algorithm wants whole numbers
    graph[0, 1 : n + 1] = np.rint(unit * first)
    for level, capacity in enumerate(capacities):
        rows = slice(1 + level * n, 1 + (level + 1) * n)
        columns = slice(1 + (level + 1) * n, 1 + (level + 2) * n)
        graph[rows, columns] = np.rint(unit * capacity)
    table = sparse.csr_array(graph, dtype=np.int32)
    flows = [csgraph.maximum_flow(table, 0, 1 + depth * n + end).flow_value for end in ends]
    return np.array(flows) / unit


class _Seen:
    """What passes by while a network runs: weights and values of each layer, mixed outputs."""

    def __init__(self) -> None:
        self.weights: list[Tensor] = []
        self.values: list[Tensor] = []
        self.mixed: list[Tensor] = []

    def take(self, layer: SoftmaxAttention, q: Tensor, k: Tensor, v: Tensor) -> None:
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


Take = Callable[[SoftmaxAttention, Tensor, Tensor, Tensor], None]


@contextmanager
def watch(network: nn.Module, take: Take) -> Iterator[None]:
    """Show q, k, v (B, heads, n, d_head) of each attention layer to `take` as it runs."""

    def hook(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, SoftmaxAttention)
        with torch.no_grad():
            take(layer, *layer._heads(inputs[0].detach()))

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
