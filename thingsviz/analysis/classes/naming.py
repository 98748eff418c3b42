"""Naming a concept through predicted ratings: the candidates, and on which place each came."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.classify.identification import similarity
from thingsviz.analysis.classes.hit_table import HitPlace, class_rows, prior_rows
from thingsviz.analysis.classes.hits import Guesses, rank_classes
from thingsviz.core.arrays import Array

Row = dict[str, Any]
NAMED = ("top1", "top5", "top10")
FEWEST_RATINGS = 2


class Candidates(NamedTuple):
    """All rated concepts that a decoder chooses from, and how often each was trained.

    names (n,), ratings (n, k) as rated; trained (n,): training trials of each.
    """

    names: NDArray[np.str_]
    ratings: Array
    trained: NDArray[np.int64]

    @property
    def scale(self) -> tuple[Array, Array]:
        """Mean and SD (k,) over the trained concepts: what a rating is measured against."""
        known = self.ratings[self.trained > 0]
        sd = known.std(0)
        return known.mean(0), np.where(sd > 0, sd, 1)


def candidates(
    concepts: NDArray[np.str_], ratings: Array, train: NDArray[np.int64]
) -> Candidates | None:
    """Find the concepts with all ratings; None with fewer than two of them or of the ratings.

    concepts (n_trials,), ratings (n_trials, k) with NaN where unrated, train: rows.
    """
    rated = np.flatnonzero(np.isfinite(ratings).all(1) & (concepts != ""))
    names, first = np.unique(concepts[rated], return_index=True)
    trained = concepts[train][np.isin(concepts[train], names)]
    if len(names) < 2 or ratings.shape[1] < FEWEST_RATINGS or not len(trained):
        return None
    counts = np.bincount(np.searchsorted(names, trained), minlength=len(names)).astype(np.int64)
    return Candidates(names, ratings[rated][first], counts)


def name_concepts(
    found: Candidates, predicted: Array, concepts: NDArray[np.str_]
) -> Guesses | None:
    """Rank all candidates by how alike their ratings are to predicted ones (n, k).

        score_c = r(z(r̂), z(p_c)),     z(x) = (x − mean) / SD over the trained concepts

    as models.classify.identification does. Trials of concepts that are no candidates are left out.
    """
    known = np.isin(concepts, found.names)
    if not known.any():
        return None
    scores = similarity(predicted[known], found.ratings, *found.scale)  # type: ignore[arg-type]
    true = np.searchsorted(found.names, concepts[known]).astype(np.int64)
    return Guesses(rank_classes(scores), true, concepts[known])


def naming_rows(
    place: HitPlace, found: Candidates, data: Guesses, *, own: bool, n_draws: int
) -> list[Row]:
    """Return top-1, 5 and 10 with intervals and p; `own` adds chance and prior-only."""
    rows = class_rows(place, data, chance=own, n_draws=n_draws)
    if own:
        rows += prior_rows(place._replace(model="prior"), data, found.trained)
    return [row for row in rows if row["metric"] in NAMED]
