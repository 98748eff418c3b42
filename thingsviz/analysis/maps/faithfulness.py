"""Whether a map points to what a decoder uses: blocks of voxels are taken away in the map's order.

A curve is the agreement of the decoder's outputs with its own outputs on the whole response: the
correlation over trials, averaged over outputs. A faithful map destroys it early (deletion) and
restores it early (insertion).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thingsviz.core.arrays import Array

Order = NDArray[np.intp]
PredictKept = Callable[[NDArray[np.bool_]], Array]
SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0)
N_BOOTSTRAPS = 200
COMPREHENSIVE = 0.2


class FaithfulnessCurves(NamedTuple):
    """Agreement (n_draws + 1, n_shares) by order; row 0 is of all trials, the rest of draws."""

    shares: tuple[float, ...]
    deletion: dict[str, Array]
    insertion: dict[str, Array]
    n_trials: int


class CurveArea(NamedTuple):
    """An area between two curves with its 95 % interval over draws of trials."""

    value: float
    low: float
    high: float


class Faithfulness(NamedTuple):
    """The map's curves against random order: areas (above 0 is better), and comprehensiveness.

    `comprehensiveness`: what the agreement loses when the map's top 20 % is taken away.
    """

    deletion: CurveArea
    insertion: CurveArea
    comprehensiveness: float


def curves(
    predict: PredictKept,
    orders: dict[str, list[Order]],
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
) -> FaithfulnessCurves:
    """Take blocks away, and put them back, in each of the orders (best block first).

    `predict(kept)` gives outputs (n_trials, n_targets) when only blocks `kept` (n_blocks,) are
    seen; several orders under one name (random ones) are averaged.
    """
    n_blocks = len(next(iter(orders.values()))[0])
    full = predict(np.ones(n_blocks, bool))
    weights = draws(len(full), seed)
    counts = [round(share * n_blocks) for share in SHARES]

    def curve(order: Order, insert: bool) -> Array:
        columns = []
        for n in counts:
            kept = np.full(n_blocks, not insert)
            kept[order[:n]] = insert
            columns.append(correlations(predict(kept), full, weights))
        return np.stack(columns, 1)

    found: list[dict[str, Array]] = [{}, {}]
    for name, several in orders.items():
        for which in (0, 1):
            if tell:
                tell(f"{'insertion' if which else 'deletion'} in the order of {name}")
            found[which][name] = np.mean([curve(o, bool(which)) for o in several], axis=0)
    return FaithfulnessCurves(SHARES, found[0], found[1], len(full))


def draws(n_trials: int, seed: int) -> Array:
    """Return how often each trial counts, (1 + N_BOOTSTRAPS, n_trials): once, then drawn."""
    rng = np.random.default_rng(seed)
    several = rng.multinomial(n_trials, np.full(n_trials, 1 / n_trials), N_BOOTSTRAPS)
    return np.vstack([np.ones(n_trials), several]).astype(float)


def correlations(a: Array, b: Array, weights: Array) -> Array:
    """Return the correlation over weighted trials averaged over outputs, (n_draws,).

    An output that does not vary agrees with nothing: 0.
    """
    n = weights.sum(1, keepdims=True)
    a, b = a - a.mean(0), b - b.mean(0)
    mean_a, mean_b = weights @ a / n, weights @ b / n
    covariance = weights @ (a * b) / n - mean_a * mean_b
    var_a, var_b = weights @ a**2 / n - mean_a**2, weights @ b**2 / n - mean_b**2
    size = np.sqrt(np.clip(var_a, 0, None) * np.clip(var_b, 0, None))
    flat = size <= 1e-9 * np.maximum(var_b, 1e-30)
    r = np.where(flat, 0.0, covariance / np.where(flat, 1, size))
    return np.asarray(r.mean(1))


def faithfulness(found: FaithfulnessCurves, name: str, against: str = "random") -> Faithfulness:
    """Compare an order's curves with those of another order."""
    deletion = _area(found.deletion[against] - found.deletion[name], found.shares)
    insertion = _area(found.insertion[name] - found.insertion[against], found.shares)
    at = found.shares.index(COMPREHENSIVE)
    return Faithfulness(deletion, insertion, float(1 - found.deletion[name][0, at]))


def _area(gap: Array, shares: tuple[float, ...]) -> CurveArea:
    areas = np.atleast_1d(np.trapezoid(gap, shares, axis=1))
    low, high = np.percentile(areas[1:], [2.5, 97.5])
    return CurveArea(float(areas[0]), float(low), float(high))


def order_of(values: NDArray[np.floating]) -> Order:
    """Return blocks from the highest value to the lowest; equal ones as they stand."""
    return np.argsort(-np.asarray(values, float), kind="stable")


def random_orders(n_blocks: int, n: int = 3, seed: int = 0) -> list[Order]:
    """Return random orders of blocks, the same for the same seed."""
    rng = np.random.default_rng(seed)
    return [rng.permutation(n_blocks) for _ in range(n)]
