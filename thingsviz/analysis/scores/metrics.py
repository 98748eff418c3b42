"""The formulas of the scores, per property: errors, and the original study's 'confidence'."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erfc

from models.base.concepts import pearson as pearson
from thingsviz.core.arrays import Array

METRICS = ("r", "mse", "mae", "confidence")


def mse(true: ArrayLike, predicted: ArrayLike) -> Array:
    """Mean squared error per column, in squared units of the ratings."""
    return np.asarray(((np.asarray(true, float) - np.asarray(predicted, float)) ** 2).mean(0))


def mae(true: ArrayLike, predicted: ArrayLike) -> Array:
    """Mean absolute error per column, in units of the ratings."""
    return np.asarray(np.abs(np.asarray(true, float) - np.asarray(predicted, float)).mean(0))


def trial_confidence(predicted: ArrayLike, mean: ArrayLike, sd: ArrayLike) -> Array:
    """Return the 'confidence' of each prediction under the ratings of its concept, 0 to 1.

    p = 2 · (1 − Φ(|predicted − mean| / sd)) = erfc(|z| / √2)        (report §3)

    `mean` and `sd` are those of the single raters' answers. Where all raters agreed (sd = 0) only
    their answer itself has p = 1; NaN where the release has no sd.
    """
    off = np.abs(np.asarray(predicted, float) - np.asarray(mean, float))
    spread = np.asarray(sd, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(spread > 0, off / spread, np.where(off > 0, np.inf, 0.0))
    return np.where(np.isnan(spread), np.nan, erfc(z / np.sqrt(2)))


def confidence(predicted: ArrayLike, mean: ArrayLike, sd: ArrayLike) -> Array:
    """Mean of `trial_confidence` per column."""
    return np.asarray(trial_confidence(predicted, mean, sd).mean(0))


def constant_confidence(rho: ArrayLike) -> Array:
    """Return the confidence that a constant prediction gets for nothing, 0 to 1.

    E[p] = (2/π) · arctan(1/ρ),   ρ = spread of the concepts' means / spread of the raters

    for a prediction at the middle of normally spread concepts: z = ρ · N(0, 1), and p is the
    chance that another N(0, 1) lies further out.
    ρ = 0.864 gives 54.65 %, the original study's result to four digits.
    """
    return np.asarray(2 / np.pi * np.arctan2(1.0, np.asarray(rho, float)))


def spread_ratio(mean: ArrayLike, sd: ArrayLike) -> Array:
    """Return ρ per column of (n, n_targets): SD of the concepts' means over the raters' rms SD."""
    raters = np.sqrt((np.asarray(sd, float) ** 2).mean(0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.asarray(mean, float).std(0) / raters)
