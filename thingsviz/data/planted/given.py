"""How a user's own ratings become the planted truth."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.core.errors import DataError
from thingsviz.data.planted.concepts import PROPERTIES, Concepts, archetypes
from thingsviz.data.planted.ratings import N_RATERS, to_table
from thingsviz.data.things.ratings import available, mean_column, read_ratings, sd_column

FloatArray = NDArray[np.float64]
RATERS = "property_N-ratings"


class GivenRatings(NamedTuple):
    """A published ratings table, indexed by uniqueID, and the properties it has."""

    table: pd.DataFrame
    properties: list[str]

    @classmethod
    def read(cls, path: Path) -> GivenRatings:
        """Read a ratings file in the published columns."""
        table = read_ratings(path).table
        return cls(table, available(table.columns))

    @property
    def lacking(self) -> list[str]:
        """The properties it does not have."""
        return [name for name in PROPERTIES if name not in self.properties]


class RatedConcepts(NamedTuple):
    """Concepts with their true ratings (n_concepts, 14) and the table to publish."""

    concepts: Concepts
    ratings: FloatArray
    table: pd.DataFrame


def plant_given(concepts: Concepts, simulated: FloatArray, given: GivenRatings) -> RatedConcepts:
    """Take a user's ratings as the truth; only properties that they lack stay `simulated`.

    A concept whose name says nothing gets the kind whose scores go best with its ratings.
    """
    lost = [name for name in concepts.names if name not in given.table.index]
    if lost:
        them = f"{len(lost)} concepts of the design, {lost[0]!r} first"
        msg = f"the ratings have no row for {them}: add them or give another ratings file"
        raise DataError(msg)
    rows = given.table.loc[concepts.names]
    true, spread = simulated.copy(), np.full(simulated.shape, np.nan)
    z = np.zeros(simulated.shape)
    for name in given.properties:
        at = PROPERTIES.index(name)
        true[:, at] = _complete(rows, mean_column(name))
        z[:, at] = (true[:, at] - true[:, at].mean()) / max(true[:, at].std(), 1e-9)
        if sd_column(name) in rows:
            spread[:, at] = rows[sd_column(name)]
    kind = np.where(concepts.known, concepts.kind, nearest_kind(z))
    raters = np.full(len(rows), float(N_RATERS))
    if RATERS in rows:
        raters = np.array(rows[RATERS].fillna(N_RATERS), np.float64)
    table = to_table(concepts.names, true, spread, raters)
    return RatedConcepts(concepts._replace(kind=kind), true, table)


def nearest_kind(z: FloatArray) -> NDArray[np.intp]:
    """Return the archetype (n,) whose scores point most in the direction of z-scores (n, 14)."""
    scores = archetypes().to_numpy(float)
    scores /= np.linalg.norm(scores, axis=1, keepdims=True)
    best: NDArray[np.intp] = (z @ scores.T).argmax(1)
    return best


def _complete(rows: pd.DataFrame, column: str) -> FloatArray:
    """Return a column of ratings, all of them there."""
    values: FloatArray = rows[column].to_numpy(float)
    if np.isnan(values).any():
        name = rows.index[int(np.isnan(values).argmax())]
        msg = f"the ratings' column {column!r} has no number for {name!r}: fill it in"
        raise DataError(msg)
    return values
