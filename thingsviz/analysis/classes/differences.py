"""Whether one classifier hits more than another: paired shares of hits, concept by concept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thingsviz.analysis.classes.hit_table import TARGET, HitPlace
from thingsviz.analysis.classes.limits import SHOWN_K
from thingsviz.analysis.scores.differences import verdict
from thingsviz.analysis.scores.paired_tests import swapped_hits
from thingsviz.analysis.scores.reference_rows import REFERENCE_ROWS
from thingsviz.analysis.scores.resampling import cluster_interval
from thingsviz.core.typography import minus

Row = dict[str, Any]
LABELS = {row.name: row.long for row in REFERENCE_ROWS if row.long}
CLAIMS = {
    "better": "It is better than",
    "worse": "It is worse than",
    "no difference shown": "It is not shown to be better than",
}


def hit_rows(
    place: HitPlace,
    ranks: tuple[ArrayLike, ArrayLike],
    concepts: NDArray[np.str_],
    ks: Sequence[int],
    n_draws: int = 10_000,
) -> list[Row]:
    """Compare hits within the first k of two classifiers on the same trials; `place` names theirs.

    ranks: of the true class, ours and the other's, (n,) each. p by exchanging the two in random
    concepts (analysis.comparison.swapped_hits).
    """
    ours, other = (np.asarray(own) for own in ranks)
    rows = []
    for k in ks:
        gain = (ours <= k).astype(float) - (other <= k)
        span = cluster_interval(gain, concepts, (-1.0, 1.0))
        known = math.isfinite(span.low)
        rows.append(
            {
                "versus": place.model,
                "part": place.part,
                "n_averaged": place.n_averaged,
                "target": TARGET,
                "metric": f"top{k}",
                "difference": float(gain.mean()),
                "low": span.low if known else None,
                "high": span.high if known else None,
                "p": swapped_hits(ours <= k, other <= k, concepts, n_draws),
            }
        )
    return rows


def hit_sentence(row: Row) -> str:
    """Say how a classifier compares with another, in plain words."""
    k, name = row["metric"].removeprefix("top"), LABELS.get(row["versus"], row["versus"])
    span = (
        "" if row["low"] is None else f" (95 %: {_points(row['low'])} to {_points(row['high'])})"
    )
    p = "" if row["p"] is None else f", paired p = {row['p']:.3f}"
    return (
        f"{CLAIMS[verdict(row)]} {name} ({row['part']}, {row['n_averaged']}): the Top-{k} share "
        f"of hits differs by {_points(row['difference'])} percentage points{span}{p}."
    )


def hit_sentences(rows: Sequence[Row]) -> list[str]:
    """Say, by Top-10, or Top-1 of few classes, than whom it is not shown to be better."""
    metric = next((m for m in SHOWN_K if any(r["metric"] == m for r in rows)), None)
    asked = [row for row in rows if row["metric"] == metric]
    return [hit_sentence(row) for row in asked if verdict(row) != "better"]


def _points(share: float) -> str:
    return minus(f"{100 * share:+.1f}")
