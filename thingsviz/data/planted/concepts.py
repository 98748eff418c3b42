"""What each concept's name stands for: its kind, its bulk among its kind, and the glyph to draw."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.core.errors import DataError

PROPERTIES = (
    "manmade precious lives heavy natural moves grasp hold be-moved pleasant arousal size "
    "nameability consistency"
).split()
FOLDER = Path(__file__).parent


class Concepts(NamedTuple):
    """Concepts of a planted subject, in order: `kind` (n,) indexes the archetypes, `bulk` (n,) is
    NaN and `glyph` empty where the name says nothing.
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
    """Return scores of 20 kinds on 14 properties, in units of about half a standard deviation."""
    return pd.read_csv(FOLDER / "archetypes.tsv", sep="\t", index_col="kind")[PROPERTIES]


@cache
def concept_table() -> pd.DataFrame:
    """Return the table of known concepts by name: kind, glyph, bulk (−2 … 2 within the kind)."""
    columns = {"name": str, "kind": str, "glyph": str, "bulk": float}
    return pd.read_csv(FOLDER / "concepts.tsv", sep="\t", dtype=columns, index_col="name")


def describe(names: list[str], rng: np.random.Generator) -> Concepts:
    """Look names up in the table; a name that is not there gets a kind by chance."""
    table, kinds = concept_table().reindex(names), list(archetypes().index)
    drawn = rng.integers(0, len(kinds), len(names))
    told = table["kind"].to_numpy()
    kind = [kinds.index(k) if isinstance(k, str) else d for k, d in zip(told, drawn, strict=True)]
    glyphs = [g if isinstance(g, str) else "" for g in table["glyph"]]
    return Concepts(names, np.array(kind), table["bulk"].to_numpy(float), glyphs)


def choose_names(rng: np.random.Generator, n: int, candidates: list[str] | None) -> list[str]:
    """Choose `n` concept names, sorted: the table's first, or of `candidates` those it knows first."""
    known = list(concept_table().index)
    if candidates is None:
        chosen = known[:n]  # the table begins with one glyph of its own for each
    else:
        told = [name for name in candidates if name in set(known)]
        rest = [name for name in candidates if name not in set(known)]
        chosen = [*rng.permutation(told), *rng.permutation(rest)][:n]
    if len(chosen) < n:
        msg = f"{n} concepts are needed but only {len(chosen)} names are there: choose a smaller preset"
        raise DataError(msg)
    return sorted(str(name) for name in chosen)
