"""What a recipe says of its split; without pandas, for which reading a recipe need not wait."""

from __future__ import annotations

from typing import Literal, NamedTuple

EACH: Literal["each"] = "each"
Folds = int | Literal["each"]
# what a fold may hold out as a whole, and the column of the trials table that says so
FOLD_COLUMNS = {
    "session": "session",
    "run": "run",
    "image": "image_filename",
    "concept": "concept",
    "trial": None,
}
LEAVE_ONE_OUT = ("session", "run")
MOST_FOLDS = 200


class SplitChoice(NamedTuple):
    """One split, all folds of one, or a single fold of them."""

    kind: str
    fractions: tuple[float, float, float]
    seed: int
    folds: Folds | None = None
    fold: int | None = None
    """Which fold, from 1; with folds and without it the split is that of the first."""
