"""The category tables of a planted subject: its kinds, in the published layouts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

FINE = {
    "animal": ("mammal", "bird", "insect", "fish"),
    "food": ("fruit", "vegetable", "dessert"),
}
COARSE = {
    **FINE,
    "plant": ("plant",),
    "place": ("landscape", "building"),
    "vehicle": ("vehicle",),
    "home": ("furniture", "kitchen"),
    "tool": ("tool", "weapon"),
    "device": ("electronics", "instrument"),
    "worn": ("clothing", "jewellery"),
    "body part": ("body_part",),
}


def fine_table(names: Sequence[str], kinds: Sequence[str]) -> pd.DataFrame:
    """Return the wide table of `category53_wide-format.tsv`: uniqueID, Word, 1 for a member.

    Categories are the kinds, and two that hold several kinds, as the published table has both
    'mammal' and 'animal'.
    """
    columns: dict[str, list[str] | list[int]] = {
        "uniqueID": list(names),
        "Word": [name.replace("_", " ") for name in names],
    }
    for category in sorted({*kinds, *FINE}):
        held = FINE.get(category, (category,))
        columns[category.replace("_", " ")] = [int(kind in held) for kind in kinds]
    return pd.DataFrame(columns)


def coarse_table(kinds: Sequence[str]) -> pd.DataFrame:
    """Return the bare matrix of `category27_manual.tsv`: no names, rows as in the ratings."""
    return pd.DataFrame({c: [int(kind in held) for kind in kinds] for c, held in COARSE.items()})
