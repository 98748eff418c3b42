"""Judges of maps: the planted truth, and how much two maps agree."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata

from models.base.concepts import pearson
from thingsviz.core.arrays import Array
from thingsviz.core.errors import DataError

# what NumPy and zipfile raise for damaged bytes
FAULTS = (OSError, ValueError, KeyError, EOFError, NotImplementedError, BadZipFile, zlib.error)


class Truth(NamedTuple):
    """What was planted: how much signal each voxel holds (0 = none), (n_voxels,)."""

    signal: Array


def read_truth(path: Path, n_voxels: int) -> Truth | None:
    """Read the planted voxels of a simulated subject; None where there is no truth."""
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as found:
            signal = np.asarray(found["noise_ceiling"], float)
    except FAULTS as error:
        msg = f"{path} cannot be read ({error}): plant the subject again"
        raise DataError(msg) from None
    if len(signal) != n_voxels:
        msg = (
            f"{path} tells of {len(signal):,} voxels, but the brain has {n_voxels:,}: plant the "
            "subject again"
        )
        raise DataError(msg)
    return Truth(signal)


def auc(values: NDArray[np.floating], signal: NDArray[np.floating], weighted: bool) -> float:
    """Return the chance that a planted voxel has a higher value than one without signal.

    Ties count one half. `weighted`: planted voxels are drawn in proportion to their signal, so
    that a region with nine times the signal counts nine times; else all alike.
    """
    planted = signal > 0
    if planted.all() or not planted.any():
        return float("nan")
    ranks = rankdata(values)
    among = rankdata(values[planted])
    n_below = ranks[planted] - among  # of voxels without signal, ties as one half
    weight = signal[planted] if weighted else np.ones(int(planted.sum()))
    return float((weight * n_below).sum() / weight.sum() / (~planted).sum())


def rank_correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Return Spearman's correlation of two maps; NaN where one of them is flat."""
    return float(pearson(rankdata(a), rankdata(b)))


def overlap(a: NDArray[np.floating], b: NDArray[np.floating], top: float = 0.1) -> float:
    """Return the Dice overlap of the top share of two maps: 2 |A ∩ B| / (|A| + |B|)."""
    n = max(1, round(top * len(a)))
    first, second = (set(np.argsort(-np.asarray(m), kind="stable")[:n].tolist()) for m in (a, b))
    return len(first & second) / n


def agreement(maps: Array) -> tuple[Array, Array, NDArray[np.intp]]:
    """Return rank correlations and overlaps (n, n) of maps (n, …), and an order that groups them.

    The order is that of the leaves of average linkage over 1 − correlation.
    """
    n = len(maps)
    r, dice = np.eye(n), np.eye(n)
    for i in range(n):
        for j in range(i):
            r[i, j] = r[j, i] = np.nan_to_num(rank_correlation(maps[i], maps[j]))
            dice[i, j] = dice[j, i] = overlap(maps[i], maps[j])
    return r, dice, order_of(r)


def linked(r: Array) -> Array:
    """Return SciPy's linkage (n − 1, 4): average linkage over 1 − r (n, n)."""
    found: Array = linkage(squareform(np.clip(1 - r, 0, 2), checks=False), "average")
    return found


def order_of(r: Array) -> NDArray[np.intp]:
    """Return an order in which maps of high r (n, n) stand side by side."""
    return leaves_list(linked(r)) if len(r) > 2 else np.arange(len(r))


def head_rsa(profiles: Sequence[Array]) -> Array:
    """Return how alike head profiles (n_heads, n_regions) are, (n, n), by RSA.

    Each becomes distances between regions over its heads; those are rank-correlated. Heads of
    two trainings have no common order, and none is needed; regions must be the same.
    """
    distances = [pdist(np.asarray(p, float).T) for p in profiles]
    r = np.eye(len(distances))
    for i in range(len(r)):
        for j in range(i):
            r[i, j] = r[j, i] = np.nan_to_num(rank_correlation(distances[i], distances[j]))
    return r
