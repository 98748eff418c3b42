"""Layers whose result depends on the other trials of a batch, where processes share the batch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional

from models.training.distributed.processes import MicroBatch
from models.transformer.attention.base import Attention

Now = Callable[[], MicroBatch]


class SharedDropout(nn.Module):
    """Dropout that draws for all trials of the part and keeps this process's own.

    Every process draws the numbers that one process alone would draw: so the result does not
    depend on how many there are, and a training state needs one generator.
    """

    def __init__(self, p: float, now: Now) -> None:
        super().__init__()
        self.p, self.now = p, now

    def forward(self, x: Tensor) -> Tensor:
        """(b, …) → (b, …), b the trials of this process."""
        if not self.training or not self.p:
            return x
        part = self.now()
        # Generators fill a tensor in the order of its memory: lay the whole out as x is. The axis
        # of a single trial has the stride of the axis around it.
        layout = sorted(range(x.ndim), key=lambda axis: (-x.stride()[axis], axis == 0))
        shape = (part.whole, *x.shape[1:])
        ones = torch.empty_permuted(shape, layout, dtype=x.dtype, device=x.device).fill_(1)
        return x * functional.dropout(ones, self.p)[part.mine]


class _Sum(torch.autograd.Function):
    """Σ over the processes of a tensor, through which gradients flow: the gradient's sum."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ANN401
        total = x.contiguous().clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:  # noqa: ANN401
        return _Sum.forward(ctx, grads[0])


def _sum(x: Tensor) -> Tensor:
    total: Tensor = _Sum.apply(x)  # type: ignore[no-untyped-call]
    return total


class SharedBatchNorm(nn.BatchNorm3d):
    """BatchNorm whose mean and variance are over the trials of all processes.

        mean = Σ x / n · variance = Σ (x − mean)² / n,   Σ and n over all processes' trials

    torch.nn.SyncBatchNorm computes the same, but on GPUs only. Gradients flow through the sums.
    """

    now: Now

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, X, Y, Z) → the same shape."""
        if not self.training:
            return super().forward(x)
        wide, n = x.float(), self.now().whole * math.prod(x.shape[2:])
        mean = _sum(wide.sum(AXES, keepdim=True)) / n
        centred = wide - mean
        variance = _sum(centred.square().sum(AXES, keepdim=True)) / n
        self._remember(mean.detach().flatten(), variance.detach().flatten() * n / max(1, n - 1))
        scale = self.weight.view(mean.shape) * (variance + self.eps).rsqrt()
        return (centred * scale + self.bias.view(mean.shape)).to(x.dtype)

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics, which predictions use."""
        if self.running_mean is None or self.running_var is None or self.momentum is None:
            return
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)


AXES = [0, 2, 3, 4]


def share_layers(network: nn.Module, now: Now) -> None:
    """Put shared layers in the place of dropout and BatchNorm; parameters stay the same ones."""
    for module in list(network.modules()):
        if isinstance(module, Attention) and module.dropout:
            module.drop = SharedDropout(module.dropout, now)
        for name, child in module.named_children():
            if isinstance(child, nn.Dropout):
                setattr(module, name, SharedDropout(child.p, now))
            elif isinstance(child, nn.BatchNorm3d):
                shared = SharedBatchNorm(child.num_features)
                vars(shared).update(vars(child))
                shared.now = now
                setattr(module, name, shared)
