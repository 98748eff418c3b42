"""What is known of each method's maps: several runs judge them, and none loses another's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import thingsviz
from thingsviz.analysis.maps import faithfulness
from thingsviz.core.arrays import Rows
from thingsviz.core.errors import ConfigError, ThingsvizError
from thingsviz.core.progress import Progress, Report
from thingsviz.explain.decoder import Decoder
from thingsviz.explain.map_files import MapSet
from thingsviz.explain.method_list import METHODS, SHARES
from thingsviz.explain.methods import MethodMap
from thingsviz.explain.permuted_labels import permuted_network, seconds_of
from thingsviz.explain.planted_truth import pattern_rows, truth_rows
from thingsviz.explain.request import rows_of
from thingsviz.explain.tests_of_maps import (
    RANDOM,
    block_values,
    judge_faithfulness,
    judge_permuted,
    judge_sanity,
)

# facts that hold a row a method
BY_METHOD = ("truth", "sanity", "permuted")
CURVES = ("deletion", "insertion", "areas")


def maker(decoder: Decoder, name: str) -> dict[str, str]:
    """Return what a method's map rests on beside weights and data: regions and this version."""
    regions = decoder.regions.source if name == "occlusion_region" else ""
    return {"regions": regions, "version": thingsviz.__version__}


def kept_map(there: MapSet, decoder: Decoder, name: str, fingerprint: str) -> MethodMap | None:
    """Return a method's map that is there and would be the same again, else nothing."""
    made = there.facts().get("made", {}).get(name, {})
    if not made.items() >= maker(decoder, name).items():
        return None
    try:
        values = there.load(name, fingerprint).astype(float)
    except ThingsvizError:  # damaged, or of other weights or data
        return None
    return (
        MethodMap(name, values, made["n_trials"]) if list(values.shape) == made["shape"] else None
    )


def keep_map(there: MapSet, name: str, values: NDArray[np.floating], fingerprint: str) -> None:
    """Keep a map; where it replaces another one, what was said of that one is dropped."""
    if not _is_same(there, name, values, fingerprint):
        drop(there, name)
    there.save(name, values, fingerprint)


def _is_same(there: MapSet, name: str, values: NDArray[np.floating], fingerprint: str) -> bool:
    try:
        kept = there.load(name, fingerprint)
    except ThingsvizError:
        return False
    return kept.shape == values.shape and np.allclose(kept, values, rtol=1e-4, atol=1e-8)


def drop(there: MapSet, name: str) -> None:
    """Forget what was judged of a method's map."""
    facts = there.facts()
    more = {key: _without(facts[key], name) for key in BY_METHOD if facts.get(key)}
    curves = facts.get("faithfulness")
    if curves:
        more["faithfulness"] = curves | {key: _without(curves[key], name) for key in CURVES}
    if more:
        there.add_facts(**more)


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


def judge_labels(there: MapSet, decoder: Decoder, target: int | None, report: Report) -> list[str]:
    """Train a network on permuted labels; write how alike its maps are to those that are there."""
    methods = there.methods()
    check_labels(there, decoder, methods)
    other = permuted_network(decoder, report)
    found: dict[str, float] = {}
    for name in methods:
        asked = pattern_rows(decoder) if name in SHARES else rows_of(decoder, there.part)
        found |= judge_permuted(decoder, other, [name], asked, target)
        report(Progress(len(found), len(methods), f"{METHODS[name].title}, permuted labels"))
        there.add_facts(permuted=found)
    return methods


def check_labels(there: MapSet, decoder: Decoder, methods: Sequence[str]) -> None:
    """Refuse a decoder that is no network, and maps that are none or of other weights."""
    if decoder.network is None or not methods:
        msg = "permuted labels are asked of a network whose maps are made: make them first"
        raise ConfigError(msg)
    if there.facts().get("fingerprint") != decoder.fingerprint():
        msg = (
            f"the maps of {there.part} were made with other weights or data: make them again "
            "before they are compared with permuted labels"
        )
        raise ConfigError(msg)
