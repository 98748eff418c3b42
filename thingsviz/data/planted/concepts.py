"""What each concept's name stands for: its kind, its bulk among its kind, the glyph to draw."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.core.errors import DataError

PROPERTIES = (
    *("manmade", "precious", "lives", "heavy", "natural", "moves", "grasp", "hold", "be-moved"),
    *("pleasant", "arousal", "size", "nameability", "consistency"),
)
FOLDER = Path(__file__).parent


class Concepts(NamedTuple):
    """Concepts of a planted subject, all in one order.

    kind (n,) indexes the archetypes; bulk (n,) is NaN and a glyph empty for a name that the table
    does not know.
    """

    names: list[str]
    kind: NDArray[np.intp]
    bulk: NDArray[np.float64]
    glyphs: list[str]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which names the table knows, (n,)."""
        return np.array([bool(glyph) for glyph in self.glyphs])


@cache
def archetypes() -> pd.DataFrame:
    """Return the scores of 20 kinds on 14 properties, in units of about half an SD."""
    table = pd.read_csv(FOLDER / "archetypes.tsv", sep="\t", index_col="kind")
    return table[list(PROPERTIES)]


@cache
def concept_table() -> pd.DataFrame:
    """Return the known concepts by name: kind, glyph, bulk (−2 … 2 among its kind).

    Those that have a glyph of their own come first, the kinds taking turns.
    """
    columns = {"name": str, "kind": str, "glyph": str, "bulk": float}
    return pd.read_csv(FOLDER / "concepts.tsv", sep="\t", dtype=columns, index_col="name")


def describe(names: list[str], rng: np.random.Generator) -> Concepts:
    """Look names up in the table; a name that is not there gets a kind by chance."""
    table, kinds = concept_table().reindex(names), list(archetypes().index)
    drawn = rng.integers(0, len(kinds), len(names))
    told = table["kind"].tolist()
    kind = [kinds.index(k) if isinstance(k, str) else d for k, d in zip(told, drawn, strict=True)]
    glyphs = [glyph if isinstance(glyph, str) else "" for glyph in table["glyph"]]
    return Concepts(names, np.array(kind, np.intp), table["bulk"].to_numpy(float), glyphs)


def choose_names(rng: np.random.Generator, n: int, candidates: list[str] | None) -> list[str]:
    """Choose `n` names, sorted: the table's first, or of `candidates` those that it knows."""
    table = concept_table().index
    if candidates is None:
        chosen = list(table[:n])
    else:
        known = [name for name in candidates if name in table]
        unknown = [name for name in candidates if name not in table]
        chosen = [*rng.permutation(known), *rng.permutation(unknown)][:n]
    if len(chosen) < n:
        msg = f"{n} concepts are needed, {len(chosen)} names are there: choose a smaller preset"
        raise DataError(msg)
    return sorted(str(name) for name in chosen)


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
