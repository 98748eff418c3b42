"""Scores of classifiers: hits among the first k guesses, and how sure a share of hits is."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, stdtrit

from thingsviz.analysis.scores.resampling import FEWEST, Interval, cluster_variance
from thingsviz.core.arrays import Array

Ranks = NDArray[np.int16]
LEVEL = 0.95


class Guesses(NamedTuple):
    """The guesses of a part: each class's rank in each trial, the true classes, the concepts.

    ranks (n, n_classes) from 1; true (n,) from 0; concepts (n,): trials of one concept count
    together wherever it is asked how sure a score is.
    """

    ranks: Ranks
    true: NDArray[np.int64]
    concepts: NDArray[np.str_]

    @property
    def own(self) -> NDArray[np.int64]:
        """The rank of the true class, (n,)."""
        return np.asarray(self.ranks[np.arange(len(self.true)), self.true], np.int64)

    @property
    def n_classes(self) -> int:
        """How many classes there are to choose from."""
        return int(self.ranks.shape[1])


def rank_classes(scores: ArrayLike, seed: int = 0) -> Ranks:
    """Return the rank (n, n_classes) of each class in each row of scores, 1 for the largest.

    Classes of equal score are put in an order drawn once, so that a constant guess gets what
    chance gives, not the first class by name.
    """
    values = np.asarray(scores, float)
    n_classes = values.shape[1]
    shuffled = np.random.default_rng([seed, 3]).permutation(n_classes)
    order = np.argsort(-values[:, shuffled], axis=1, kind="stable")
    ranks = np.empty(values.shape, np.int16)
    places = np.arange(1, n_classes + 1, dtype=np.int16)[None]
    np.put_along_axis(ranks, shuffled[order], np.repeat(places, len(values), 0), axis=1)
    return ranks


def hits_at(own: ArrayLike, n_classes: int) -> NDArray[np.int64]:
    """Return how many trials have the true class among the first k, k = 1 … n_classes."""
    ranks = np.asarray(own, np.int64)
    counts = np.bincount(ranks, minlength=n_classes + 1)[1 : n_classes + 1]
    return np.cumsum(counts).astype(np.int64)


def chance_curve(n_classes: int) -> Array:
    """Return the share that guessing reaches, k / n_classes for k = 1 … n_classes."""
    return np.arange(1, n_classes + 1) / n_classes


def prior_curve(true: NDArray[np.int64], trained: NDArray[np.integer]) -> Array:
    """Return the share (n_classes,) that always naming the most frequent training classes hits.

    trained (n_classes,): training trials of each class. Of classes trained equally often a random
    order is expected: P(rank ≤ k) = clip((k − more) / equal, 0, 1).
    """
    more = (trained[None] > trained[true][:, None]).sum(1)
    equal = (trained[None] == trained[true][:, None]).sum(1)
    k = np.arange(1, len(trained) + 1)
    return np.asarray(np.clip((k - more[:, None]) / equal[:, None], 0, 1).mean(0))


def binomial_interval(hits: float, n: float, level: float = LEVEL) -> Interval:
    """Return Clopper and Pearson's interval (1934) of a share of hits; holds at least `level`.

    low = B⁻¹(α/2; h, n − h + 1),  high = B⁻¹(1 − α/2; h + 1, n − h),  B the beta distribution
    """
    if n <= 0:
        return Interval(math.nan, math.nan)
    a = (1 - level) / 2
    low = 0.0 if hits <= 0 else float(betaincinv(hits, n - hits + 1, a))
    high = 1.0 if hits >= n else float(betaincinv(hits + 1, n - hits, 1 - a))
    return Interval(low, high)


def share_interval(hit: ArrayLike, concepts: NDArray[np.str_]) -> Interval:
    """Return the 95 % interval of a share of hits (n,) whose trials come in concepts.

    Clopper and Pearson's with the trials that these would be worth if they were independent
    (Korn & Graubard 1998):

        n* = n / deff · (t(n − 1) / t(C − 1))²,  deff = var over concepts / var of n single trials

    With one trial a concept it is the plain interval. All hits or none say nothing about how
    alike a concept's trials are: then only the C concepts count.
    """
    hits = np.asarray(hit, float)
    n, p = len(hits), float(hits.mean()) if len(hits) else math.nan
    _, index = np.unique(concepts, return_inverse=True)
    n_concepts = int(index.max(initial=-1)) + 1
    if n_concepts == n or n_concepts < FEWEST:
        return binomial_interval(hits.sum(), n) if n_concepts else Interval(math.nan, math.nan)
    if p in (0.0, 1.0):
        return binomial_interval(p * n_concepts, n_concepts)
    deff = max(cluster_variance(hits, index) / (p * (1 - p) / (n - 1)), 1.0)
    tails = stdtrit(np.array([n - 1, n_concepts - 1]), 0.975)
    worth = n / deff * (tails[0] / tails[1]) ** 2
    return binomial_interval(p * worth, worth)


class ShuffledHits(NamedTuple):
    """What shuffled concepts reach: hits (n_draws, n_classes) at all k, mean ranks (n_draws,)."""

    hits: NDArray[np.int64]
    mean_rank: Array


def permutation(data: Guesses, n_draws: int = 1000, seed: int = 0) -> ShuffledHits:
    """Give each concept's trials the class of another concept; empty with under three concepts.

    Concepts are shuffled and not trials: the guesses for one concept's trials are alike.
    """
    names, first, index = np.unique(data.concepts, return_index=True, return_inverse=True)
    rng = np.random.default_rng([seed, 4])
    draws = n_draws if len(names) >= FEWEST else 0
    classes = data.true[first]
    hits = np.empty((draws, data.n_classes), np.int64)
    means = np.empty(draws)
    trials = np.arange(len(data.true))
    for draw in range(draws):
        ranks = data.ranks[trials, rng.permutation(classes)[index]]
        hits[draw] = hits_at(ranks, data.n_classes)
        means[draw] = ranks.mean()
    return ShuffledHits(hits, means)


def p_at_least(observed: ArrayLike, null: NDArray[Any]) -> Array:
    """Return p = (1 + draws with as many hits) / (1 + draws) a column; NaN without draws."""
    if not len(null):
        return np.full(null.shape[1], np.nan)
    return np.asarray((1 + (null >= np.asarray(observed)[None]).sum(0)) / (1 + len(null)))
