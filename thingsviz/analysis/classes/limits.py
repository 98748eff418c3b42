"""What the scores of a classifier could not show, in plain sentences beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thingsviz.analysis.scores.limits import framed
from thingsviz.data.trials.splits import Audit

Row = dict[str, Any]
SHOWN_K = ("top10", "top1")  # Top-5 of eight classes would be mostly luck


def class_sentences(
    rows: Sequence[Row], audit: Audit, learnable: tuple[int, int], simulated: bool
) -> list[str]:
    """Return the limits of a classifier's table, the weightiest first.

    learnable: test trials whose class was trained, and all test trials.
    """
    return framed([_unlearnable(*learnable), _leaks(audit), *_smallest(rows)], simulated)


def _unlearnable(known: int, n_test: int) -> str:
    if known == n_test:
        return ""
    return (
        f"Only {known:,} of {n_test:,} test trials ({100 * known / n_test:.0f} %) show a class "
        "that was trained at all: the others can be hit by luck alone, however good the decoder."
    )


def _leaks(audit: Audit) -> str:
    if not audit.leaks:
        return ""
    return (
        f"{audit.shared_images:,} of {audit.test_images:,} test images were also seen in "
        "training: a hit may be a picture recognised, not its concept read."
    )


def _smallest(rows: Sequence[Row]) -> list[str]:
    """Say which share of hits would have been told from chance, part by part."""
    found = []
    chance = [row for row in rows if row["model"] == "chance" and row["high"] is not None]
    places = dict.fromkeys((row["part"], row["n_averaged"]) for row in chance)
    for part, averaged in places:
        here = {r["metric"]: r for r in chance if (r["part"], r["n_averaged"]) == (part, averaged)}
        metric = next((k for k in SHOWN_K if k in here), None)
        if metric is None:
            continue
        row = here[metric]
        found.append(
            f"With {row['n_trials']:,} trials of {row['n_concepts']:,} concepts ({part}, "
            f"{averaged}) a top-{metric[3:]} of {100 * row['high']:.2f} % or less cannot be told "
            f"from chance, which is {100 * row['value']:.2f} %."
        )
    return found
