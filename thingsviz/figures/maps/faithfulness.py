"""Whether maps point to what a decoder uses: curves of taking blocks away, and sanity steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from thingsviz.figures.base import style


class FaithfulnessInfo(NamedTuple):
    """Agreement with the decoder's own outputs as blocks are taken away or put back."""

    shares: tuple[float, ...]  # %
    names: tuple[str, ...]
    deletion: tuple[tuple[float, ...], ...]
    insertion: tuple[tuple[float, ...], ...]


def curves_info(
    facts: Mapping[str, Any], method: str, title: str, plain: Sequence[str]
) -> FaithfulnessInfo:
    """Return the curves of one method beside those of the orders `plain` that are there."""
    found = [method, *[name for name in plain if name in facts["deletion"]]]
    return FaithfulnessInfo(
        shares=tuple(round(100 * share, 1) for share in facts["shares"]),
        names=(title, *found[1:]),
        deletion=tuple(tuple(round(v, 4) for v in facts["deletion"][n]) for n in found),
        insertion=tuple(tuple(round(v, 4) for v in facts["insertion"][n]) for n in found),
    )


def draw_curves(info: FaithfulnessInfo, theme: style.Theme) -> go.Figure:
    """Draw deletion on the left and insertion on the right."""
    p = style.palette(theme)
    colours = (p.prediction, p.muted, p.truth)
    figure = go.Figure()
    for axis, curves in (("", info.deletion), ("2", info.insertion)):
        for n, (name, values) in enumerate(zip(info.names, curves, strict=True)):
            figure.add_scatter(
                x=list(info.shares),
                y=list(values),
                name=name,
                legendgroup=name,
                showlegend=not axis,
                xaxis=f"x{axis}",
                yaxis=f"y{axis}",
                mode="lines+markers",
                line={"color": colours[n % 3], "width": 3 if n == 0 else 2},
                marker={"size": 5},
                hovertemplate=f"{name}: %{{y:.2f}} at %{{x:g}} %<extra></extra>",
            )
    figure.update_layout(
        style.layout(
            theme,
            height=280,
            margin={"t": 8, "b": 86},
            xaxis={"domain": [0, 0.46], "title": {"text": "taken away, %"}},
            xaxis2={
                "domain": [0.54, 1],
                "title": {"text": "put back, %"},
                "anchor": "y2",
                "gridcolor": p.grid,
            },
            yaxis={"title": {"text": "agreement (r)"}, "range": [-0.1, 1.05]},
            yaxis2={"range": [-0.1, 1.05], "anchor": "x2", "gridcolor": p.grid},
            legend=style.legend_below(),
        )
    )
    return figure


class SanityInfo(NamedTuple):
    """How alike a map stays to itself as weights are lost: from whole to all lost."""

    steps: tuple[str, ...]
    correlations: tuple[float | None, ...]


def sanity_info(steps: Sequence[Mapping[str, Any]]) -> SanityInfo:
    """Return the steps of `inference.judging.judge_sanity`, the whole decoder first."""
    values = [None if s["correlation"] is None else round(s["correlation"], 3) for s in steps]
    return SanityInfo(("nothing", *[f"+ {s['what']}" for s in steps]), (1.0, *values))


def draw_sanity(info: SanityInfo, theme: style.Theme) -> go.Figure:
    """Draw the correlation with the map of the whole decoder, step by step."""
    p = style.palette(theme)
    figure = go.Figure(
        go.Scatter(
            x=list(info.steps),
            y=list(info.correlations),
            mode="lines+markers",
            line={"color": p.prediction, "width": 3},
            hovertemplate="%{x}: %{y:.2f}<extra></extra>",
        )
    )
    figure.add_hline(0, line={"color": p.muted, "dash": "dot", "width": 1})
    figure.update_layout(
        style.layout(
            theme,
            height=230,
            margin={"t": 8, "b": 60},
            showlegend=False,
            xaxis={"title": {"text": "what the decoder has lost"}},
            yaxis={"title": {"text": "r with the map"}, "range": [-0.5, 1.05]},
        )
    )
    return figure
