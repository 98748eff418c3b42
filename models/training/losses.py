"""What a training lowers: squared error or Huber's of ratings, cross-entropy of classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from models.base.arrays import Floats, Rows
from models.training.config import FitConfig


class Batch(NamedTuple):
    """What a step of a training sees: responses x (b, n_voxels), on the device.

    `truth` (b, n_targets) on the learned scale; `weight` (b, n_targets), None: all alike.
    """

    x: Tensor
    truth: Tensor
    weight: Tensor | None = None


Step = Callable[[nn.Module, Batch], Tensor]


def supervised(config: FitConfig) -> Step:
    """Return the step of a decoder: the loss of what the model says of a batch.

    A step is (model, batch) → mean loss of the batch's trials, which has a gradient; 0 where a
    small last batch leaves a process no trial.
    """

    def step(model: nn.Module, batch: Batch) -> Tensor:
        guess: Tensor = model(batch.x).float()
        return loss_of(config, guess, batch.truth, batch.weight) if len(guess) else guess.sum()

    return step


def loss_of(
    config: FitConfig, guess: Tensor, truth: Tensor, weight: Tensor | None = None
) -> Tensor:
    """Mean over trials and targets, both (B, n_targets), of w · loss; w (B, n_targets) or 1.

    mse    e²                                       e = guess − truth huber  e² / 2 where |e| ≤ δ,
    δ (|e| − δ / 2) beyond        (Huber 1964; the original study's second) cross_entropy  −log
    softmax(guess) at the true class; a mean over trials, truth one-hot
    """
    if config.loss == "cross_entropy":
        return functional.cross_entropy(guess, truth)
    if config.loss == "huber":
        each = functional.huber_loss(guess, truth, reduction="none", delta=config.huber_delta)
    else:
        each = functional.mse_loss(guess, truth, reduction="none")
    return each.mean() if weight is None else (each * weight).mean()


def rating_weights(Y: NDArray[Any], sd: NDArray[Any], rows: Rows) -> Floats:
    """How much each rating counts, (n_trials, n_targets), mean 1 over the fitting rows.

        w_tk ∝ 1 / (σ_k² + s_tk²) · σ_k² = 1 / (1 + (s_tk / σ_k)²)

    s_tk the SD between raters of trial t's concept, σ_k the SD of target k over the fitting
    trials: on the learned scale, where σ_k is 1, this is the weight of least squares if what a
    rater sees varies by s_tk around what the brain answers to. Y and sd (n_trials, n_targets) on
    the same scale; where no SD is known (NaN) the weight is the target's mean one.
    """
    spread = np.asarray(Y[rows], np.float64).std(0)
    ratio = np.asarray(sd, np.float64) / np.where(spread > 0, spread, 1)
    weight = 1 / (1 + ratio**2)
    known = np.isfinite(weight[rows])
    total = np.where(known, weight[rows], 0).sum(0)
    mean = np.where(known.any(0), total / np.maximum(known.sum(0), 1), 1)
    weight = np.where(np.isfinite(weight), weight, mean)
    found: Floats = (weight / weight[rows].mean()).astype(np.float32)
    return found


def mean_correlation(guess: Tensor, truth: Tensor) -> float:
    """Pearson r per target, averaged; a constant column counts as 0."""
    a, b = (x.double() - x.double().mean(0) for x in (guess, truth))
    norm = (a.square().sum(0) * b.square().sum(0)).sqrt()
    r = (a * b).sum(0) / norm.where(norm > 0, norm.new_tensor(float("inf")))
    return float(r.mean())


def top_shares(logits: Tensor, truth: Tensor, ks: tuple[int, ...] = (1, 10)) -> dict[str, float]:
    """Share of trials whose true class is among the k largest logits; ties count by half.

    logits and one-hot truth (n, n_classes).
    """
    own = (logits * truth).sum(1, keepdim=True)
    above = (logits > own).sum(1).double() + ((logits == own).sum(1).double() - 1) / 2
    return {f"validation_top{k}": float((above < k).double().mean()) for k in ks}
