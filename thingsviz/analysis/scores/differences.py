"""Whether one decoder beats another: differences on the same concepts, drawn together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from thingsviz.analysis.scores.concept_sums import RatedPart, concept_sums, scores
from thingsviz.analysis.scores.resampling import (
    BETTER_IS_LESS,
    bootstrap,
    confidence_interval,
    jackknife,
)
from thingsviz.analysis.scores.score_table import MEAN, ScorePlace, columns_of, pick
from thingsviz.core.typography import minus

Row = dict[str, Any]


def difference_rows(
    where: ScorePlace, ours: RatedPart, other: RatedPart, name: str, n_draws: int
) -> list[Row]:
    """Compare two decoders of the same trials in the same order; other is called `name`.

    Both are scored on the same draws of concepts, so what makes a concept hard for both cancels:
    intervals of the difference are much narrower than those of either score suggest.
    """
    if not np.array_equal(ours.concepts, other.concepts):
        msg = "the two decoders were scored on different trials"
        raise ValueError(msg)
    sums = [concept_sums(part) for part in (ours, other)]
    observed = [{k: v[None] for k, v in scores(s).items()} for s in sums]
    drawn = [bootstrap(s, n_draws) for s in sums]
    left_out = [jackknife(s) for s in sums]
    rows = []
    for metric, target, _ in columns_of(observed[0], where.targets):
        value, draws, left = (
            pick(a, where.targets, metric, target) - pick(b, where.targets, metric, target)
            for a, b in (observed, drawn, left_out)
        )
        difference = float(value[0])
        if not math.isfinite(difference):
            continue
        low, high = confidence_interval(difference, draws, left)
        rows.append(
            {
                "versus": name,
                "part": where.part,
                "n_averaged": where.n_averaged,
                "target": target,
                "metric": metric,
                "difference": difference,
                "low": low if math.isfinite(low) else None,
                "high": high if math.isfinite(high) else None,
            }
        )
    return rows


def verdict(row: Row) -> str:
    """Return 'better', 'worse' or 'no difference shown' of ours against the other."""
    if row["low"] is None or row["low"] <= 0 <= row["high"]:
        return "no difference shown"
    less_is_better = row["metric"].removesuffix("_unit") in BETTER_IS_LESS
    return "better" if (row["difference"] < 0) == less_is_better else "worse"


WORDS = {"r": "mean r", "mse_unit": "mean squared error"}


def comparison_sentences(rows: Sequence[Row]) -> list[str]:
    """Say where the mean score is not shown to be better than that of mean or ridge.

    By r; by squared error where one of the two is constant and has no r.
    """
    found: dict[tuple[str, ...], Row] = {}
    for metric in WORDS:
        for row in rows:
            if row["target"] == MEAN and row["metric"] == metric:
                found.setdefault((row["versus"], row["part"], row["n_averaged"]), row)
    return [_sentence(row) for row in found.values() if verdict(row) != "better"]


def _sentence(row: Row) -> str:
    ends = "" if row["low"] is None else f" (95\u00a0%: {row['low']:+.3f} to {row['high']:+.3f})"
    where = f"{row['versus']} ({row['part']}, {row['n_averaged']})"
    by = f"{WORDS[row['metric']]} differs by {row['difference']:+.3f}"
    claim = "is worse than" if verdict(row) == "worse" else "is not shown to be better than"
    numbers = minus(f"the {by}{ends}")
    return f"It {claim} {where}: {numbers}."
