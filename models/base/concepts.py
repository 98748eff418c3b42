"""What decoders share that learn from concepts: sound training rows, concepts held out, means."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import Array, Floats, Rows
from models.base.errors import ModelError


def checked(rows: Rows, Y: Floats, groups: NDArray[Any]) -> Floats:
    """Return Y (n, n_targets) as float32, if it fits to the rows (n,) and groups (n,)."""
    if not len(rows) == len(Y) == len(groups):
        msg = (
            f"rows, Y and groups must be as long as each other, but they have {len(rows)}, "
            f"{len(Y)} and {len(groups)} entries"
        )
        raise ModelError(msg)
    bad = int((~np.isfinite(Y)).any(1).sum())
    if bad:
        msg = f"{bad} of {len(Y)} training trials have no rating for a target: leave them out"
        raise ModelError(msg)
    return np.asarray(Y, np.float32)


def check_varies(Y: Floats) -> None:
    """Refuse ratings (n, n_targets) of which a column is the same in all training trials."""
    flat = np.flatnonzero(np.ptp(Y, 0) <= 1e-6 * np.abs(Y).max(0))
    if len(flat):
        msg = (
            f"target {flat[0] + 1} of {Y.shape[1]} has the same rating "
            f"({Y[0, flat[0]]:.4g}) in all {len(Y)} training trials: leave it out"
        )
        raise ModelError(msg)


def check_concepts(groups: NDArray[Any], least: int, what: str) -> None:
    """Refuse to learn from fewer concepts than `what` needs."""
    found = len(np.unique(groups))
    if found < least:
        msg = (
            f"{what} needs {least} concepts or more, but the {len(groups)} training trials show "
            f"{found}: train on more concepts"
        )
        raise ModelError(msg)


def fitting_part(groups: NDArray[Any], share: float, seed: int) -> NDArray[np.bool_]:
    """Return which trials (n,) are of a concept that is not held out; both parts have some."""
    concepts = np.unique(groups)
    n_held = min(max(1, round(share * len(concepts))), len(concepts) - 1)
    held = np.random.default_rng(seed).permutation(concepts)[:n_held]
    return ~np.isin(groups, held)


def concept_means(values: NDArray[Any], groups: NDArray[Any]) -> Array:
    """Mean over each concept's trials, (n_concepts, p), in the order of np.unique(groups)."""
    _, of, count = np.unique(groups, return_inverse=True, return_counts=True)
    sums = np.zeros((len(count), values.shape[1]))
    np.add.at(sums, of, values)
    return sums / count[:, None]


class Scatter(NamedTuple):
    """How coordinates spread: covariances (k, k) within and between concepts, and the means."""

    within: Array
    between: Array
    means: Array  # (n_concepts, k), centred
    concepts: NDArray[Any]


def scatter(z: Array, groups: NDArray[Any]) -> Scatter:
    """Estimate S_w and S_b of centred coordinates z (n, k).

        S_w = Σ_t (z_t − z̄_c(t)) (…)ᵀ / (n − C),    S_b = Σ_c z̄_c z̄_cᵀ / C − S_w · mean(1/m_c)

    m_c trials of concept c, C concepts: a mean of m trials still holds S_w / m of what differs
    within a concept, and that is taken off; directions that become negative are 0.
    """
    concepts, of, count = np.unique(groups, return_inverse=True, return_counts=True)
    means = concept_means(z, groups)
    rest = z - means[of]
    within = rest.T @ rest / max(len(z) - len(concepts), 1)
    means -= means.mean(0)
    raw = means.T @ means / len(concepts) - within * (1 / count).mean()
    values, vectors = np.linalg.eigh((raw + raw.T) / 2)
    between = (vectors * np.maximum(values, 0)) @ vectors.T
    return Scatter(within, between, means, concepts)


def correlation(a: NDArray[Any], b: NDArray[Any]) -> Array:
    """Pearson r per column; 0 where a column is constant."""
    a, b = a - a.mean(0), b - b.mean(0)
    norm = np.sqrt((a * a).sum(0, dtype=np.float64) * (b * b).sum(0, dtype=np.float64))
    r: Array = (a * b).sum(0, dtype=np.float64) / np.where(norm > 0, norm, np.inf)
    return r
