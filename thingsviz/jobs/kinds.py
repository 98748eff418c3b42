"""Which kinds of values a record in JSON may hold; people edit records, so it is asked first."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from thingsviz.core.errors import JobError

LARGEST = 2**53  # the whole numbers that JSON's readers agree on


class JsonKind(NamedTuple):
    """What a value has to be, in words and as a question."""

    words: str
    fits: Callable[[Any], bool]


def is_number(value: Any) -> bool:  # noqa: ANN401
    """Whether a value is a finite number of sensible size."""
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return plain and abs(value) <= LARGEST and math.isfinite(value)


def _is_count(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, int) and is_number(value) and value >= 0


def _is_rows(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _is_words(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


TEXT = JsonKind("text", lambda value: isinstance(value, str))
COUNT = JsonKind("a whole number from 0 on", _is_count)
NUMBER = JsonKind("a number", is_number)
MAYBE_NUMBER = JsonKind("a number or null", lambda value: value is None or is_number(value))
ROWS = JsonKind("a list of objects", _is_rows)
WORDS = JsonKind("a list of texts", _is_words)


def one_of(words: tuple[str, ...]) -> JsonKind:
    """Return the kind of one of some words."""
    return JsonKind(f"one of {', '.join(words)}", lambda value: value in words)


def fit(data: Mapping[str, Any], kinds: Mapping[str, JsonKind]) -> bool:
    """Whether all values that are there are of their kinds."""
    return all(kind.fits(data[name]) for name, kind in kinds.items() if name in data)


def check(path: Path, data: Mapping[str, Any], kinds: Mapping[str, JsonKind]) -> None:
    """Refuse a record whose values are not of their kinds; what is not there is not missed."""
    for name, kind in kinds.items():
        if name in data and not kind.fits(data[name]):
            came = repr(data[name])[:60]
            msg = f"{path} should say {name} as {kind.words}, but says {came}: mend or delete it"
            raise JobError(msg)
