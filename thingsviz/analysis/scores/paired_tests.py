"""Whether two decoders of the same trials differ by more than chance: paired permutation tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from thingsviz.analysis.scores.concept_sums import (
    ConceptSums,
    RatedPart,
    concept_sums,
    correlation,
)
from thingsviz.analysis.scores.differences import difference_rows
from thingsviz.analysis.scores.rating_scales import unit_scale
from thingsviz.analysis.scores.resampling import FEWEST, false_discovery
from thingsviz.analysis.scores.score_table import MEAN, ScorePlace
from thingsviz.core.arrays import Array
from thingsviz.core.typography import minus, signed

Row = dict[str, Any]
TESTED = ("r", "mse_unit")
LEVEL = 0.05


def paired_rows(
    where: ScorePlace, a: RatedPart, b: RatedPart, names: tuple[str, str], n_draws: int
) -> list[Row]:
    """Return difference A − B, its interval and its p, of every property and their mean.

    Rows of `difference_rows` for r and mse_unit, with `a` and `b` (the decoders' names) instead
    of `versus`, and p. A constant decoder has no r, so then there are rows of mse_unit alone.
    """
    found = difference_rows(where, a, b, names[1], n_draws)
    null = {metric: swapped(a, b, metric, n_draws) for metric in TESTED}
    scale = unit_scale(where.targets).factor ** 2
    null["mse_unit"] = null["mse_unit"] / scale
    rows = []
    for row in found:
        if row["metric"] in TESTED:
            draws = _column(null[row["metric"]], where.targets, row["target"])
            row["p"] = two_sided(row["difference"], draws)
            row["a"], row["b"] = names
            rows.append({key: value for key, value in row.items() if key != "versus"})
    return rows


def _column(draws: Array, targets: Sequence[str], target: str) -> Array:
    if target != MEAN:
        return draws[:, list(targets).index(target)]
    known = draws[:, np.isfinite(draws).all(axis=0)]
    return np.asarray(known.mean(1)) if known.size else np.empty(0)


def swapped(a: RatedPart, b: RatedPart, metric: str, n_draws: int = 1000, seed: int = 0) -> Array:
    """Return differences (n_draws, n_targets) with A and B exchanged in random concepts.

    If A and B are equally good, each concept could as well have been predicted by the other: for
    every concept a coin says whether the two change places, for all its trials and properties at
    once. For r both are z-scored first, because r asks neither for level nor for spread. Empty
    with fewer than three concepts.
    """
    if metric == "r":
        a, b = (part._replace(predicted=_z(part.predicted)) for part in (a, b))
    sums = [concept_sums(part) for part in (a, b)]
    n_concepts = len(sums[0].n)
    rng = np.random.default_rng([seed, 3])
    coins = rng.integers(0, 2, (n_draws if n_concepts >= FEWEST else 0, n_concepts)).astype(float)
    one = _score(metric, sums[0], sums[1], coins)
    return one - _score(metric, sums[0], sums[1], 1 - coins)


def _z(values: Array) -> Array:
    sd = values.std(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((values - values.mean(0)) / sd)


def _score(metric: str, one: ConceptSums, other: ConceptSums, coins: Array) -> Array:
    """Score, per draw, the decoder that is `other` where the coin shows 1 and `one` elsewhere."""

    def total(name: str) -> Array:
        first, second = getattr(one, name), getattr(other, name)
        return np.asarray((first.sum(0) + coins @ (second - first)) / one.n.sum())

    if metric != "r":
        return total("squared")
    p = total("p")
    t, tt = one.t.sum(0) / one.n.sum(), one.tt.sum(0) / one.n.sum()
    return correlation(total("tp") - t * p, tt - t * t, total("pp") - p * p, one)


def two_sided(observed: float, draws: Array) -> float | None:
    """Return p = (1 + draws at least as far from 0) / (1 + draws); None without draws."""
    known = np.abs(draws[np.isfinite(draws)])
    if not len(known) or not math.isfinite(observed):
        return None
    far = known >= abs(observed) - 1e-12 * max(1.0, abs(observed))
    return float((1 + far.sum()) / (1 + len(known)))


def corrected(rows: Sequence[Row], metric: str) -> list[Row]:
    """Add `p_holm` and `p_fdr` to the rows of one metric, over all pairs and properties at once.

    The means over properties are questions of their own: they are corrected among each other.
    """
    chosen = [row for row in rows if row["metric"] == metric]
    out = []
    for family in (True, False):
        these = [row for row in chosen if (row["target"] == MEAN) == family]
        p = [1.0 if row["p"] is None else row["p"] for row in these]
        for row, by_holm, by_fdr in zip(these, holm(p), false_discovery(p).tolist(), strict=True):
            blank = row["p"] is None
            out.append(
                row
                | {
                    "p_holm": None if blank else by_holm,
                    "p_fdr": None if blank else by_fdr,
                }
            )
    return out


def holm(p: ArrayLike) -> list[float]:
    """Return p-values of which the chance of any false one is kept (Holm 1979).

    p̃₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1) p₍ⱼ₎), in rising order of the m values
    """
    values = np.asarray(p, float)
    order = np.argsort(values, kind="stable")
    steps = np.minimum(1.0, values[order] * np.arange(len(values), 0, -1))
    out = np.empty_like(values)
    out[order] = np.maximum.accumulate(steps) if len(values) else steps
    return [float(value) for value in out]


def nearer(a: RatedPart, b: RatedPart) -> Array:
    """Return by how much A is nearer to the truth than B, (n_trials,), in SD of the properties.

    mean over properties of (|B − true| − |A − true|) / SD(true): above 0 A was right and B wrong
    """
    spread = a.true.std(0)
    varies = spread > 0
    gain = np.abs(b.predicted - b.true) - np.abs(a.predicted - a.true)
    return np.asarray((gain[:, varies] / spread[varies]).mean(1))


def mcnemar(a_hits: ArrayLike, b_hits: ArrayLike) -> tuple[int, int, float]:
    """Return how many trials only A and only B hit, and the exact two-sided p (McNemar 1947).

    Under equal decoders a trial that one of them hits is hit by A in half of the cases; trials
    are taken as independent, which those of one concept are not: see `swapped_hits`.
    """
    a, b = np.asarray(a_hits, bool), np.asarray(b_hits, bool)
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    n = only_a + only_b
    p = 1.0 if n == 0 else min(1.0, 2 * float(bdtr(min(only_a, only_b), n, 0.5)))
    return only_a, only_b, p


def swapped_hits(
    a_hits: ArrayLike, b_hits: ArrayLike, concepts: ArrayLike, n_draws: int = 10_000, seed: int = 0
) -> float | None:
    """Return the two-sided p of A's and B's shares of hits, exchanged in random concepts."""
    gain = np.asarray(a_hits, float) - np.asarray(b_hits, float)
    _, index = np.unique(np.asarray(concepts, str), return_inverse=True)
    per_concept = np.bincount(index, gain)
    if len(per_concept) < FEWEST:
        return None
    rng = np.random.default_rng([seed, 4])
    signs = rng.choice([-1.0, 1.0], (n_draws, len(per_concept)))
    return two_sided(float(per_concept.sum()), signs @ per_concept)


def sentence(row: Row) -> str:
    """Say what a corrected paired test of one metric found, in plain words."""
    a, b = row["a"], row["b"]
    what = {"r": "r", "mse_unit": "squared error"}.get(row["metric"], row["target"])
    span = ""
    if row["low"] is not None:
        span = f", 95 % {signed(row['low'])} to {signed(row['high'])}"
    told = f"{what} of {a} minus that of {b} is {signed(row['difference'])}{span}"
    if row["p"] is None:
        return f"{told}: there are too few concepts for a test."
    told = f"{told}, p = {row['p']:.3f}, corrected {row['p_holm']:.3f}"
    if row["p_holm"] >= LEVEL:
        return f"{told}: no difference shown."
    better = a if (row["difference"] > 0) != (row["metric"] == "mse_unit") else b
    return f"{told}: {better} is better."


def hits_sentence(row: Row) -> str:
    """Say what a corrected paired test of hits among the first k found, in plain words."""
    a, b, n = row["a"], row["b"], row["n_trials"]
    told = f"Among the first {row['k']}, {a} hits {row['hits_a']:,} and {b} {row['hits_b']:,} of "
    told += f"{n:,} trials: {share_gain(row)}"
    if row["p"] is None:
        return f"{told}: there are too few concepts for a test."
    told = f"{told}, p = {row['p']:.3f}, corrected {row['p_holm']:.3f}"
    if row["p_holm"] >= LEVEL:
        return f"{told}: no difference shown."
    return f"{told}: {a if row['difference'] > 0 else b} is better."


def share_gain(row: Row) -> str:
    """Write by how much two shares of hits differ, with the interval."""
    if row["low"] is None or row["high"] is None:
        return f"{_percent(row['difference'])} %"
    low, high = _percent(row["low"]), _percent(row["high"])
    return f"{_percent(row['difference'])} % ({low} to {high} %)"


def _percent(value: float) -> str:
    return minus(f"{100 * value:+.1f}")
