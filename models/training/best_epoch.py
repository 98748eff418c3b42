"""Which epoch's weights are kept: the best one, or a fitted start that none surely improves.

The best of many epochs is better than the start on the validation concepts by luck alone; one
standard error (Breiman et al. 1984, section 3.4.3) is what such luck gives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.base.arrays import Rows
from models.training.config import FitConfig
from models.training.data import TrainingProgress
from models.training.losses import loss_of, mean_correlation, top_shares

MOST_BLOCKS = 50


def validation_scores(config: FitConfig, guess: Tensor, truth: Tensor) -> dict[str, float]:
    """Loss on the learned scale, and mean r over targets or top-k; both (n, n_targets)."""
    scores = {"validation_loss": float(loss_of(config, guess, truth))}
    if config.loss == "cross_entropy":
        return scores | top_shares(guess, truth)
    return scores | {"validation_r": mean_correlation(guess, truth)}


def sign_of(config: FitConfig) -> int:
    """Turn 'higher is better' into 'lower is better': 1 for a loss, -1 for r or top-10."""
    return 1 if config.best_by == "validation_loss" else -1


class FittedStart(NamedTuple):
    """What a fitted start said of the validation trials; all epochs are compared with it.

    `guess` and `truth` (n, n_targets), `blocks` (n,) puts the trials of a concept together.
    """

    guess: Tensor
    truth: Tensor
    blocks: NDArray[np.int64]

    def gain(self, config: FitConfig, guess: Tensor) -> dict[str, float]:
        """How much better than the start by `best_by`, and the standard error of that.

        Trials of a concept stand and fall together, so the error is that of leaving out concepts,
        a block b of B at a time (jackknife; Efron & Tibshirani 1993, chapter 11):

            SE² = (B − 1) / B · Σ_b (g_(b) − mean g)²        g_(b) the gain without block b

        Nothing where all trials show one concept.
        """

        def gained(rows: Any) -> float:  # noqa: ANN401  a mask, or all
            return _score(config, guess[rows], self.truth[rows]) - _score(
                config, self.guess[rows], self.truth[rows]
            )

        names = np.unique(self.blocks)
        if len(names) < 2:
            return {}
        without = [gained(torch.from_numpy(self.blocks != name)) for name in names]
        se = float(np.sqrt((len(names) - 1) * np.var(without)))
        return {"gain": gained(slice(None)), "gain_se": se}


def validation_rows(config: FitConfig, rows: Rows) -> Rows:
    """Return the trials that are validated on: all, or some, always the same ones."""
    if config.validation_batches is None:
        return rows
    n = min(len(rows), config.validation_batches * config.batch_size)
    return np.sort(np.random.default_rng(config.seed).permutation(rows)[:n])


def blocks_of(groups: NDArray[Any] | None, rows: Rows) -> NDArray[np.int64]:
    """Deal the concepts of some trials out to at most 50 blocks; without groups, the trials."""
    shown = (
        np.arange(len(rows)) if groups is None else np.unique(groups[rows], return_inverse=True)[1]
    )
    return np.asarray(shown % MOST_BLOCKS, np.int64)


def keep(
    config: FitConfig,
    place: TrainingProgress,
    scores: dict[str, float],
    epoch: int,
    take: Callable[[], None],
) -> bool:
    """Note an epoch's scores; `take` its weights if they are the best and surely above a start.

    Early stopping counts from the best epoch, whether its weights were taken or not.
    """
    value = scores[config.best_by] * sign_of(config)
    if place.lowest_value is None or value < place.lowest_value:
        place.lowest_value, place.lowest_epoch = value, epoch
    gain, se = scores.get("gain", float("inf")), scores.get("gain_se", 0.0)
    sure = epoch == 0 or config.start_margin == 0 or gain > config.start_margin * se
    is_best = sure and (place.best_value is None or value < place.best_value)
    if is_best:
        place.best_value, place.best_epoch = value, epoch
        take()
    return is_best


def _score(config: FitConfig, guess: Tensor, truth: Tensor) -> float:
    return -sign_of(config) * validation_scores(config, guess, truth)[config.best_by]
