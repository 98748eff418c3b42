"""How large a test must be for an effect to be seen, and how small an effect a test can show.

An effect is seen when its one-sided p is at most 5 %; all sizes here are seen 80 times in 100.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import bdtrc, betaincinv, ndtri

LEVEL = 0.05  # one-sided
POWER = 0.80
MOST = 200_000


def smallest_r(n_concepts: int, level: float = LEVEL, power: float = POWER) -> float:
    """Return the correlation that `n_concepts` independent concepts would show; 1 if they are few.

        r = tanh((z₁₋level + z_power) / √(n − 3))

    Fisher's z-transform (1921) makes r normal with SD 1/√(n − 3); the formula is Cohen's (1988,
    ch. 3). It is about concepts: trials of one concept share its rating, and more of them make
    the predictions better, not the test larger. A mean over correlated properties needs less.
    """
    if n_concepts <= 3:
        return 1.0
    return math.tanh((ndtri(1 - level) + ndtri(power)) / math.sqrt(n_concepts - 3))


def concepts_needed(r: float, level: float = LEVEL, power: float = POWER) -> int:
    """Return how many concepts show a correlation 0 < r < 1.

    n = ((z₁₋level + z_power) / artanh r)² + 3
    """
    if not 0 < r < 1:
        msg = f"a correlation to be seen lies between 0 and 1, not at {r:g}"
        raise ValueError(msg)
    return math.ceil(float((ndtri(1 - level) + ndtri(power)) / math.atanh(r)) ** 2 + 3 - 1e-9)


def hits_needed(n_trials: int, chance: float, level: float = LEVEL) -> int:
    """Return the fewest hits that chance reaches in at most `level` of tests; n + 1 if none does.

    P(X ≥ k) ≤ level for X ~ Binomial(n, chance), exact.
    """
    k = np.arange(n_trials + 1)
    enough = np.flatnonzero(_at_least(k, n_trials, chance) <= level)
    return int(enough[0]) if len(enough) else n_trials + 1


def smallest_share(
    n_trials: int, chance: float, level: float = LEVEL, power: float = POWER
) -> float:
    """Return the share of hits that `n_trials` trials would show against `chance`; 1 if too few.

    The share p with P(X ≥ k) = power for X ~ Binomial(n, p), k = `hits_needed`: the inverse of a
    regularised incomplete beta function (Clopper & Pearson 1934).
    """
    k = hits_needed(n_trials, chance, level)
    return 1.0 if k > n_trials else float(betaincinv(k, n_trials - k + 1, power))


def trials_needed(
    share: float, chance: float, level: float = LEVEL, power: float = POWER
) -> int | None:
    """Return how many trials show a `share` of hits against `chance`; None beyond 200,000.

    Doubled until there are enough, then halved towards the fewest. The power of a binomial test
    goes up and down by a few trials, because hits are whole numbers.
    """
    if not 0 < chance < share <= 1:
        msg = f"a share to be seen lies above chance {chance:g} and is at most 1, not {share:g}"
        raise ValueError(msg)
    high = 1
    while smallest_share(high, chance, level, power) > share:
        high *= 2
        if high > MOST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        if smallest_share(middle, chance, level, power) > share:
            low = middle
        else:
            high = middle
    return high


def _at_least(k: np.ndarray, n: int, p: float) -> np.ndarray:
    """P(X ≥ k) for X ~ Binomial(n, p)."""
    beyond = bdtrc(np.maximum(k - 1, 0).astype(float), n, p)
    return np.where(k <= 0, 1.0, np.where(k > n, 0.0, beyond))
