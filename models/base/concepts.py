"""What decoders share that learn from concepts: sound training rows, concepts held out, means."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

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


def pearson(a: ArrayLike, b: ArrayLike) -> Array:
    """Pearson's r per column of two (n, p) arrays, or of two (n,); NaN where one does not vary.

    r = Σ(a − ā)(b − b̄) / √(Σ(a − ā)² Σ(b − b̄)²)
    """
    x, y = _centred(a), _centred(b)
    flat = _is_flat(a, x) | _is_flat(b, y)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (x * y).sum(0) / np.sqrt((x * x).sum(0) * (y * y).sum(0))
    return np.where(flat, np.nan, np.clip(r, -1, 1))


def _centred(values: ArrayLike) -> Array:
    array = np.asarray(values, float)
    return np.asarray(array - array.mean(0))


def _is_flat(values: ArrayLike, centred: Array) -> NDArray[np.bool_]:
    """Whether columns are constant, which leaves rounding errors of a size of its own behind."""
    size = np.abs(np.asarray(values, float)).max(0)
    return np.asarray(np.sqrt((centred**2).mean(0)) <= 1e-9 * np.maximum(size, 1e-30))
