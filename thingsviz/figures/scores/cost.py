"""What a score costs: seconds of training, parameters and memory against the score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from thingsviz.figures.base import style
from thingsviz.figures.scores.comparison import MARKS, colour
from thingsviz.figures.scores.scores import ScoreInfo, metric_name

AXES = {
    "seconds": "Seconds of training",
    "n_parameters": "Parameters",
    "peak_bytes": "Peak memory, MB",
}
MEGA = 1_000_000
NEARLY_ALIKE = 5


class CostRow(NamedTuple):
    """What one job took and reached; None where it does not say."""

    name: str
    score: float
    low: float | None
    high: float | None
    seconds: float | None
    n_parameters: int | None
    peak_bytes: int | None


class CostInfo(NamedTuple):
    """The jobs of a comparison against one kind of cost."""

    axis: str
    metric: str
    rows: tuple[CostRow, ...]
    ridge: float | None
    order: tuple[str, ...]


def cost_row(
    name: str, score: ScoreInfo, spent: tuple[float | None, int | None, int | None]
) -> CostRow:
    """Put a job's score beside what it took: (seconds, parameters, bytes)."""
    return CostRow(name, score.value, score.low, score.high, *spent)


def cost_info(axis: str, metric: str, rows: Sequence[CostRow], ridge: float | None) -> CostInfo:
    """Keep the jobs that say what they cost on this axis."""
    known = tuple(row for row in rows if cost_of(row, axis))
    return CostInfo(axis, metric, known, ridge, tuple(row.name for row in rows))


def cost_of(row: CostRow, axis: str) -> float | None:
    """Return a job's cost in the axis' unit."""
    value: float | None = getattr(row, axis)
    return value / MEGA if value is not None and axis == "peak_bytes" else value


def axis_of(info: CostInfo) -> dict[str, object]:
    """Return a log axis, or a plain one from zero where the costs are nearly alike.

    A log axis that spans less than a few-fold has no room for two labels.
    """
    costs = [cost for row in info.rows if (cost := cost_of(row, info.axis))]
    if len(costs) > 1 and max(costs) < NEARLY_ALIKE * min(costs):
        return {"rangemode": "tozero"}
    return {"type": "log", "dtick": "D2"}


def draw_cost(info: CostInfo, theme: style.Theme) -> go.Figure:
    """Draw a dot a job, the score against its cost."""
    p = style.palette(theme)
    figure = go.Figure()
    for row in info.rows:
        i = info.order.index(row.name)
        ups = 0.0 if row.high is None else max(row.high - row.score, 0)
        downs = 0.0 if row.low is None else max(row.score - row.low, 0)
        figure.add_scatter(
            x=[cost_of(row, info.axis)],
            y=[row.score],
            name=row.name,
            mode="markers",
            marker={"symbol": MARKS[i % len(MARKS)], "size": 13, "color": colour(i, theme)},
            error_y={"type": "data", "symmetric": False, "array": [ups], "arrayminus": [downs]},
            hovertemplate=f"{row.name}: %{{y:.3f}} for %{{x:,.3g}}<extra></extra>",
        )
    if info.ridge is not None:
        label = {"text": "ridge", "font": {"color": p.muted, "size": 12}}
        look = {"color": p.muted, "dash": "dot", "width": 1.5}
        figure.add_hline(info.ridge, line=look, annotation=label)
    unit = metric_name(info.metric)
    figure.update_layout(
        style.layout(
            theme,
            height=380,
            title={"text": "What the score cost"},
            xaxis={**axis_of(info), "title": {"text": AXES[info.axis]}},
            yaxis={"title": {"text": unit}},
            legend=style.legend_below(),
            margin={"b": 90},
        )
    )
    return figure
