"""A classifier's hits over k, beside what chance and the references hit; and what it mixes up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from thingsviz.analysis.scores.reference_rows import REFERENCE_ROWS
from thingsviz.figures.base import style
from thingsviz.figures.scores.scores import CLASS_REFERENCES

DASHES = {row.name: row.dash for row in REFERENCE_ROWS if row.dash}
MOST_SHOWN = 60


class TopCurve(NamedTuple):
    """Shares of hits at k = 1 … n_classes of one model; low and high where known."""

    label: str
    share: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


class TopInfo(NamedTuple):
    """What the picture of hits over k shows; `k` is the one chosen."""

    own: TopCurve
    chance: TopCurve
    references: tuple[TopCurve, ...]
    n_trials: int
    k: int


def top_info(
    curves: Iterable[Mapping[str, Any]], model: str, where: tuple[str, str], k: int
) -> TopInfo | None:
    """Take the curves of a job's scores for (part, averaging); None where there is none."""
    here = {
        str(curve["model"]): curve
        for curve in curves
        if (curve["part"], curve["n_averaged"]) == where
    }
    if model not in here or "chance" not in here[model]:
        return None
    own = here[model]
    others = [name for name in CLASS_REFERENCES if name in here and name != model]
    return TopInfo(
        TopCurve(model, _shares(own), *(_numbers(own, name) for name in ("low", "high"))),
        TopCurve(
            "chance", *(_numbers(own, name) for name in ("chance", "chance_low", "chance_high"))
        ),
        tuple(TopCurve(name, _shares(here[name])) for name in others),
        int(own["n_trials"]),
        k,
    )


def _shares(curve: Mapping[str, Any]) -> tuple[float, ...]:
    return tuple(hits / curve["n_trials"] for hits in curve["hits"])


def _numbers(curve: Mapping[str, Any], name: str) -> tuple[float, ...]:
    """Return a list of numbers; empty where any is unknown."""
    values = curve.get(name) or []
    return () if any(value is None for value in values) else tuple(map(float, values))


def draw_top(info: TopInfo, theme: style.Theme) -> go.Figure:
    """Draw shares of hits over k; k on a log axis, because the first few matter most."""
    p = style.palette(theme)
    figure = go.Figure()
    k = list(range(1, len(info.own.share) + 1))
    for curve, colour in ((info.chance, p.muted), (info.own, p.prediction)):
        if curve.low and curve.high:
            figure.add_trace(_band(k, curve, colour))
    figure.add_trace(_line(k, info.chance, "chance", p.muted, "solid", 1.5))
    for curve, colour in zip(info.references, p.series[1:], strict=False):
        label = CLASS_REFERENCES[curve.label][0]
        figure.add_trace(_line(k, curve, label, colour, DASHES[curve.label], 2))
    figure.add_trace(_line(k, info.own, info.own.label, p.prediction, "solid", 3))
    figure.add_trace(_chosen(info, p))
    axis = {"gridcolor": p.grid, "linecolor": p.grid, "zerolinecolor": p.grid}
    title = f"Hits among the first k of {len(k):,} classes, {info.n_trials:,} trials"
    figure.update_layout(
        style.layout(theme, height=400, hovermode="x unified", title={"text": title})
    )
    ticks = [n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if n <= len(k)]
    figure.update_xaxes(**axis, type="log", title_text="k, guesses allowed", tickvals=ticks)
    figure.update_yaxes(**axis, title_text="Share of trials hit", tickformat=".0%", range=[0, 1])
    return figure


def _band(k: list[int], curve: TopCurve, colour: str) -> go.Scatter:
    r, g, b = style.rgb(colour)
    return go.Scatter(
        x=[*k, *k[::-1]],
        y=[*curve.high, *curve.low[::-1]],
        fill="toself",
        fillcolor=f"rgba({r},{g},{b},0.18)",
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )


def _line(
    k: list[int], curve: TopCurve, label: str, colour: str, dash: str, width: float
) -> go.Scatter:
    return go.Scatter(
        x=k,
        y=curve.share,
        name=label,
        mode="lines",
        line={"color": colour, "dash": dash, "width": width},
        hovertemplate="%{y:.2%}",
    )


def _chosen(info: TopInfo, p: style.Palette) -> go.Scatter:
    return go.Scatter(
        x=[info.k],
        y=[info.own.share[info.k - 1]],
        mode="markers",
        marker={"color": p.prediction, "size": 13, "line": {"color": p.background, "width": 1.5}},
        hoverinfo="skip",
        showlegend=False,
    )


class ConfusionShares(NamedTuple):
    """How often trials of each class (rows) were called each class (columns), in shares."""

    names: tuple[str, ...]
    share: NDArray[np.float64]
    counts: tuple[int, ...]


def mixed_info(rows: pd.DataFrame) -> ConfusionShares | None:
    """Count first guesses; None for more classes than a picture can show, or fewer than 2."""
    names = sorted({*rows["true_class"], *rows["top_1"]})
    if not 2 <= len(names) <= MOST_SHOWN:
        return None
    table = pd.crosstab(rows["true_class"], rows["top_1"])
    counts = table.reindex(index=names, columns=names, fill_value=0).to_numpy(float)
    total = counts.sum(1)
    share = counts / np.maximum(total, 1)[:, None]
    return ConfusionShares(tuple(names), share, tuple(int(n) for n in total))


def draw_mixed(info: ConfusionShares, theme: style.Theme) -> go.Figure:
    """Draw the first guess against the truth, a square a pair of classes."""
    p = style.palette(theme)
    labels = [f"{name} ({n})" for name, n in zip(info.names, info.counts, strict=True)]
    figure = go.Figure(
        go.Heatmap(
            z=info.share,
            x=info.names,
            y=labels,
            zmin=0,
            zmax=max(float(info.share.max()), 0.01),
            colorscale=[[0, p.background], [1, p.prediction]],
            colorbar={"tickformat": ".0%", "thickness": 12},
            hovertemplate="%{y} was called %{x}: %{z:.0%}<extra></extra>",
        )
    )
    title = "First guess (columns) for each class (rows, with its trials)"
    height = 170 + 17 * len(info.names)
    figure.update_layout(style.layout(theme, height=height, title={"text": title}))
    axis = {"gridcolor": p.grid, "linecolor": p.grid, "tickfont": {"size": 11}, "dtick": 1}
    figure.update_xaxes(**axis, tickangle=-60)
    figure.update_yaxes(**axis, autorange="reversed", automargin=True)
    return figure
