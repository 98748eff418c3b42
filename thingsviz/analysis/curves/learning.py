"""How a score grows: repeats averaged, what one repeat predicts of many, and nested draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thingsviz.core.arrays import Array


def reliability(predicted: Array, images: NDArray[np.intp]) -> Array:
    """Return the share of a prediction's variance that is its image's, (n_targets,), 0 to 1.

    The intraclass correlation ICC(1) (Shrout & Fleiss 1979) of predictions (n, n_targets) of
    repeated `images` (n,), counted from 0; no rating is looked at.

        ρ = (MSB − MSW) / (MSB + (m − 1) MSW),   m = mean number of repeats
    """
    counts = np.bincount(images).astype(float)
    n, groups = len(images), len(counts)
    sums = np.zeros((groups, predicted.shape[1]))
    np.add.at(sums, images, predicted)
    means = sums / counts[:, None]
    between = (counts[:, None] * (means - predicted.mean(0)) ** 2).sum(0) / max(groups - 1, 1)
    within = ((predicted - means[images]) ** 2).sum(0) / max(n - groups, 1)
    m = n / groups
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (between - within) / (between + (m - 1) * within)
    return np.asarray(np.clip(np.nan_to_num(found), 0, 1))


def predicted_r(r_single: Array, rho: Array, k: int) -> Array:
    """Return the r expected of the mean of k predictions of an image, from that of one.

        r_k = r_1 · √(k / (1 + (k − 1) ρ))

    The mean of k keeps what belongs to the image and shrinks the rest: its reliability is
    k ρ / (1 + (k − 1) ρ) (Spearman 1910, Brown 1910), and r is proportional to its root. The
    limit for many repeats is r_1 / √ρ.
    """
    return np.asarray(np.clip(r_single * np.sqrt(k / (1 + (k - 1) * rho)), -1, 1))


def mean_of_repeats(
    predicted: Array, images: NDArray[np.intp], k: int, rng: np.random.Generator
) -> Array:
    """Average k of each image's predictions, drawn without replacement, (n_images, n_targets)."""
    order = rng.permutation(len(images))
    order = order[np.argsort(images[order], kind="stable")]
    starts = np.concatenate([[0], np.cumsum(np.bincount(images))[:-1]])
    chosen = order[starts[:, None] + np.arange(k)]
    return np.asarray(predicted[chosen].mean(1))


def sizes_of(n: int, fewest: int, halvings: int = 4) -> list[int]:
    """Return n, n/2, n/4 … down to `fewest`, ascending."""
    found = [n >> i for i in range(halvings + 1)]
    return sorted({size for size in found if size >= fewest} | {n})


def draw_of(n: int, size: int, seed: int) -> NDArray[np.intp]:
    """Return `size` of n places, sorted; a larger size of the same seed holds the smaller."""
    return np.sort(np.random.default_rng([seed, 5]).permutation(n)[:size])
