"""What maps of several heads show side by side: levels by share of mass, limits, layout."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from thingsviz.analysis.maps.by_region import threshold
from thingsviz.analysis.maps.volumes import MOST_HEADS, Volumes
from thingsviz.core.arrays import Mask
from thingsviz.core.errors import ConfigError
from thingsviz.core.space import Grid

WINDOW = (940, 580)  # pixels of the scene on a laptop
CORE = 0.4  # of the share of mass: what is drawn solid inside the translucent surface


class HeadsChoice(NamedTuple):
    """What a visitor chose: share of mass drawn, one scale for all or not, smoothing (FWHM)."""

    percent: float = 20.0
    shared: bool = True
    smoothing_mm: float = 8.0


class HeadInfo(NamedTuple):
    """One map: what is drawn above `level` (translucent) and above `core` (solid)."""

    name: str
    level: float
    core: float
    limit: float
    n_voxels: int
    peak_mm: tuple[float, float, float]


class HeadsInfo(NamedTuple):
    """Several maps on one scale or each on its own; `percent` of each map's mass is drawn."""

    heads: tuple[HeadInfo, ...]
    choice: HeadsChoice
    rows: int
    columns: int


def layout_of(n: int) -> tuple[int, int]:
    """Return the rows and columns in which n pictures (4 : 3) fill a wide window best."""

    def use(columns: int) -> float:
        rows = math.ceil(n / columns)
        return min(WINDOW[0] / columns / 4, WINDOW[1] / rows / 3) * n / (rows * columns)

    columns = max(range(1, n + 1), key=use)
    return math.ceil(n / columns), columns


def heads_info(
    volumes: Volumes,
    mask: Mask,
    grid: Grid,
    names: tuple[str, ...],
    choice: HeadsChoice,
) -> HeadsInfo:
    """Return what will be drawn of smoothed volumes (n, X, Y, Z).

    `choice.shared`: one level and limit for all, from all maps together; else each has its own.
    """
    percent = choice.percent
    if not 0 < percent <= 100:
        msg = f"{percent:g} % of the mass was asked for: choose more than 0 and at most 100"
        raise ConfigError(msg)
    if not 0 < len(volumes) <= MOST_HEADS:
        msg = f"1 to {MOST_HEADS} maps can be shown side by side, but {len(volumes)} came"
        raise ConfigError(msg)
    inside = [v[mask].astype(float) for v in volumes]
    together = np.concatenate(inside)
    heads = []
    for name, volume, values in zip(names, volumes, inside, strict=True):
        of = together if choice.shared else values
        level, core = threshold(of, percent), threshold(of, CORE * percent)
        place = np.unravel_index(int(np.argmax(np.where(mask, volume, -1))), mask.shape)
        x, y, z = (round(float(v), 1) for v in grid.to_mm(np.array(place)))
        limit = max(float(of.max()), level * 1.01, 1e-9)
        n = int((values >= level).sum()) if level > 0 else 0
        heads.append(HeadInfo(name, level, core, limit, n, (x, y, z)))
    rows, columns = layout_of(len(heads))
    return HeadsInfo(tuple(heads), choice, rows, columns)


def describe(info: HeadsInfo) -> str:
    """Say what the surfaces are, in a sentence or two."""
    scale = (
        "one scale for all pictures: a map that is spread evenly shows little"
        if info.choice.shared
        else "each map on its own scale: colours of different heads cannot be compared"
    )
    percent, _, width = info.choice
    smooth = f", smoothed by {width:g} mm" if width else ""
    words = (
        f"Surfaces enclose the strongest {percent:g} % of the mass{smooth}; the solid core "
        f"holds the strongest {CORE * percent:g} %."
    )
    return f"{words} {scale[0].upper()}{scale[1:]}." if len(info.heads) > 1 else words
