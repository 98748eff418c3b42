"""The φ-Wiener readout: from coordinates to ratings, made for concepts that were never seen."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import Array
from models.base.concepts import Scatter, concept_means, pearson, scatter

PHIS = (1 / 16, 1 / 4, 1.0)
ALPHAS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


class Candidate(NamedTuple):
    """A φ, the α of the linear coordinates, and the α of the products (0 where there are none)."""

    phi: float
    alpha: float
    product_alpha: float = 0.0


class Wiener(NamedTuple):
    """Everything that the readout needs of its training coordinates, whatever φ and α."""

    scatter: Scatter
    sd: Array  # (k,) of the coordinates
    centre: Array  # (k,) mean of the concepts
    ratings: Array  # (n_concepts, n_targets), centred
    offset: Array  # (n_targets,)
    n_linear: int  # how many of the k coordinates are no products

    def readout(self, wish: Candidate) -> tuple[Array, Array]:
        """Return W (k, n_targets) and b (n_targets,): ratings ≈ z W + b.

            W = (S_b + φ S_w + diag(α))⁻¹ Cov(concept means of z, ratings)

        S_b, S_w: covariance between and within concepts of z in units of its sd. φ says how noisy
        the trials to come are: 1 is one trial, 1/12 the mean of 12 exemplars of a concept. α keeps
        directions with little variance from being blown up. Ridge is the case of φ = 1 and every
        trial weighed alike; it has only as many independent ratings as there are concepts, and the
        φ-Wiener knows it.
        """
        s = self.scatter
        covariance = s.means.T @ self.ratings / len(s.means)
        alpha = np.full(len(self.sd), wish.product_alpha)
        alpha[: self.n_linear] = wish.alpha
        total = s.between + wish.phi * s.within + np.diag(alpha)
        W = np.linalg.solve(total, covariance) / self.sd[:, None]
        return W, self.offset - self.centre @ W


def summarise(
    z: NDArray[Any], Y: NDArray[Any], groups: NDArray[Any], n_linear: int | None = None
) -> Wiener:
    """Take what `readout` needs from coordinates z (n, k), ratings Y (n, n_targets), concepts."""
    sd = z.std(0, dtype=np.float64)
    sd = np.where(sd > 0, sd, 1.0)
    ratings = concept_means(np.asarray(Y, np.float64), groups)
    centre = concept_means(z, groups).mean(0)
    offset = ratings.mean(0)
    first = z.shape[1] if n_linear is None else n_linear
    return Wiener(scatter((z - centre) / sd, groups), sd, centre, ratings - offset, offset, first)


class BestCandidate(NamedTuple):
    """What did best on held-out concepts, by how much, and the mean r of single trials there."""

    wish: Candidate
    value: float
    held_out_r: float


def grid(
    phi: float | None,
    alpha: float | None,
    product_alphas: Iterable[float] = (0.0,),
) -> list[Candidate]:
    """All that is tried where φ or α is not given."""
    phis = PHIS if phi is None else (phi,)
    alphas = ALPHAS if alpha is None else (alpha,)
    return [Candidate(*each) for each in product(phis, alphas, product_alphas)]


def choose(
    fitted: Wiener, held: tuple[NDArray[Any], NDArray[Any], NDArray[Any]], wishes: list[Candidate]
) -> BestCandidate:
    """Try all on held-out coordinates, ratings and concepts.

    By mean r of single trials plus mean r of the concepts' means: one of them alone would pick
    φ = 1 or φ ≈ 0, and a decoder is asked both questions.
    """
    z, Y, groups = held
    z_mean, Y_mean = concept_means(z, groups), concept_means(Y, groups)
    best = BestCandidate(wishes[0], -np.inf, float("nan"))
    for wish in wishes:
        W, _ = fitted.readout(wish)
        single = _mean_r(z @ W, Y)
        value = single + _mean_r(z_mean @ W, Y_mean)
        if value > best.value:
            best = BestCandidate(wish, value, single)
    return best


def _mean_r(guess: NDArray[Any], truth: NDArray[Any]) -> float:
    """Pearson r averaged over the columns; a constant one counts as 0."""
    return float(np.nan_to_num(pearson(guess, truth)).mean())
