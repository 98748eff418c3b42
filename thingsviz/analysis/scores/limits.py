"""What the scores of a training could not show, in plain sentences beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from thingsviz.analysis.scores.concept_sums import RatedPart
from thingsviz.analysis.scores.metrics import constant_confidence, spread_ratio
from thingsviz.data.trials.splits import Audit

Row = dict[str, Any]
FEW_CONCEPTS = 20


def sentences(rows: Sequence[Row], audit: Audit, split_kind: str, simulated: bool) -> list[str]:
    """Return the limits of a table of scores, the weightiest first."""
    return framed([*_leaks(audit, split_kind), *_smallest(rows)], simulated)


def framed(found: Iterable[str], simulated: bool) -> list[str]:
    """Put first that data are simulated, and last that one person was measured."""
    first = (
        "The data are SIMULATED: the scores say how well a planted signal is found, not more."
        if simulated
        else ""
    )
    last = "One person's brain was decoded: nothing here says how another person's would be."
    return [sentence for sentence in (first, *found, last) if sentence]


def _leaks(audit: Audit, split_kind: str) -> list[str]:
    """Say what test and training share."""
    if audit.leaks:
        return [
            f"{audit.shared_images} of {audit.test_images} test images were also seen in training "
            f"(split by {split_kind}): the scores cannot tell decoding from recognising a picture."
        ]
    if audit.shared_concepts:
        return [
            f"{audit.shared_concepts} of {audit.test_concepts} test concepts were also seen in "
            "training: the scores cannot show that ratings of unseen things are decoded."
        ]
    return []


def _smallest(rows: Sequence[Row]) -> list[str]:
    """Say which correlation would have been told from chance, part by part."""
    found = []
    chance = [row for row in rows if row["model"] == "chance" and row["metric"] == "r"]
    for row in chance:
        if row["target"] != "mean":
            continue
        single = [
            other["high"]
            for other in chance
            if other["target"] != "mean"
            and (other["part"], other["n_averaged"]) == (row["part"], row["n_averaged"])
            and other["high"] is not None
        ]
        found.append(_of_part(row, single))
    return found


def _of_part(row: Row, single: list[float]) -> str:
    where = f"{row['part']}, {row['n_averaged']}"
    if row["high"] is None or not single:
        return (
            f"With {row['n_concepts']} concepts or constant predictions ({where}) no correlation "
            "can be told from chance."
        )
    few = "; intervals are too narrow with so few" if row["n_concepts"] <= FEW_CONCEPTS else ""
    return (
        f"With {row['n_concepts']} concepts ({where}) a mean r below {row['high']:.2f}, or an r "
        f"below {np.mean(single):.2f} of one property, cannot be told from chance{few}."
    )


def free_confidence(data: RatedPart, targets: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return ρ and the confidence (2/π)·arctan(1/ρ) that a constant gets, by target."""
    rho = spread_ratio(data.true, data.sd)
    closed = constant_confidence(rho)
    cells = zip(targets, rho, closed, strict=True)
    return {
        target: {"rho": round(float(r), 4), "constant_confidence": round(float(c), 4)}
        for target, r, c in cells
        if np.isfinite(r)
    }
