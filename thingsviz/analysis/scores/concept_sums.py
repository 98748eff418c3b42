"""True and predicted ratings of one part of a split, and their sums per concept.

Trials of one concept share its rating, so they are not independent: all that asks how sure a score
is (bootstrap, permutation) draws concepts. Scores are functions of a few sums per concept, so that
1,000 draws are a matrix product.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thingsviz.analysis.scores.metrics import METRICS, trial_confidence
from thingsviz.core.arrays import Array

FLAT = 1e-9


class RatedPart(NamedTuple):
    """Ratings on the raters' own scales; `sd` is NaN where the release has none."""

    true: Array  # (n, n_targets)
    predicted: Array  # (n, n_targets)
    sd: Array  # (n, n_targets)
    concepts: NDArray[np.str_]  # (n,)

    @property
    def n_trials(self) -> int:
        """How many rows there are."""
        return len(self.true)

    @property
    def n_concepts(self) -> int:
        """How many concepts they show."""
        return len(np.unique(self.concepts))


def part(true: object, predicted: object, sd: object | None, concepts: object) -> RatedPart:
    """Make a part from anything array-like; without `sd` there is no confidence."""
    t, p = np.asarray(true, float), np.asarray(predicted, float)
    spread = np.full_like(t, np.nan) if sd is None else np.asarray(sd, float)
    return RatedPart(t, p, spread, np.asarray(concepts, str))


class ConceptSums(NamedTuple):
    """Sums over the trials of each concept; t and p are centred on the part's means."""

    n: Array  # (n_concepts,)
    t: Array  # (n_concepts, n_targets), and so are the rest
    p: Array
    tt: Array
    pp: Array
    tp: Array
    squared: Array
    absolute: Array
    confidence: Array
    # Smallest mean squares that are more than rounding, (n_targets,): below, a column is constant.
    least_t: Array
    least_p: Array


def concept_sums(data: RatedPart) -> ConceptSums:
    """Add up what the scores need, concept by concept (in the order of np.unique)."""
    _, index = np.unique(data.concepts, return_inverse=True)
    t, p = data.true - data.true.mean(0), data.predicted - data.predicted.mean(0)
    error = data.predicted - data.true
    sure = trial_confidence(data.predicted, data.true, data.sd)
    n = np.bincount(index).astype(float)
    columns = [t, p, t * t, p * p, t * p, error**2, np.abs(error), sure]
    sums = [_by_concept(column, index, len(n)) for column in columns]
    least = [(FLAT * np.abs(a).max(0)) ** 2 for a in (data.true, data.predicted)]
    return ConceptSums(n, *sums, *least)


def _by_concept(values: Array, index: NDArray[np.intp], n_concepts: int) -> Array:
    out = np.zeros((n_concepts, values.shape[1]))
    np.add.at(out, index, values)
    return out


def weighted_scores(sums: ConceptSums, weights: Array) -> dict[str, Array]:
    """Return each metric (n_draws, n_targets) for weights (n_draws, n_concepts) of the concepts.

    r = (n Σtp − Σt Σp) / √((n Σtt − (Σt)²)(n Σpp − (Σp)²)), sums over the weighted concepts
    """
    n = (weights @ sums.n)[:, None]
    t, p = weights @ sums.t / n, weights @ sums.p / n
    var_t, var_p = weights @ sums.tt / n - t * t, weights @ sums.pp / n - p * p
    r = correlation(weights @ sums.tp / n - t * p, var_t, var_p, sums)
    errors = [weights @ s / n for s in (sums.squared, sums.absolute, sums.confidence)]
    return dict(zip(METRICS, [r, *errors], strict=True))


def correlation(covariance: Array, var_t: Array, var_p: Array, sums: ConceptSums) -> Array:
    """Divide a covariance by the spreads; NaN where either does not vary."""
    varies = (var_t > sums.least_t) & (var_p > sums.least_p)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = covariance / np.sqrt(var_t * var_p)
    return np.where(varies, np.clip(r, -1, 1), np.nan)


def scores(sums: ConceptSums) -> dict[str, Array]:
    """Return each metric, (n_targets,)."""
    whole = weighted_scores(sums, np.ones((1, len(sums.n))))
    return {name: value[0] for name, value in whole.items()}
