"""How alike maps are: a matrix over heads and methods, ordered so that kin stand near."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from thingsviz.analysis.maps_truth import agreement
from thingsviz.figures import style

Array = NDArray[np.float64]


class AgreementInfo(NamedTuple):
    """Rank correlations and overlaps (of the top tenth) of maps, in the order of the picture."""

    names: tuple[str, ...]
    correlation: tuple[tuple[float, ...], ...]
    overlap: tuple[tuple[float, ...], ...]


def agreement_info(maps: dict[str, Array]) -> AgreementInfo:
    """Return how alike maps (n_tokens,) are."""
    r, dice, order = agreement(np.stack(list(maps.values())))
    names = list(maps)

    def rows(table: Array) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(round(float(v), 2) for v in row[order]) for row in table[order])

    return AgreementInfo(tuple(names[i] for i in order), rows(r), rows(dice))


def draw_agreement(info: AgreementInfo, theme: style.Theme) -> go.Figure:
    """Draw the matrix of correlations; the overlap stands in the pointer's words."""
    n = len(info.names)
    heat = go.Heatmap(
        z=[list(row) for row in info.correlation],
        x=list(info.names),
        y=list(info.names),
        customdata=[list(row) for row in info.overlap],
        zmin=-1,
        zmax=1,
        colorscale=style.diverging(theme),
        colorbar={"title": {"text": "rank r"}, "thickness": 12},
        hovertemplate="%{y} and %{x}: r %{z:.2f}, overlap of the top tenth %{customdata:.2f}"
        "<extra></extra>",
    )
    figure = go.Figure(heat)
    figure.update_layout(
        style.layout(
            theme,
            height=160 + 22 * n,
            xaxis={"tickangle": -50, "showgrid": False},
            yaxis={"autorange": "reversed", "showgrid": False},
        )
    )
    return figure
