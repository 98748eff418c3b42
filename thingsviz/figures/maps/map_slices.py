"""Slices of a map over a grey background: only the strongest share of its mass is coloured."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from thingsviz.analysis.maps.by_region import threshold
from thingsviz.analysis.regions.regions import Regions
from thingsviz.core.space import Grid
from thingsviz.figures.base.style import Theme, diverging, palette
from thingsviz.figures.brain.slices import SlicesInfo, Voxel, draw_slices, slices_info
from thingsviz.figures.maps.map_regions import short

UNIT = "× mean"


class MapSlices(NamedTuple):
    """The map's slices (NaN below its level), those of what lies under it, and the level."""

    over: SlicesInfo
    under: SlicesInfo
    level: float


def map_slices_info(
    volume: NDArray[np.floating],
    under: NDArray[np.floating],
    mask: NDArray[np.bool_],
    grid: Grid,
    percent: float,
    regions: Regions | None = None,
) -> MapSlices:
    """Cut a map and what lies under it, both (X, Y, Z), at the map's strongest voxel."""
    inside = np.where(mask, volume, -np.inf)
    i, j, k = np.unravel_index(int(np.argmax(inside)), mask.shape)
    at: Voxel = (int(i), int(j), int(k))
    level = threshold(volume[mask].astype(float), percent)
    limit = max(float(volume[mask].max()), 1e-9)
    over = slices_info(volume, mask, grid, at, regions, limit)
    planes = tuple(
        plane._replace(image=np.where(plane.image >= level, plane.image, np.nan).astype("f4"))
        for plane in over.planes
    )
    shown = over._replace(planes=planes, unit=UNIT)
    return MapSlices(shown, slices_info(under, mask, grid, at), level)


def draw_map_slices(info: MapSlices, theme: Theme) -> go.Figure:
    """Draw three planes: the background in grey, the map above its level in colour on top."""
    p = palette(theme)
    figure = draw_slices(info.under, theme, title_of(info))
    top = draw_slices(info.over, theme)
    greys = [[0.0, p.surface], [1.0, p.grid]]  # faint: what counts lies on top
    figure.update_traces(colorscale=greys, showscale=False, hoverinfo="skip", hovertemplate=None)
    colours = diverging(theme)
    half = colours[len(colours) // 2 :]
    warm = [[n / (len(half) - 1), colour] for n, (_, colour) in enumerate(half)]
    for number, plane in zip(("", "2", "3"), info.over.planes, strict=True):
        across = {"sagittal": "x", "coronal": "y", "axial": "z"}[plane.name]
        figure.layout[f"xaxis{number}"].title.text = f"{across} = {plane.at_mm:.0f} mm"
    for trace in top.data:
        trace.update(colorscale=warm, zmin=0, zmax=info.over.limit)
        trace.colorbar.title = {"text": f"map,<br>{UNIT}", "font": {"size": 12}}
        figure.add_trace(trace)
    return figure


def title_of(info: MapSlices) -> str:
    """Say where the slices cross and what the map is there."""
    x, y, z = info.over.mm
    region = f" · {short(info.over.region)}" if info.over.region else ""
    value = "" if info.over.value is None else f" · {info.over.value:.1f} {UNIT}"
    return f"Strongest at x {x:.0f}, y {y:.0f}, z {z:.0f} mm{value}{region}"
