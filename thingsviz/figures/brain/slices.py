"""Three planes through one voxel of a volume: which way up, what is in them, what colours."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from thingsviz.analysis.regions.regions import Regions
from thingsviz.core.space import Grid
from thingsviz.figures.base.style import (
    BETA_UNIT,
    Theme,
    diverging,
    layout,
    palette,
    symmetric_limit,
)

Voxel = tuple[int, int, int]
# name, the world axis it is cut across, the world axes to the right and up (0 x, 1 y, 2 z)
PLANES = (("sagittal", 0, 1, 2), ("coronal", 1, 0, 2), ("axial", 2, 0, 1))
# the letters at the low and high end of each world axis: the left of a picture is the left side of
# the brain ("neurological")
ENDS = (("L", "R"), ("P", "A"), ("I", "S"))


class SlicePlane(NamedTuple):
    """One slice: `image` (n_up, n_right), NaN outside the brain, row 0 lowest; its pixels' mm."""

    name: str
    at_mm: float
    image: NDArray[np.float32]
    right_mm: tuple[float, ...]
    up_mm: tuple[float, ...]
    cross_mm: tuple[float, float]
    letters: tuple[str, str, str, str]
    """At the left, right, bottom and top edge."""


class SlicesInfo(NamedTuple):
    """What the three linked slices show; values in `unit`, colours from −limit to +limit."""

    planes: tuple[SlicePlane, ...]
    voxel: Voxel
    mm: tuple[float, float, float]
    value: float | None
    region: str
    limit: float
    unit: str


def world_axes(grid: Grid) -> tuple[tuple[int, int], ...]:
    """For x, y, z: which voxel axis runs along it, and whether forwards (1) or backwards (−1).

    Exact where the affine is a scaled permutation; of an oblique grid, the nearest axes.
    """
    steps = grid.matrix[:3, :3] / grid.voxel_size
    left, found = {0, 1, 2}, []
    for world in range(3):
        axis = max(left, key=lambda a: abs(steps[world, a]))
        left.remove(axis)
        found.append((axis, 1 if steps[world, axis] >= 0 else -1))
    return tuple(found)


def start_voxel(mask: NDArray[np.bool_], weight: NDArray[np.floating] | None = None) -> Voxel:
    """Return where the crosshair begins: in the middle of the brain, or of its weightiest voxels.

    `weight` (n_voxels,) in C order of the mask, for instance the published noise ceiling; its top
    1 % count. One best voxel would be a lucky one, often at the rim.
    """
    inside = np.argwhere(mask)
    if weight is not None and np.isfinite(weight).any():
        inside = inside[weight >= np.nanpercentile(weight, 99)]
    place = inside[int(((inside - inside.mean(0)) ** 2).sum(1).argmin())]
    return int(place[0]), int(place[1]), int(place[2])


def brain_box(mask: NDArray[np.bool_], margin: int = 1) -> tuple[tuple[int, int], ...]:
    """Return the first and last index of the brain along each voxel axis, with a margin."""
    found = []
    for axis in range(3):
        there = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
        low, high = int(there[0]) - margin, int(there[-1]) + margin
        found.append((max(low, 0), min(high, mask.shape[axis] - 1)))
    return tuple(found)


def slices_info(
    volume: NDArray[np.floating],
    mask: NDArray[np.bool_],
    grid: Grid,
    voxel: Voxel | None = None,
    regions: Regions | None = None,
    limit: float | None = None,
) -> SlicesInfo:
    """Cut a volume (X, Y, Z) at a voxel; limit None: 98th percentile of |value| in the brain."""
    at = voxel or start_voxel(mask)
    shown = np.where(mask, volume, np.nan).astype(np.float32)
    axes = world_axes(grid)
    mm = [round(float(v), 2) for v in grid.to_mm(np.array(at))]
    planes = tuple(_plane(shown, grid, axes, at, spec) for spec in PLANES)
    value = round(float(shown[at]), 4) if mask[at] and np.isfinite(shown[at]) else None
    bound = symmetric_limit(volume[mask]) if limit is None else limit
    region = region_at(mask, regions, at)
    return SlicesInfo(
        planes, at, (mm[0], mm[1], mm[2]), value, region, float(f"{bound:.3g}"), BETA_UNIT
    )


def region_at(mask: NDArray[np.bool_], regions: Regions | None, voxel: Voxel) -> str:
    """Name the region of a voxel: '' outside the brain and where there is none."""
    if regions is None or not mask[voxel]:
        return ""
    flat = int(np.ravel_multi_index(voxel, mask.shape))
    label = int(regions.labels[np.count_nonzero(mask.ravel()[:flat])])
    return regions.names[label - 1] if label else ""


def _plane(
    shown: NDArray[np.float32],
    grid: Grid,
    axes: tuple[tuple[int, int], ...],
    at: Voxel,
    spec: tuple[str, int, int, int],
) -> SlicePlane:
    name, across, right, up = spec
    (fixed, _), (axis_right, sign_right), (axis_up, sign_up) = axes[across], axes[right], axes[up]
    image: NDArray[np.float32] = np.take(shown, at[fixed], axis=fixed)
    if axis_right < axis_up:  # the axis that is left of the other comes first: rows must be `up`
        image = image.T
    image = image[::sign_up, ::sign_right]
    right_mm, up_mm = _line(grid, at, axis_right, right), _line(grid, at, axis_up, up)
    return SlicePlane(
        name=name,
        at_mm=round(float(grid.to_mm(np.array(at))[across]), 2),
        image=np.round(image, 4),
        right_mm=right_mm[::sign_right],
        up_mm=up_mm[::sign_up],
        cross_mm=(right_mm[at[axis_right]], up_mm[at[axis_up]]),
        letters=(*ENDS[right], *ENDS[up]),
    )


def _line(grid: Grid, at: Voxel, axis: int, world: int) -> tuple[float, ...]:
    """Return the mm along `world` of the voxels on the line through `at` along a voxel axis."""
    line = np.tile(np.array(at), (grid.shape[axis], 1))
    line[:, axis] = np.arange(grid.shape[axis])
    return tuple(round(float(v), 2) for v in grid.to_mm(line)[:, world])


def describe(info: SlicesInfo) -> str:
    """Say in words what the crosshair is on, for titles and those who cannot see the picture."""
    x, y, z = info.mm
    value = "outside the brain" if info.value is None else f"{info.value:+.3g} {info.unit}"
    place = f" · {info.region}" if info.region else ""
    return f"x {x:g}, y {y:g}, z {z:g} mm · {value}{place}"


def draw_slices(info: SlicesInfo, theme: Theme, title: str = "") -> go.Figure:
    """Draw the three planes side by side at one scale, crosshair in each, one colour bar."""
    p = palette(theme)
    widths = [plane.right_mm[-1] - plane.right_mm[0] for plane in info.planes]
    data, notes, lines = [], [], []
    axes: dict[str, Any] = {}
    left, gap = 0.0, 0.02
    for index, plane in enumerate(info.planes):
        number = "" if index == 0 else str(index + 1)
        share = (1 - gap * (len(widths) - 1)) * widths[index] / sum(widths)
        data.append(_heatmap(plane, number, info, theme))
        axes |= _axes(plane, number, (left, left + share))
        notes += _letters(plane, number, p.text)
        lines += _cross(plane, number, p.text)
        left += share + gap
    look = layout(
        theme,
        title={"text": title or describe(info)},
        height=320,
        annotations=notes,
        shapes=lines,
        margin={"l": 8, "r": 8, "t": 48, "b": 28},
        **axes,
    )
    return go.Figure({"data": data, "layout": look}, skip_invalid=True)


def _heatmap(plane: SlicePlane, number: str, info: SlicesInfo, theme: Theme) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "name": plane.name,
        "z": plane.image,
        "x": list(plane.right_mm),
        "y": list(plane.up_mm),
        "xaxis": f"x{number}",
        "yaxis": f"y{number}",
        "zmin": -info.limit,
        "zmax": info.limit,
        "colorscale": diverging(theme),
        "showscale": number == "",
        "colorbar": {"title": {"text": _bar_title(info.unit)}, "thickness": 12, "len": 0.9},
        "hovertemplate": f"%{{x:g}}, %{{y:g}} mm: %{{z:.3g}} {info.unit}<extra></extra>",
        "hoverongaps": False,
    }


def _bar_title(unit: str) -> str:
    return f"beta<br>{unit}" if unit == BETA_UNIT else unit


def _axes(plane: SlicePlane, number: str, domain: tuple[float, float]) -> dict[str, Any]:
    hidden = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": ""}
    across = "xyz"[[name for name, *_ in PLANES].index(plane.name)]
    return {
        f"xaxis{number}": {
            **hidden,
            "domain": [round(domain[0], 4), round(min(domain[1], 1.0), 4)],
            "anchor": f"y{number}",
            "title": {
                "text": f"{plane.name}, {across} = {plane.at_mm:g} mm",
                "font": {"size": 12},
            },
        },
        f"yaxis{number}": {**hidden, "anchor": f"x{number}", "scaleanchor": f"x{number}"},
    }


def _letters(plane: SlicePlane, number: str, colour: str) -> list[dict[str, Any]]:
    places = ((0.0, 0.5), (1.0, 0.5), (0.5, 0.0), (0.5, 1.0))
    return [
        {
            "text": letter,
            "x": x,
            "y": y,
            "xref": f"x{number} domain",
            "yref": f"y{number} domain",
            "showarrow": False,
            "font": {"size": 12, "color": colour},
        }
        for letter, (x, y) in zip(plane.letters, places, strict=True)
    ]


def _cross(plane: SlicePlane, number: str, colour: str) -> list[dict[str, Any]]:
    x, y = plane.cross_mm
    line = {"type": "line", "line": {"color": colour, "width": 1, "dash": "dot"}}
    xref, yref = f"x{number}", f"y{number}"
    return [
        {**line, "x0": x, "x1": x, "y0": 0, "y1": 1, "xref": xref, "yref": f"{yref} domain"},
        {**line, "x0": 0, "x1": 1, "y0": y, "y1": y, "xref": f"{xref} domain", "yref": yref},
    ]
