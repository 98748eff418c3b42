"""The table of scores: every model of a part with its interval, its p, chance and ceiling."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from thingsviz.analysis.scores.ceilings import ceiling_draws, rating_ceiling
from thingsviz.analysis.scores.concept_sums import RatedPart, concept_sums, scores
from thingsviz.analysis.scores.metrics import METRICS
from thingsviz.analysis.scores.rating_scales import unit_scale
from thingsviz.analysis.scores.resampling import (
    Draws,
    bootstrap,
    confidence_interval,
    interval,
    jackknife,
    p_value,
    permutation,
)
from thingsviz.core.arrays import Array

Row = dict[str, Any]
MEAN = "mean"
COLUMNS = (
    *("model", "part", "n_averaged", "target", "metric", "value", "low", "high", "p"),
    *("n_trials", "n_concepts"),
)


class ScorePlace(NamedTuple):
    """Which part of the split, how many repeats stand behind a row ("single"), which targets."""

    part: str
    n_averaged: str
    targets: tuple[str, ...]


def model_rows(
    model: str, where: ScorePlace, data: RatedPart, *, chance: bool, n_draws: int
) -> list[Row]:
    """Score one model on one part; `chance` adds what its shuffled predictions reach."""
    sums = concept_sums(data)
    observed = {name: value[None] for name, value in scores(sums).items()}
    drawn, left_out = bootstrap(sums, n_draws), jackknife(sums)
    null = permutation(data, n_draws)
    n, rows = (data.n_trials, data.n_concepts), []
    for metric, target, values in columns_of(observed, where.targets):
        spread, out, chances = (
            pick(draws, where.targets, metric, target) for draws in (drawn, left_out, null)
        )
        value, at = float(values[0]), (where.part, where.n_averaged, target, metric)
        span, p = confidence_interval(value, spread, out), p_value(metric, value, chances)
        rows.append(score_row((model, *at), (value, *span, p), *n))
        if chance:
            middle = float(np.mean(chances)) if len(chances) else math.nan
            cells = (middle, *interval(chances), math.nan)
            rows.append(score_row(("chance", *at), cells, *n))
    return [row for row in rows if row["value"] is not None or row["metric"] == "r"]


def ceiling_rows(where: ScorePlace, data: RatedPart, n_raters: ArrayLike) -> list[Row]:
    """Score a decoder that knew the true ratings behind the means of `n_raters` (n, n_targets)."""
    _, first, index = np.unique(data.concepts, return_index=True, return_inverse=True)
    given = np.asarray(n_raters, float)[first]
    inputs = (data.true[first], data.sd[first], given, np.bincount(index).astype(float))
    values = {name: value[None] for name, value in rating_ceiling(*inputs).items()}
    drawn = ceiling_draws(*inputs)
    rows = []
    for metric, target, value in columns_of(values, where.targets):
        span = interval(pick(drawn, where.targets, metric, target))
        cells = (float(value[0]), *span, math.nan)
        at = ("ceiling", where.part, where.n_averaged, target, metric)
        rows.append(score_row(at, cells, data.n_trials, data.n_concepts))
    return [row for row in rows if row["value"] is not None]


def columns_of(values: Draws, targets: Sequence[str]) -> list[tuple[str, str, Array]]:
    """Return (metric, target, draws) for every target and the mean over targets."""
    return [
        (metric, target, pick(values, targets, metric, target))
        for metric in _metrics(values)
        for target in (MEAN, *targets)
    ]


def _metrics(values: Draws) -> list[str]:
    return [*(name for name in METRICS if name in values), "mse_unit", "mae_unit"]


def pick(values: Draws, targets: Sequence[str], metric: str, target: str) -> Array:
    """Return the draws (n_draws,) of a metric; the mean is over the targets that have it."""
    name = metric.removesuffix("_unit")
    columns = values[name]
    if metric != name:
        power = 2 if name == "mse" else 1
        columns = columns / unit_scale(targets).factor ** power
    if target != MEAN:
        return columns[:, list(targets).index(target)]
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", RuntimeWarning
        )  # a mean of nothing is NaN, as it should be
        return np.asarray(np.nanmean(columns, axis=1))


def score_row(
    place: tuple[str, ...], cells: Sequence[float], n_trials: int, n_concepts: int
) -> Row:
    """Return a row of a table; `place` is (model, part, n_averaged, target, metric).

    cells: value, low, high and p, None where not finite.
    """
    values = (cell if math.isfinite(cell) else None for cell in cells)
    return dict(zip(COLUMNS, (*place, *values, n_trials, n_concepts), strict=True))
