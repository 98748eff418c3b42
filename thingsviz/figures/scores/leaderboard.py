"""The leaderboard as a picture: a field a region and property, and the brain in their colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from thingsviz.figures.base import style

LEVEL = 0.05


class HeatInfo(NamedTuple):
    """Scores (n_regions, n_properties); a property's and a region's best stand first."""

    regions: tuple[str, ...]
    properties: tuple[str, ...]
    r: tuple[tuple[float | None, ...], ...]
    words: tuple[tuple[str, ...], ...]
    survives: tuple[tuple[bool, ...], ...]


def heat_info(board: pd.DataFrame) -> HeatInfo:
    """Arrange rows of one subject and one averaging."""
    table = board.pivot_table(index="region", columns="property", values="r", sort=False)
    regions = table.max(axis=1).sort_values(ascending=False).index
    properties = table.max(axis=0).sort_values(ascending=False).index
    rows: list[dict[str, Any]] = board.to_dict("records")  # type: ignore[assignment]
    cells = {(row["region"], row["property"]): row for row in rows}
    grid = [[cells.get((a, b)) for b in properties] for a in regions]
    return HeatInfo(
        tuple(map(str, regions)),
        tuple(map(str, properties)),
        tuple(tuple(None if c is None else float(c["r"]) for c in row) for row in grid),
        tuple(tuple("" if c is None else words_of(c) for c in row) for row in grid),
        tuple(tuple(c is not None and bool(c["q"] <= LEVEL) for c in row) for row in grid),
    )


def words_of(row: Mapping[str, Any]) -> str:
    """Return a row's score with all that belongs to it, in short lines."""
    low, high, ceiling = row["low"], row["high"], row["ceiling"]
    span = "no interval" if pd.isna(low) else f"95 % interval {low:.2f} to {high:.2f}"
    limit = "–" if pd.isna(ceiling) else f"{ceiling:.2f}"
    lines = [
        f"{readable(row['region'])}, {row['property']}: r {row['r']:.2f}",
        f"{span}; chance {row['chance']:.2f}, 95 % of it below {row['chance_high']:.2f}",
        f"permutation p {row['p']:.4f}, corrected q {row['q']:.3f}",
        f"noise ceiling of the ratings {limit}",
        f"{row['n_trials']:,} test trials of {row['n_concepts']:,} concepts, "
        f"{row['n_voxels']:,} voxels",
    ]
    return "<br>".join(lines).replace("-0.00", "0.00")


def readable(region: str) -> str:
    """Write a region's name as people do."""
    return region.replace("_", " ")


def draw_heat(info: HeatInfo, theme: style.Theme, title: str) -> go.Figure:
    """Draw the fields; a dot marks what survives the correction."""
    p = style.palette(theme)
    values = [abs(v) for row in info.r for v in row if v is not None]
    limit = max([*values, 0.1])
    figure = go.Figure(
        go.Heatmap(
            z=info.r,
            x=info.properties,
            y=[readable(region) for region in info.regions],
            customdata=info.words,
            zmin=-limit,
            zmax=limit,
            colorscale=style.diverging(theme),
            colorbar={"title": {"text": "r"}, "thickness": 12},
            hovertemplate="%{customdata}<extra></extra>",
            xgap=1,
            ygap=1,
        )
    )
    figure.add_trace(_dots(info, p))
    figure.update_layout(
        style.layout(
            theme,
            height=210 + 26 * len(info.regions),
            title={"text": title},
            yaxis={"autorange": "reversed", "showgrid": False},
            xaxis={"showgrid": False, "tickangle": -40},
            legend=style.legend_below(),
        )
    )
    return figure


def _dots(info: HeatInfo, p: style.Palette) -> go.Scatter:
    found = [
        (x, y)
        for y, row in zip(info.regions, info.survives, strict=True)
        for x, survives in zip(info.properties, row, strict=True)
        if survives
    ]
    return go.Scatter(
        x=[x for x, _ in found],
        y=[readable(y) for _, y in found],
        name="q ≤ 0.05 after correction for all fields",
        mode="markers",
        marker={
            "symbol": "circle",
            "size": 8,
            "color": p.text,
            "line": {"width": 1, "color": p.background},
        },
        hoverinfo="skip",
        showlegend=True,
    )


def region_volume(
    scores: dict[str, float], member: dict[str, NDArray[np.bool_]], n_voxels: int
) -> NDArray[np.float32]:
    """Return each voxel's best region's score, (n_voxels,); 0 in no region."""
    best = np.full(n_voxels, -np.inf, np.float32)
    for region, score in scores.items():
        best = np.where(member[region], np.maximum(best, np.float32(score)), best)
    return np.where(np.isfinite(best), best, 0).astype(np.float32)
