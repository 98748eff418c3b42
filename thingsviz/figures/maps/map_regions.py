"""How much of a map lies in each region, beside what uniform attention would give."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from thingsviz.analysis.maps.by_region import BACKGROUND, NO_REGION
from thingsviz.figures.base import style

MOST = 14


class RegionsInfo(NamedTuple):
    """Bars from the largest share to the smallest, in %, the background last.

    `marks` say what is special.
    """

    names: tuple[str, ...]
    shares: tuple[float, ...]
    uniform: tuple[float, ...]
    ceilings: tuple[float | None, ...]
    marks: tuple[str, ...]
    n_left_out: int


def regions_info(table: pd.DataFrame, most: int = MOST) -> RegionsInfo:
    """Return the bars of a region table (`analysis.maps.region_table` with p and q)."""
    there = table[(table["share"] > 0) | (table["uniform"] > 0)]
    if (there["region"] != NO_REGION).any():
        there = there[there["region"] != NO_REGION]  # its bar would dwarf those with a name
    outside = there["region"] == BACKGROUND  # last: it can be larger than all others together
    ordered = there[~outside].sort_values("share", ascending=False, kind="stable")
    shown = pd.concat([ordered.head(most), there[outside]])
    ceilings = [None if pd.isna(c) else round(float(c), 2) for c in shown["ceiling"]]
    return RegionsInfo(
        names=tuple(short(str(name)) for name in shown["region"]),
        shares=tuple(round(100 * float(v), 2) for v in shown["share"]),
        uniform=tuple(round(100 * float(v), 2) for v in shown["uniform"]),
        ceilings=tuple(ceilings),
        marks=tuple(_mark(row) for row in shown.to_dict("records")),
        n_left_out=len(there) - len(shown),
    )


def short(name: str, most: int = 28) -> str:
    """Return a region's name without underscores, cut where it is long."""
    plain = name.replace("_", " ")
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def _mark(row: dict[Any, Any]) -> str:
    if row["region"] == BACKGROUND:
        return f"{100 * float(row['share']):.1f} % of it"
    words = []
    if float(row.get("q", 1.0)) < 0.05:  # NaN is not
        words.append("more")
    if row.get("no_signal"):
        words.append("no signal")
    return ", ".join(words)


def draw_regions(info: RegionsInfo, theme: style.Theme, what: str) -> go.Figure:
    """Draw horizontal bars with a tick where uniform attention would be."""
    p = style.palette(theme)
    last = [name == BACKGROUND for name in info.names]
    doubtful = [o or "no signal" in m for o, m in zip(last, info.marks, strict=True)]
    known = ["–" if c is None else c for c in info.ceilings]
    bars = go.Bar(
        x=list(info.shares),
        y=list(info.names),
        orientation="h",
        name=what,
        text=list(info.marks),
        textposition=["inside" if beyond else "outside" for beyond in last],
        insidetextanchor="start",
        insidetextfont={"color": p.background, "size": 11},
        outsidetextfont={"color": p.muted, "size": 11},
        cliponaxis=False,
        marker={"color": [p.muted if bad else p.prediction for bad in doubtful]},
        customdata=list(zip(info.uniform, known, strict=True)),
        hovertemplate="%{y}: %{x:.2f} %<br>uniform attention: %{customdata[0]:.2f} %<br>"
        "noise ceiling: %{customdata[1]} %<extra></extra>",
    )
    ticks = go.Scatter(
        x=list(info.uniform),
        y=list(info.names),
        mode="markers",
        name="uniform attention would give",
        marker={"symbol": "line-ns", "size": 15, "line": {"width": 2.5, "color": p.text}},
        hovertemplate="uniform: %{x:.2f} %<extra></extra>",
    )
    figure = go.Figure([bars, ticks])
    named = [n for n, beyond in enumerate(last) if not beyond] or [0]
    top = max([*(max(info.shares[n], info.uniform[n]) for n in named), 1e-9])
    figure.update_layout(
        style.layout(
            theme,
            height=110 + 27 * len(info.names),
            title={"text": ""},
            margin={"t": 8, "b": 70},
            xaxis={"title": {"text": "share of the map, %"}, "range": [0, 1.25 * top]},
            yaxis={"autorange": "reversed"},
            legend=style.legend_below(),
        )
    )
    return figure
