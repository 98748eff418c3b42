"""The few axes of the responses that a decoder works in: principal axes in a metric of voxels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from models.base.arrays import Floats

# maps (q, n_voxels) → maps (q, n_voxels): multiplication with a symmetric positive operator A
Metric = Callable[[Floats], Floats]
SPARE_AXES = 20


def diagonal(weight: Floats) -> Metric:
    """Return the metric A = diag(weight²), weight (n_voxels,)."""
    square = np.asarray(weight**2, np.float32)
    return lambda maps: maps * square


def principal_axes(X: Floats, metrics: Sequence[Metric], n_axes: int, seed: int) -> Floats:
    """M (n_voxels, n_axes) such that X M are the largest principal components in a metric A.

        X A Xᵀ = U Λ Uᵀ,    M = A Xᵀ U_k,      so that X M = U_k Λ_k

    X (n, n_voxels), centred; A = C² gives the components of the weighted responses X C. Randomised
    subspace iteration (Halko et al. 2011) on 20 axes more than asked; (n, n) is never built.
    With A = I this is scikit-learn's PCA. The last of `metrics` is A; each of the others gives
    one step towards it, and may be a cheaper one.
    """
    n_axes = min(n_axes, *X.shape)
    width = min(n_axes + SPARE_AXES, len(X))
    start = np.random.default_rng(seed).standard_normal((len(X), width), dtype=np.float32)
    Q: Floats = np.linalg.qr(start)[0]
    for metric in metrics[:-1]:
        Q = np.linalg.qr(X @ metric(Q.T @ X).T)[0]
    maps = metrics[-1](Q.T @ X)
    small = Q.T @ (X @ maps.T)
    _, vectors = np.linalg.eigh((small + small.T) / 2)
    largest = vectors[:, ::-1][:, :n_axes]
    axes: Floats = np.ascontiguousarray(maps.T @ largest)
    return axes
