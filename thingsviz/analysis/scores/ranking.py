"""Which trials a decoder read well and which badly, by the shape of their rating profile."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.base.concepts import pearson

FloatArray = NDArray[np.float64]


class Ranking(NamedTuple):
    """`score` (n_trials,) higher is better, what it is, and `order` (n_trials,) best first."""

    score: FloatArray
    kind: str
    order: NDArray[np.intp]


def standardised(values: FloatArray) -> FloatArray:
    """Z-score each column (n_trials, n_targets); a constant column becomes 0."""
    centred = values - values.mean(0)
    spread = values.std(0)
    return np.asarray(
        centred / np.where(spread > 1e-12 * (1 + abs(values.mean(0))), spread, np.inf)
    )


def profile_correlation(true: FloatArray, predicted: FloatArray) -> FloatArray:
    """Pearson r over the targets of each trial, (n_trials,), from ratings (n_trials, n_targets).

    r_t = corr(z(true)_t, z(predicted)_t), z over the trials shown: without it every decoder would
    look good, because some properties are rated higher than others for every object. A flat
    prediction has no shape: 0.
    """
    return np.nan_to_num(pearson(standardised(true).T, standardised(predicted).T))


def mean_error(true: FloatArray, predicted: FloatArray) -> FloatArray:
    """Mean |error| of each trial in units of each rating's spread over the trials, (n_trials,)."""
    spread = true.std(0)
    scaled = abs(predicted - true) / np.where(spread > 0, spread, 1)
    return np.asarray(scaled.mean(1))


def chance_of_profiles(
    true: FloatArray, predicted: FloatArray, concepts: NDArray[np.str_], n_draws: int = 200
) -> tuple[float, float, float, float]:
    """Return the mean profile r over trials, and of shuffled concepts the mean and middle 95 %.

    `concepts` (n_trials,): their ratings are dealt out to other concepts, never trial by trial.
    NaN three times with fewer than three concepts.
    """
    observed = float(profile_correlation(true, predicted).mean())
    names, first, index = np.unique(concepts, return_index=True, return_inverse=True)
    if len(names) < 3:
        return observed, np.nan, np.nan, np.nan
    rng = np.random.default_rng(4)
    ratings = true[first]
    draws = [
        profile_correlation(ratings[rng.permutation(len(names))][index], predicted).mean()
        for _ in range(n_draws)
    ]
    low, high = np.quantile(draws, (0.025, 0.975))
    return observed, float(np.mean(draws)), float(low), float(high)


def rank_trials(true: FloatArray, predicted: FloatArray) -> Ranking:
    """Order trials best first, by profile correlation; with fewer than 4 targets by error."""
    if true.shape[1] >= 4:
        score, kind = profile_correlation(true, predicted), "profile r"
    else:
        score, kind = -mean_error(true, predicted), "−error"
    return Ranking(score, kind, np.argsort(-score, kind="stable"))
