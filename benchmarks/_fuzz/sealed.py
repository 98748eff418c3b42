"""Sealed JSON: damaged as a disk does, or edited by hand without its seal; and what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from benchmarks._fuzz.damage import Rng, spoil_bytes, spoil_json

SEAL = "crc32"


def sealed_or_not(rng: Rng, whole: bytes) -> bytes:
    """Damage a sealed JSON file as a disk does, or change it as an editor does: without seal."""
    data = json.loads(whole)
    if rng.random() < 0.4:
        return spoil_bytes(rng, whole)
    data.pop(SEAL, None)
    return spoil_json(rng, data)


def said(mutated: bytes) -> dict[str, Any] | None:
    """Return what an unsealed JSON object plainly says; None for a sealed one."""
    data = json.loads(mutated)
    if not isinstance(data, dict) or SEAL in data:
        return None
    return {key: value for key, value in data.items() if (key, value) != ("version", 1)}


def by_hand(value_of: Callable[[dict[str, Any]], Any]) -> Callable[[bytes, Any], bool]:
    """Accept a file without a checksum whose plain reading is the app's."""

    def agrees(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
        data = said(mutated)
        return data is not None and (
            value == value_of(data) or repr(value) == repr(value_of(data))
        )

    return agrees


def holds(given: Any, kept: Any) -> bool:  # noqa: ANN401
    """Whether all that was given stands in what was kept, `kept` having defaults besides."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return all(key in kept and holds(value, kept[key]) for key, value in given.items())
    if isinstance(given, list) and isinstance(kept, list):
        return len(given) == len(kept) and all(map(holds, given, kept))
    return bool(given == kept) or _number(given) == _number(kept) is not None


def _number(value: Any) -> float | None:  # noqa: ANN401
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def is_json(raw: bytes) -> bool:
    try:
        return isinstance(json.loads(raw), dict)
    except (ValueError, RecursionError):
        return False
