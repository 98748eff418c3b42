"""What is known of each method's maps: several runs judge them, and none loses another's."""

from __future__ import annotations

from typing import Any

from thingsviz.analysis.maps import faithfulness
from thingsviz.core.arrays import Rows
from thingsviz.core.progress import Report
from thingsviz.explain.compute import MethodMap
from thingsviz.explain.decoder import Decoder
from thingsviz.explain.map_files import MapSet
from thingsviz.explain.planted_truth import truth_rows
from thingsviz.explain.tests_of_maps import (
    RANDOM,
    block_values,
    judge_faithfulness,
    judge_sanity,
    seconds_of,
)

# facts that hold a row a method
BY_METHOD = ("truth", "sanity", "permuted")
CURVES = ("deletion", "insertion", "areas")


def without(facts: dict[str, Any], name: str) -> dict[str, Any]:
    """Return what was judged of the methods of `facts` but of `name`."""
    rest = {key: _without(facts[key], name) for key in BY_METHOD if facts.get(key)}
    curves = facts.get("faithfulness")
    if curves:
        rest["faithfulness"] = curves | {key: _without(curves[key], name) for key in CURVES}
    return rest


def _without(rows: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: row for key, row in rows.items() if key != name}


def judge(
    there: MapSet,
    decoder: Decoder,
    found: dict[str, MethodMap],
    rows: Rows,
    target: int | None,
    report: Report,
) -> None:
    """Judge maps and write the judgement beside those of other methods.

    All methods are judged by the same trials: a later run takes as many as the first one did.
    """
    blocks = {name: block_values(decoder, one) for name, one in found.items()}
    before = there.facts().get("faithfulness") or {}
    n_trials = int(before.get("n_trials") or 0) if before.get("areas") else 0
    curves = judge_faithfulness(decoder, blocks, rows, report, n_trials)
    there.add_facts(faithfulness=merged(before, faithfulness_rows(curves)))
    there.add_facts(truth=(there.facts().get("truth") or {}) | truth_rows(decoder, found))
    if decoder.network is not None:
        there.add_facts(permuted_seconds=seconds_of(decoder.material))
    for name in found:
        steps = [s._asdict() for s in judge_sanity(decoder, name, rows, target, report)]
        there.add_facts(sanity=(there.facts().get("sanity") or {}) | {name: steps})


def merged(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Return curves and areas of an earlier run with those of this one over them."""
    return now | {key: (before.get(key) or {}) | now[key] for key in CURVES}


def faithfulness_rows(curves: faithfulness.FaithfulnessCurves) -> dict[str, Any]:
    """Return curves and areas as plain values."""
    names = [RANDOM, *[n for n in curves.deletion if n != RANDOM]]
    judged = {name: faithfulness.faithfulness(curves, name, RANDOM) for name in names}
    return {
        "shares": list(curves.shares),
        "n_trials": curves.n_trials,
        "deletion": {n: curves.deletion[n][0].tolist() for n in names},
        "insertion": {n: curves.insertion[n][0].tolist() for n in names},
        "areas": {
            n: {
                "deletion": list(judged[n].deletion),
                "insertion": list(judged[n].insertion),
                "comprehensiveness": judged[n].comprehensiveness,
            }
            for n in names[1:]
        },
    }
