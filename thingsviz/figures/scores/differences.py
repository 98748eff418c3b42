"""What two jobs differ by, property by property, with interval and corrected p."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from thingsviz.figures.base import style


class DifferenceInfo(NamedTuple):
    """One paired difference: the property, its value, interval and corrected p."""

    target: str
    difference: float
    low: float | None
    high: float | None
    p: float | None
    p_corrected: float | None


def differences_info(
    rows: Sequence[Mapping[str, Any]], by: str = "p_holm"
) -> list[DifferenceInfo]:
    """Take the rows of one pair: the mean first, then the properties, largest first."""
    found = [
        DifferenceInfo(r["target"], r["difference"], r["low"], r["high"], r["p"], r[by])
        for r in rows
    ]
    return sorted(found, key=lambda d: (d.target != "mean", -d.difference))


def draw_differences(
    infos: Sequence[DifferenceInfo], names: tuple[str, str], unit: str, theme: style.Theme
) -> go.Figure:
    """Draw a row a property: the difference with its interval, filled where p is below 5 %."""
    p = style.palette(theme)
    sure = [d.p_corrected is not None and d.p_corrected < 0.05 for d in infos]
    look = {"color": p.text, "thickness": 2, "width": 4}
    figure = go.Figure(
        go.Scatter(
            x=[d.difference for d in infos],
            y=["mean of all" if d.target == "mean" else d.target for d in infos],
            mode="markers",
            name="difference, 95 % interval",
            marker={
                "size": 11,
                "color": [p.prediction if s else p.background for s in sure],
                "line": {"width": 2, "color": p.prediction},
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [0 if d.high is None else d.high - d.difference for d in infos],
                "arrayminus": [0 if d.low is None else d.difference - d.low for d in infos],
                **look,
            },
            text=["–" if d.p_corrected is None else f"{d.p_corrected:.3f}" for d in infos],
            hovertemplate="%{y}: %{x:+.3f}, corrected p = %{text}<extra></extra>",
        )
    )
    figure.add_vline(0, line={"color": p.muted, "width": 1.5, "dash": "dash"})
    figure.update_layout(
        style.layout(
            theme,
            height=130 + 28 * max(len(infos), 1),
            showlegend=False,
            title={"text": f"{names[0]} minus {names[1]}"},
            xaxis={"title": {"text": f"Difference of {unit}"}},
            yaxis={"autorange": "reversed"},
        )
    )
    return figure
