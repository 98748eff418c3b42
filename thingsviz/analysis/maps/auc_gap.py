"""Whether one map finds planted voxels surely better than another: AUCs by blocks of voxels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from thingsviz.core.arrays import Array
from thingsviz.core.space import Grid

BLOCK_MM = 24.0  # twice the smoothing of maps: what a block holds says little of its neighbours
Z95 = 1.959964
# the map that is the same wherever a decoder reads: choosing tokens or voxels points to what was
# planted already, so a method shows something of its own only where its AUC is above this one's
EVEN = "even over what is read"
LEAST = 0.01  # a gap that nobody would see in two digits is none, however sure
# the AUCs of a map as they are kept, and in words
COLUMNS = {"auc": "by voxel", "auc_smooth": "smoothed"}


class AucGap(NamedTuple):
    """The AUC of one map less that of another, with its 95 % interval over blocks of voxels."""

    value: float
    low: float
    high: float


def blocks(mask: NDArray[np.bool_], grid: Grid, edge_mm: float = BLOCK_MM) -> NDArray[np.intp]:
    """Return which cube of about `edge_mm` each brain voxel lies in, (n_voxels,), from 0."""
    edge = np.maximum(np.rint(edge_mm / grid.voxel_size).astype(int), 1)
    cubes = np.argwhere(mask) // edge
    found: NDArray[np.intp] = np.unique(cubes, axis=0, return_inverse=True)[1].ravel()
    return found


def placements(values: NDArray[np.floating], planted: NDArray[np.bool_]) -> Array:
    """Return, (n_voxels,), how a map places each voxel: their mean over either kind is the AUC.

    Of a planted voxel the share of empty ones below it, of an empty voxel the share of planted
    ones above it; ties count one half (DeLong, DeLong & Clarke-Pearson 1988).
    """
    ranks, found = rankdata(values), np.empty(len(values))
    for kind in (planted, ~planted):
        n_others = len(values) - int(kind.sum())
        found[kind] = (ranks[kind] - rankdata(values[kind])) / n_others
    found[~planted] = 1 - found[~planted]
    return found


def auc_gap(
    first: NDArray[np.floating],
    second: NDArray[np.floating],
    planted: NDArray[np.bool_],
    block: NDArray[np.intp],
) -> AucGap:
    """Return AUC(first) − AUC(second) of maps (n_voxels,) over the same voxels.

    Neighbours are not independent, so whole blocks are (Obuchowski 1997, Biometrics 53):
    u_k = Σ_{i planted in k} (d_i − Δ) / m + Σ_{j empty in k} (d_j − Δ) / n, with d the difference
    of placements, Δ their mean, m and n the numbers of voxels; var Δ = K / (K − 1) Σ_k u_k².
    """
    if planted.all() or not planted.any():
        return AucGap(*[float("nan")] * 3)
    d = placements(first, planted) - placements(second, planted)
    gap = float(d[planted].mean())
    u = np.bincount(block, (d - gap) / np.where(planted, planted.sum(), (~planted).sum()))
    k = len(np.unique(block))
    half = Z95 * float(np.sqrt((u**2).sum() * k / max(k - 1, 1)))
    return AucGap(gap, gap - half, gap + half)


def above(over: Mapping[str, Any]) -> tuple[str, ...]:
    """Say by which of the kept AUCs a map is surely above the map EVEN; () by none.

    Surely: the interval is above 0, and the gap is LEAST or more.
    """
    gaps = {words: AucGap(*over[key]) for key, words in COLUMNS.items() if key in over}
    return tuple(words for words, gap in gaps.items() if gap.low > 0 and gap.value >= LEAST)
