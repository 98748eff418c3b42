"""The THINGSplus property ratings: columns, scales, and the fault known in copies of them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from thingsviz.core.errors import ConfigError, DataError
from thingsviz.data.things.tables import read_table, require_columns, to_numbers

TARGETS_10 = (
    *("manmade", "precious", "lives", "heavy", "natural"),
    *("moves", "grasp", "hold", "be-moved", "pleasant"),
)
LABEL_TARGETS = ("nameability", "consistency")
TARGETS_12 = (*LABEL_TARGETS, *TARGETS_10)
PROPERTIES = (*TARGETS_12, "arousal", "size")
# The first-round arousal ratings stand under this name in the release that lacks the second round.
ALIASES = {
    "property_arousal-v1_mean": "property_arousal_mean",
    "property_arousal-v1_SD": "property_arousal_SD",
}


class RatingRange(NamedTuple):
    """The lowest and highest answer of a rating, and what they mean."""

    low: float
    high: float
    meaning: str


class Ratings(NamedTuple):
    """All numeric columns, indexed by uniqueID, and what is odd about them."""

    table: pd.DataFrame
    warnings: list[str]


def mean_column(prop: str) -> str:
    """Return the published name of a property's mean."""
    return f"{_stem(prop)}_mean"


def sd_column(prop: str) -> str:
    """Return the published name of a property's SD between raters; labels have none."""
    return f"{_stem(prop)}_SD"


def _stem(prop: str) -> str:
    if prop not in PROPERTIES:
        msg = f"there is no property {prop!r}: choose from {', '.join(PROPERTIES)}"
        raise ConfigError(msg)
    if prop in LABEL_TARGETS:
        return f"image-label_{prop}"
    return "size" if prop == "size" else f"property_{prop}"


def rating_range(prop: str) -> RatingRange:
    """Return the scale on which raters answered."""
    _stem(prop)
    if prop in LABEL_TARGETS:
        return RatingRange(0, 1, "share of the raters")
    if prop == "size":
        return RatingRange(0, 520, "0 grain of sand … 520 aircraft carrier")
    if prop in {"grasp", "hold", "be-moved"}:
        return RatingRange(1, 7, "1 very difficult … 7 very easy")
    if prop == "arousal":
        return RatingRange(1, 7, "1 calming … 7 arousing")
    return RatingRange(1, 7, "1 not at all … 7 very")


def available(columns: pd.Index) -> list[str]:
    """Return the properties whose means are among the columns."""
    return [prop for prop in PROPERTIES if mean_column(prop) in columns]


def read_ratings(path: Path) -> Ratings:
    """Read the ratings; the ten property means must be there, each number must be a number."""
    cells, warnings = read_table(path)
    require_columns(path, cells, ["uniqueID"])
    cells = cells.rename(columns={a: b for a, b in ALIASES.items() if b not in cells.columns})
    require_columns(path, cells, [mean_column(prop) for prop in TARGETS_10])
    concepts = cells["uniqueID"].str.strip()
    if concepts.duplicated().any():
        twice = concepts[concepts.duplicated()].iloc[0]
        msg = f"{str(path)!r} rates {twice!r} twice: keep one row a concept"
        raise DataError(msg)
    names = [name for name in cells.columns if name not in {"uniqueID", "Word", ""}]
    numbers = {name: to_numbers(path, cells[name]) for name in names}
    table = pd.DataFrame(numbers, index=pd.Index(concepts.astype(str), name="uniqueID"))
    return Ratings(table, [*warnings, *_oddities(table)])


def _oddities(table: pd.DataFrame) -> list[str]:
    """Say what is missing, out of range or rotated."""
    notes = [note for note in (_absent(table), _rotated(table)) if note]
    for prop in available(table.columns):
        low, high, _ = rating_range(prop)
        values = table[mean_column(prop)]
        outside = values[(values < low) | (values > high)]
        if len(outside):
            where = f"{outside.index[0]!r}: {outside.iloc[0]:g}"
            notes.append(
                f"{len(outside)} ratings of {prop} lie outside {low:g} to {high:g} ({where})"
            )
    return notes


def _absent(table: pd.DataFrame) -> str:
    absent = [prop for prop in PROPERTIES if mean_column(prop) not in table.columns]
    return f"the ratings have no {' and no '.join(absent)}" if absent else ""


# Each made thing sorts before its two namesakes with '_' and after them without, and copies of
# the ratings exist whose names were sorted one way and whose values the other: chicken_wire then
# 'lives' 6.89 of 7. The right values can be told by this: wire, ball and mill are man-made and
# their namesakes are not, and camera2 is by far the heaviest camera.
FAMILIES = (
    ("chicken_wire", "chicken1", "chicken2", "property_manmade_mean", "chicken_wire"),
    ("crystal_ball", "crystal1", "crystal2", "property_manmade_mean", "crystal_ball"),
    ("pepper_mill", "pepper1", "pepper2", "property_manmade_mean", "pepper_mill"),
    ("camera_lens", "camera1", "camera2", "property_heavy_mean", "camera2"),
)


def _rotated(table: pd.DataFrame) -> str:
    """Name the concepts whose ratings have changed places, '' if none have."""
    wrong = []
    for *family, column, highest in FAMILIES:
        if set(family) <= set(table.index):
            values = table.loc[family, column].to_numpy(dtype=float)
            if np.isfinite(values).all() and family[int(values.argmax())] != highest:
                wrong += family
    if not wrong:
        return ""
    return f"the ratings of {', '.join(wrong)} have changed places (a known fault of some copies)"
