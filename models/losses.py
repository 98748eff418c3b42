"""What a training lowers: squared error or Huber's of ratings, cross-entropy of classes."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from models.config import FitConfig


def loss_of(config: FitConfig, guess: Tensor, truth: Tensor) -> Tensor:
    """Mean over trials and targets, both (B, n_targets).

    mse    e²                                       e = guess − truth
    huber  e² / 2 where |e| ≤ δ, δ (|e| − δ / 2) beyond        (Huber 1964; the report's second)
    cross_entropy  −log softmax(guess) at the true class; a mean over trials, truth one-hot
    """
    if config.loss == "cross_entropy":
        return functional.cross_entropy(guess, truth)
    if config.loss == "huber":
        return functional.huber_loss(guess, truth, delta=config.huber_delta)
    return functional.mse_loss(guess, truth)


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
