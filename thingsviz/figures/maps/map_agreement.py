"""How alike maps are: a matrix over heads and methods, ordered so that kin stand near."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from scipy.cluster.hierarchy import dendrogram

from thingsviz.analysis.maps.planted_truth import agreement, head_rsa, linked, order_of
from thingsviz.core.arrays import Array
from thingsviz.figures.base import style


class MapAgreementInfo(NamedTuple):
    """Rank correlations and overlaps (of the top tenth) of maps, in the order of the picture."""

    names: tuple[str, ...]
    correlation: tuple[tuple[float, ...], ...]
    overlap: tuple[tuple[float, ...], ...]
    # of each joint: 1 − r (4) and places in the order (4)
    tree: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...] = ()
    words: str = "rank r"


def agreement_info(maps: dict[str, Array]) -> MapAgreementInfo:
    """Return how alike maps (n_tokens,) are."""
    r, dice, order = agreement(np.stack(list(maps.values())))
    names = list(maps)

    def rows(table: Array) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(round(float(v), 2) for v in row[order]) for row in table[order])

    return MapAgreementInfo(tuple(names[i] for i in order), rows(r), rows(dice), tree_of(r))


def head_profiles_info(profiles: dict[str, Array]) -> MapAgreementInfo:
    """Return how alike layers' head profiles (n_heads, n_regions) are, heads in any order."""
    r = head_rsa(list(profiles.values()))
    order, names = order_of(r), list(profiles)
    rows = tuple(tuple(round(float(v), 2) for v in row[order]) for row in r[order])
    return MapAgreementInfo(tuple(names[i] for i in order), rows, rows, tree_of(r), "RSA, rank r")


def tree_of(r: Array) -> tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]:
    """Return the joints of average linkage over 1 − r (n, n), leaves at 0, 1, 2 and so on."""
    if len(r) < 3:
        return ()
    found = dendrogram(linked(r), no_plot=True)
    joints = zip(found["dcoord"], found["icoord"], strict=True)
    # SciPy puts leaves at 5, 15, 25
    return tuple((tuple(d), tuple((i - 5) / 10 for i in at)) for d, at in joints)


def draw_agreement(info: MapAgreementInfo, theme: style.Theme) -> go.Figure:
    """Draw the matrix of correlations; the overlap stands in the pointer's words."""
    n = len(info.names)
    heat = go.Heatmap(
        z=[list(row) for row in info.correlation],
        x=list(range(n)),
        y=list(range(n)),
        text=[[f"{y} and {x}" for x in info.names] for y in info.names],
        customdata=[list(row) for row in info.overlap],
        zmin=-1,
        zmax=1,
        colorscale=style.diverging(theme),
        colorbar={"title": {"text": info.words}, "thickness": 12},
        hovertemplate="%{text}: r %{z:.2f}, overlap of the top tenth %{customdata:.2f}"
        "<extra></extra>",
    )
    figure = go.Figure(heat)
    for distance, place in info.tree:
        figure.add_scatter(
            x=distance,
            y=place,
            xaxis="x2",
            mode="lines",
            line={"color": style.palette(theme).muted, "width": 1.5},
            hoverinfo="skip",
            showlegend=False,
        )
    ticks = {"tickvals": list(range(n)), "ticktext": list(info.names), "showgrid": False}
    share = 0.84 if info.tree else 1.0
    figure.update_layout(
        style.layout(
            theme,
            height=160 + 22 * n,
            xaxis={**ticks, "tickangle": -50, "domain": [0, share], "zeroline": False},
            yaxis={**ticks, "range": [n - 0.5, -0.5], "zeroline": False},
            xaxis2={
                "domain": [min(share + 0.01, 0.99), 1],
                "title": {"text": "1 − r"},
                "showgrid": False,
                "rangemode": "tozero",
            },
        )
    )
    return figure
