"""How much of a map lies in each region: shares of voxels or mass, and what uniform would give.

A map is mass: (n_maps, n_voxels), not negative, in C order of the brain mask. Maps of dense tokens
have mass outside the brain too, the background's.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.analysis.regions.regions import Regions
from thingsviz.core.arrays import Array
from thingsviz.core.errors import ConfigError, DataError

NO_REGION = "in no region"
BACKGROUND = "background"
# % of a single trial's variance: below, a region's responses hold no signal worth the name
LEAST_CEILING = 1.0


class Amount(NamedTuple):
    """How much of a map counts: the top `value` voxels, the top `value` % of mass, or all."""

    by: Literal["voxels", "mass", "all"] = "all"
    value: float = 100.0


def check_map(mass: Array, n_voxels: int) -> Array:
    """Return a map as (n_maps, n_voxels), or say in one sentence what is wrong with it."""
    table = np.atleast_2d(np.asarray(mass, float))
    if table.shape[-1] != n_voxels:
        msg = (
            f"a map of {n_voxels:,} brain voxels was expected, but {table.shape[-1]:,} came: it "
            "is of another brain or grid; make it again from this job"
        )
        raise DataError(msg)
    bad = int((~np.isfinite(table)).sum())
    if bad:
        msg = f"the map has {bad:,} values that are no number: look for NaN in the betas"
        raise DataError(msg)
    if not n_voxels:
        msg = "the brain mask holds no voxel, so a map has no place: prepare the subject again"
        raise DataError(msg)
    size: Array = np.abs(table)
    return size


def counted(mass: Array, amount: Amount) -> Array:
    """Return what counts of each map, (n_maps, n_voxels): its mass, or 1 a voxel of the top.

    Voxels of equal value at the border (the rest of a patch) count in part, all alike: none of
    them is preferred by its place in the list.
    """
    if amount.by == "all":
        return mass
    if not 0 < amount.value <= (100 if amount.by == "mass" else mass.shape[1]):
        most = "100 %" if amount.by == "mass" else f"{mass.shape[1]:,} voxels"
        msg = f"the top {amount.value:g} was asked for: choose more than 0 and at most {most}"
        raise ConfigError(msg)
    return np.stack([_top(row, amount) for row in mass])


def _top(row: Array, amount: Amount) -> Array:
    values, place, n = np.unique(row, return_inverse=True, return_counts=True)
    step = values * n if amount.by == "mass" else n.astype(float)
    wanted = row.sum() * amount.value / 100 if amount.by == "mass" else amount.value
    before = np.cumsum(step[::-1])[::-1] - step  # what all larger values have already
    part = np.clip((wanted - before) / np.maximum(step, 1e-300), 0, 1)
    part[values == 0] = 0
    found: Array = (part * (values if amount.by == "mass" else 1.0))[place]
    return found


def threshold(row: Array, percent: float) -> float:
    """Return the value above which the top `percent` % of a map's mass lies."""
    ordered = np.sort(row)[::-1]
    total = np.cumsum(ordered)
    if not total.size or total[-1] <= 0:
        return 0.0
    at = int(np.searchsorted(total, total[-1] * percent / 100 * (1 - 1e-9)))
    return float(ordered[min(at, len(ordered) - 1)])


def shares(counts: Array, labels: NDArray[np.integer], n_regions: int) -> Array:
    """Return each region's share of what counts in the brain, (n_maps, 1 + n_regions).

    `labels` (n_voxels,): 0 = in no region. Rows sum to 1, unless nothing counts: then 0.
    """
    sums = np.stack([np.bincount(labels, row, 1 + n_regions) for row in counts])
    total = sums.sum(1, keepdims=True)
    found: Array = np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)
    return found


def region_table(
    mass: Array,
    uniform: Array,
    regions: Regions,
    amount: Amount,
    ceiling: NDArray[np.floating] | None = None,
) -> pd.DataFrame:
    """Return one map's regions beside uniform attention: shares, enrichment, noise ceiling.

    mass, uniform (n_voxels,); `ceiling` (n_voxels,) in % of a single trial's variance. A region
    of low ceiling that gets more than uniform attention is marked `no_signal`.
    """
    both = check_map(np.stack([mass, uniform]), len(regions.labels))
    n = len(regions.names)
    share = shares(counted(both[:1], amount), regions.labels, n)[0]
    flat = shares(both[1:], regions.labels, n)[0]
    voxels = np.bincount(regions.labels, minlength=1 + n)
    table = pd.DataFrame(
        {
            "region": [NO_REGION, *regions.names],
            "n_voxels": voxels,
            "share": share,
            "uniform": flat,
            "enrichment": np.divide(share, flat, out=np.full(1 + n, np.nan), where=flat > 0),
        }
    )
    table["ceiling"] = _ceilings(ceiling, regions.labels, voxels)
    table["no_signal"] = (table["ceiling"] < LEAST_CEILING) & (table["enrichment"] > 1.2)
    return table


def _ceilings(
    ceiling: NDArray[np.floating] | None, labels: NDArray[np.integer], n_voxels: NDArray[np.intp]
) -> Array:
    if ceiling is None:
        return np.full(len(n_voxels), np.nan)
    total = np.bincount(labels, np.nan_to_num(np.asarray(ceiling, float)), len(n_voxels))
    return np.asarray(total / np.maximum(n_voxels, 1))


def with_background(share: float, uniform: float, table: pd.DataFrame) -> pd.DataFrame:
    """Add what lies outside the brain: shares are of all mass then, brain and background."""
    inside, flat = 1 - share, 1 - uniform
    scaled = table.assign(share=table["share"] * inside, uniform=table["uniform"] * flat)
    enrichment = share / uniform if uniform > 0 else float("nan")
    row = {"region": BACKGROUND, "share": share, "uniform": uniform, "enrichment": enrichment}
    return pd.concat([scaled, pd.DataFrame([row])], ignore_index=True).assign(
        no_signal=lambda t: t["no_signal"].eq(True)
    )
