"""The regions that a map lies in, each with the chance that turning the brain would give it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.analysis.maps import spin_null
from thingsviz.analysis.maps.by_region import Amount, counted, region_table
from thingsviz.analysis.regions.regions import Regions
from thingsviz.analysis.scores.resampling import false_discovery
from thingsviz.core.arrays import Array


def regions_beside_chance(
    mass: Array,
    uniform: Array,
    regions: Regions,
    amount: Amount,
    turned: spin_null.Rotations,
    ceiling: NDArray[np.floating] | None = None,
) -> pd.DataFrame:
    """Return `region_table` with p (turned regions) and q (false discovery); NaN where flat.

    mass, uniform (n_voxels,); ceiling (n_voxels,) in % of a single trial's variance.
    """
    rows = region_table(mass, uniform, regions, amount, ceiling)
    counts = counted(mass[None], amount)[0]
    rows["p"] = spin_null.p_values(counts, uniform, turned, len(regions.names))
    rows.loc[rows["uniform"] <= 0, "p"] = np.nan
    rows["q"] = false_discovery(rows["p"].to_numpy(float))
    return rows
