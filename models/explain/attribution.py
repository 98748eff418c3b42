"""How much each voxel or group of voxels did for an output: gradients, paths and occlusion."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.base.errors import ModelError

Objective = Callable[[Tensor], Tensor]
Predict = Callable[[Tensor], Tensor]
STEPS = 8  # Gauss–Legendre: exact for polynomials of degree 15 along the way


def objective(baseline: Tensor, target: int | None = None) -> Objective:
    """Return what is explained: outputs (B, n_targets) → one number a trial, (B,).

    One target: its output. None: ½ Σ (output − output of a mean brain)², how far the trial moves
    the decoder away from what it says about an average response; `baseline` (1, n_targets).
    """
    n = baseline.shape[-1]
    if target is not None and not 0 <= target < n:
        msg = f"output {target + 1} was asked for, but the model has {n}: choose one of those"
        raise ModelError(msg)

    def score(outputs: Tensor) -> Tensor:
        if target is not None:
            return outputs[:, target]
        return 0.5 * ((outputs - baseline) ** 2).sum(1)

    return score


def gradient_input(predict: Predict, x: Tensor, score: Objective) -> Tensor:
    """Return x · ∂score/∂x, (B, n_voxels): a first-order guess of what each voxel did."""
    from captum.attr import InputXGradient

    with torch.enable_grad():
        method = InputXGradient(lambda part: score(predict(part)))
        found: Tensor = method.attribute(x.detach().clone().requires_grad_())
    return found.detach()


def integrated_gradients(
    predict: Predict, x: Tensor, score: Objective, steps: int = STEPS
) -> Tensor:
    """Return integrated gradients from a mean response (0) to x, (B, n_voxels).

        IG = x ⊙ ∫₀¹ ∂score/∂x (αx) dα        (Sundararajan, Taly & Yan 2017)

    Summed over voxels they are score(x) − score(0). Memory: one batch, a step after the other.
    """
    from captum.attr import IntegratedGradients

    with torch.enable_grad():
        method = IntegratedGradients(lambda part: score(predict(part)))
        found: Tensor = method.attribute(
            x, n_steps=steps, internal_batch_size=len(x), method="gausslegendre"
        )
    return found.detach()


def occlusion(
    predict: Predict, x: Tensor, score: Objective, groups: NDArray[np.integer]
) -> Tensor:
    """Return how much the score falls when a group of voxels is set to 0, (B, n_groups).

    `groups` (n_voxels,): each voxel's group from 0, −1 for voxels that stay. Works for any
    decoder: no gradient is asked for.
    """
    from captum.attr import FeatureAblation

    mask = torch.as_tensor(np.asarray(groups, np.int64))
    n = int(mask.max()) + 1
    if n <= 0:
        msg = "there is no group of voxels to leave out: choose regions or patches that hold some"
        raise ModelError(msg)
    stay = mask < 0

    def changed(part: Tensor) -> Tensor:
        return score(predict(torch.where(stay, x, part)))

    with torch.no_grad():
        method = FeatureAblation(changed)
        found: Tensor = method.attribute(x, feature_mask=torch.where(stay, n, mask)[None])
    out = found.new_zeros(len(x), n + 1)
    first = torch.full((n + 1,), -1, dtype=torch.int64)
    place = torch.where(stay, n, mask)
    first[place] = torch.arange(len(place))
    there = first >= 0
    out[:, there] = found[:, first[there]]
    return out[:, :n]


def linear_occlusion(
    W: NDArray[np.float32], groups: NDArray[np.int64], baseline: Tensor, score: Objective
) -> Callable[[Tensor], Tensor]:
    """Return occlusion of a linear decoder, exactly, from what each group adds to its outputs.

    An output is a sum over voxels, so what a group adds to it is the sum over its own. Voxels of
    no weight, the most of them where a decoder selects, are not even read. `W` (n_voxels,
    n_targets), `groups` (n_voxels,), `baseline` (1, n_targets).
    """
    used = np.flatnonzero((groups >= 0) & W.any(1))
    used = used[np.argsort(groups[used], kind="stable")]  # each group in one piece
    filled, first = np.unique(groups[used], return_index=True)
    own, n_groups = W[used].astype(np.float32), int(groups.max()) + 1

    def method(x: Tensor) -> Tensor:
        part = x.numpy()[:, used]
        added = np.zeros((len(part), n_groups, W.shape[1]), np.float32)
        for output, w in enumerate(own.T if len(used) else ()):
            added[:, filled, output] = np.add.reduceat(part * w, first, axis=1)
        whole = torch.from_numpy(x.numpy() @ W) + baseline
        without = whole[:, None] - torch.from_numpy(added)
        flat = score(without.flatten(0, 1)).view(len(x), -1)
        return score(whole)[:, None] - flat

    return method
