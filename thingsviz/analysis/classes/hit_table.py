"""The table of a classifier's scores: top-k for several k, mean rank, the curve over every k."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thingsviz.analysis.classes.hits import (
    Guesses,
    ShuffledHits,
    chance_curve,
    hits_at,
    p_at_least,
    permutation,
    prior_curve,
    share_interval,
)
from thingsviz.analysis.scores.resampling import Interval, cluster_interval, interval
from thingsviz.analysis.scores.score_table import score_row

Row = dict[str, Any]
KS = (1, 2, 3, 5, 10, 20, 50, 100)
TOP = re.compile(r"top(\d+)")
RANK = "mean_rank"
TARGET = "mean"  # a classifier has no properties: its one score stands where theirs is averaged


class HitPlace(NamedTuple):
    """Where a score stands: the model, the part of the split, how many repeats are averaged."""

    model: str
    part: str
    n_averaged: str


def ks_of(n_classes: int) -> tuple[int, ...]:
    """Return the k that get rows of their own: those below the number of classes."""
    return tuple(k for k in KS if k < n_classes)


def usual_top(metrics: Collection[str]) -> str | None:
    """Return Top-10 of the metrics there are, or with few classes Top-1; None without any."""
    tops = [metric for metric in metrics if TOP.fullmatch(metric)]
    return "top10" if "top10" in tops else min(tops, key=lambda m: int(m[3:]), default=None)


def headline_metric(metrics: Collection[str]) -> str:
    """Return the metric that stands for a job: r of ratings, which name concepts as well."""
    return "r" if "mse" in metrics else usual_top(metrics) or "r"


def class_rows(place: HitPlace, data: Guesses, *, chance: bool, n_draws: int) -> list[Row]:
    """Score one model on one part: top-k and mean rank; `chance` adds what guessing reaches."""
    null = permutation(data, n_draws)
    rows = []
    for k in ks_of(data.n_classes):
        hit = data.own <= k
        span = share_interval(hit, data.concepts)
        p = float(p_at_least([hit.sum()], null.hits[:, k - 1 : k])[0])
        rows.append(_row(place, f"top{k}", (float(hit.mean()), *span, p, int(hit.sum())), data))
        if chance:
            rows.append(_chance_row(place, k, data, null))
    return [*rows, *_rank_rows(place, data, null, chance=chance)]


def _rank_rows(place: HitPlace, data: Guesses, null: ShuffledHits, *, chance: bool) -> list[Row]:
    value = float(data.own.mean())
    low, high = cluster_interval(data.own, data.concepts, (1.0, float(data.n_classes)))
    p = p_at_least([-value - 1e-12], -null.mean_rank[:, None])[0]
    rows = [_row(place, RANK, (value, low, high, float(p), None), data)]
    if chance:
        middle = ((data.n_classes + 1) / 2, *interval(null.mean_rank), math.nan, None)
        rows.append(_row(place._replace(model="chance"), RANK, middle, data))
    return rows


def prior_rows(place: HitPlace, data: Guesses, trained: NDArray[np.integer]) -> list[Row]:
    """Score the guess that ignores the brain: the most frequent training classes."""
    curve = prior_curve(data.true, trained)
    found = []
    for k in ks_of(data.n_classes):
        cells = (float(curve[k - 1]), math.nan, math.nan, math.nan, curve[k - 1] * len(data.true))
        found.append(_row(place, f"top{k}", cells, data))
    return found


def _chance_row(place: HitPlace, k: int, data: Guesses, null: ShuffledHits) -> Row:
    """Chance is k of n classes; its band is where 95 % of shuffled concepts lie."""
    n = len(data.true)
    cells = (k / data.n_classes, *interval(null.hits[:, k - 1] / n), math.nan)
    return _row(place._replace(model="chance"), f"top{k}", (*cells, k / data.n_classes * n), data)


def class_curve(place: HitPlace, data: Guesses, *, full: bool, n_draws: int) -> Row:
    """Return hits at every k; `full` adds intervals, p and the band of shuffled concepts."""
    hits = hits_at(data.own, data.n_classes)
    row: Row = {**place._asdict(), "n_trials": len(data.true), "hits": hits.tolist()}
    if not full:
        return row
    null = permutation(data, n_draws)
    spans = [_span(data, k, hits) for k in range(1, data.n_classes + 1)]
    band = [interval(null.hits[:, k] / len(data.true)) for k in range(data.n_classes)]
    row |= {"low": [s.low for s in spans], "high": [s.high for s in spans]}
    row |= {"p": p_at_least(hits, null.hits).tolist()}
    row |= {"chance": chance_curve(data.n_classes).tolist()}
    row |= {"chance_low": [b.low for b in band], "chance_high": [b.high for b in band]}
    return row


def _span(data: Guesses, k: int, hits: NDArray[np.int64]) -> Interval:
    return share_interval(data.own <= k, data.concepts)


def prior_line(place: HitPlace, data: Guesses, trained: NDArray[np.integer]) -> Row:
    """Return the expected hits of the prior-only guess at every k."""
    hits = prior_curve(data.true, trained) * len(data.true)
    return {**place._asdict(), "n_trials": len(data.true), "hits": hits.tolist()}


def rows_at(curves: Sequence[Row], rows: Sequence[Row], k: int) -> list[Row]:
    """Return rows of top-k for any k from the curves; `rows` say how many concepts were tested."""
    concepts = {(row["part"], row["n_averaged"]): row["n_concepts"] for row in rows}
    found = []
    for curve in curves:
        row = {name: curve[name] for name in ("model", "part", "n_averaged", "n_trials")}
        row |= {"target": TARGET, "metric": f"top{k}", "low": None, "high": None, "p": None}
        row |= {"n_concepts": concepts.get((curve["part"], curve["n_averaged"]), 0)}
        row |= {"n_folds": curve["n_folds"]} if "n_folds" in curve else {}
        hits = curve["hits"][k - 1]
        own: Row = {name: curve[name][k - 1] for name in ("low", "high", "p") if name in curve}
        found.append({**row, "value": hits / curve["n_trials"], **own, "hits": hits})
        if "chance" in curve:
            names = {"value": "chance", "low": "chance_low", "high": "chance_high"}
            band: Row = {name: curve[there][k - 1] for name, there in names.items()}
            found.append({**row, "model": "chance", **band, "p": None, "hits": None})
    return found


def _row(
    place: HitPlace,
    metric: str,
    cells: tuple[float, float, float, float, float | None],
    data: Guesses,
) -> Row:
    *values, hits = cells
    n = len(data.true), len(np.unique(data.concepts))
    return score_row((*place, TARGET, metric), values, *n) | {"hits": hits}
