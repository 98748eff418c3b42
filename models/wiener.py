"""The φ-Wiener readout: from coordinates to ratings, made for concepts that were never seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.concepts import Array, Scatter, concept_means, correlation, scatter

PHIS = (1 / 16, 1 / 4, 1.0)
ALPHAS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


class Wiener(NamedTuple):
    """Everything that the readout needs of its training coordinates, whatever φ and α."""

    scatter: Scatter
    sd: Array  # (k,) of the coordinates
    centre: Array  # (k,) mean of the concepts
    ratings: Array  # (n_concepts, n_targets), centred
    offset: Array  # (n_targets,)

    def readout(self, phi: float, alpha: float) -> tuple[Array, Array]:
        """Return W (k, n_targets) and b (n_targets,): ratings ≈ z W + b.

            W = (S_b + φ S_w + α I)⁻¹ Cov(concept means of z, ratings)

        S_b, S_w: covariance between and within concepts of z in units of its sd (SCIENCE: the
        'φ-Wiener'). φ says how noisy the trials to come are: 1 is one trial, 1/12 the mean of 12
        exemplars of a concept. α keeps directions with little variance from being blown up.
        Ridge is the case S_b + S_w with every trial weighed alike: it learns from the noise
        of trials what there are far more of than concepts.
        """
        s = self.scatter
        covariance = s.means.T @ self.ratings / len(s.means)
        total = s.between + phi * s.within + alpha * np.eye(len(self.sd))
        W = np.linalg.solve(total, covariance) / self.sd[:, None]
        return W, self.offset - self.centre @ W


def summarise(z: NDArray[Any], Y: NDArray[Any], groups: NDArray[Any]) -> Wiener:
    """Take what `readout` needs from coordinates z (n, k), ratings Y (n, n_targets), concepts."""
    sd = z.std(0, dtype=np.float64)
    sd = np.where(sd > 0, sd, 1.0)
    ratings = concept_means(np.asarray(Y, np.float64), groups)
    centre = concept_means(z, groups).mean(0)
    offset = ratings.mean(0)
    return Wiener(scatter((z - centre) / sd, groups), sd, centre, ratings - offset, offset)


class Choice(NamedTuple):
    """The φ and α that did best on held-out concepts, and the mean r of single trials there."""

    phi: float
    alpha: float
    held_out_r: float


def choose(
    fitted: Wiener,
    held: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
    phis: Sequence[float] = PHIS,
    alphas: Sequence[float] = ALPHAS,
) -> Choice:
    """Try all pairs on held-out coordinates, ratings and concepts.

    By mean r of single trials plus mean r of the concepts' means: one number alone would pick
    φ = 1 or φ ≈ 0, and a decoder is asked both questions.
    """
    z, Y, groups = held
    z_mean, Y_mean = concept_means(z, groups), concept_means(Y, groups)
    best = Choice(phis[0], alphas[0], -np.inf)
    highest = -np.inf
    for phi in phis:
        for alpha in alphas:
            W, _ = fitted.readout(phi, alpha)
            single = float(correlation(z @ W, Y).mean())
            value = single + float(correlation(z_mean @ W, Y_mean).mean())
            if value > highest:
                highest, best = value, Choice(phi, alpha, single)
    return best
