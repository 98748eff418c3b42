"""How good a decoder could be at best: raters who disagree, and voxels that do not repeat."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from thingsviz.analysis.scores.metrics import METRICS
from thingsviz.core.arrays import Array
from thingsviz.core.trial_key import TEST


def rating_ceiling(
    mean: ArrayLike, sd: ArrayLike, n_raters: ArrayLike, weight: ArrayLike | None = None
) -> dict[str, Array]:
    """Return what a decoder that knew the true ratings would score; each metric (n_targets,).

    The published mean of N raters is the true rating plus noise of variance e² = SD²/N:

        r    = √(1 − mean(e²) / var(published means))
        MSE  = mean(e²),   MAE = mean(e) · √(2/π),   confidence = mean((2/π) · arctan(√N))

    `mean`, `sd` (n_concepts, n_targets), `n_raters` (n_concepts,) or (n_concepts, n_targets);
    `weight` (n_concepts,): trials of each concept. NaN where SD or N is missing.
    """
    t, spread = np.asarray(mean, float), np.asarray(sd, float)
    n = np.broadcast_to(np.asarray(n_raters, float).reshape(len(t), -1), t.shape)
    w = np.ones(len(t)) if weight is None else np.asarray(weight, float)
    w = (w / w.sum())[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        noise = np.where(n > 0, spread / np.sqrt(n), np.nan)
        variance = (w * t**2).sum(0) - (w * t).sum(0) ** 2
        mse = (w * noise**2).sum(0)
        r = np.sqrt(np.clip(1 - mse / variance, 0, 1))
        sure = (w * np.where(spread > 0, 2 / np.pi * np.arctan(np.sqrt(n)), 1.0)).sum(0)
    mae = (w * noise).sum(0) * np.sqrt(2 / np.pi)
    known = np.isfinite(mse)
    return dict(zip(METRICS, [r, mse, mae, np.where(known, sure, np.nan)], strict=True))


def repeats_of_images(trials: pd.DataFrame) -> NDArray[np.int64]:
    """Return the rows of each repeated test image, (n_images, n_repeats), first repeats first.

    Images that lack some repeats are cut to the fewest that any has; none below two.
    """
    test = np.flatnonzero(trials["trial_type"].to_numpy() == TEST)
    images = trials["image_filename"].to_numpy(str)[test]
    groups = [test[images == image] for image in np.unique(images)]
    groups = [rows for rows in groups if len(rows) > 1]
    fewest = min((len(rows) for rows in groups), default=0)
    return np.array([rows[:fewest] for rows in groups], np.int64).reshape(len(groups), fewest)


def repeat_ceiling(
    read: Callable[[NDArray[np.int64]], NDArray[np.float32]],
    rows: NDArray[np.int64],
    sessions: NDArray[np.int64],
) -> tuple[Array, Array]:
    """Return (signal², noise²) of each voxel image after image.

    `rows` (n_images, n_repeats) of the store, `sessions` (n_trials,); `read` gives responses
    (len(rows), n_voxels). Each session's mean over these trials is taken off first: a change of
    the scanner's scale from day to day is no noise of the brain. Memory: a few images' responses
    and a mean a session (0.2 GB for a whole subject), not all 1,200 trials.
    """
    flat = rows.ravel()
    means = {
        session: np.mean([read(np.array([r]))[0] for r in flat[sessions[flat] == session]], axis=0)
        for session in np.unique(sessions[flat])
    }
    n, within, first, second = len(flat), 0.0, 0.0, 0.0
    for image in rows:
        block = read(image) - np.stack([means[s] for s in sessions[image]])
        within = within + block.var(axis=0, ddof=1, dtype=np.float64)
        first = first + block.sum(0, dtype=np.float64)
        second = second + (block.astype(np.float64) ** 2).sum(0)
    noise = np.asarray(within / len(rows))
    total = (second - np.asarray(first) ** 2 / n) / (n - 1)
    return np.clip(np.asarray(total) - noise, 0, None), noise


def ceiling_draws(
    mean: Array, sd: Array, n_raters: Array, weight: Array, n_draws: int = 200
) -> dict[str, Array]:
    """Return `rating_ceiling` of concepts drawn with replacement, (n_draws, n_targets) each."""
    rng = np.random.default_rng(3)
    drawn = [rng.integers(0, len(mean), len(mean)) for _ in range(n_draws if len(mean) > 2 else 0)]
    values = [rating_ceiling(mean[c], sd[c], n_raters[c], weight[c]) for c in drawn]
    shape = (len(values), mean.shape[1])
    return {name: np.array([v[name] for v in values]).reshape(shape) for name in METRICS}
