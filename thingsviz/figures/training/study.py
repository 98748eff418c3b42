"""How a search for settings went: the best so far, curves of candidates, what matters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from thingsviz.figures.base import style
from thingsviz.jobs.learned import VALIDATION
from thingsviz.studies.rows import CandidateRow

# more curves than this are a thicket
MOST_CURVES = 60


class CandidatePoints(NamedTuple):
    """Candidates by number (from 1) with their values and names."""

    x: tuple[int, ...]
    y: tuple[float, ...]
    names: tuple[str, ...]


class HistoryInfo(NamedTuple):
    """Every candidate's value in its order, and the best of the search so far."""

    search: CandidatePoints
    random: CandidatePoints
    search_best: tuple[float, ...]
    random_best: tuple[float, ...]
    label: str


def history_info(
    rows: Sequence[CandidateRow], control: Sequence[CandidateRow], objective: str
) -> HistoryInfo:
    """Take the candidates of the study's search and of its random control."""
    ours, theirs = _points(rows), _points(control)
    best = min if objective == "validation_loss" else max
    running = [
        tuple(best(points.y[: i + 1]) for i in range(len(points.y))) for points in (ours, theirs)
    ]
    return HistoryInfo(ours, theirs, running[0], running[1], VALIDATION[objective])


def _points(rows: Sequence[CandidateRow]) -> CandidatePoints:
    done = sorted(
        (row.number + 1, row.value, row.job)
        for row in rows
        if row.state == "done" and row.value is not None
    )
    return CandidatePoints(
        tuple(x for x, _, _ in done), tuple(y for _, y, _ in done), tuple(n for *_, n in done)
    )


def draw_history(info: HistoryInfo, theme: style.Theme) -> go.Figure:
    """Draw candidates as dots and the best so far as steps, both searches on the same axes."""
    p = style.palette(theme)
    figure = go.Figure()
    parts = (
        ("study", info.search, info.search_best, p.series[0], "circle"),
        ("random search", info.random, info.random_best, p.series[1], "diamond-open"),
    )
    for name, points, best, colour, symbol in parts:
        if not points.x:
            continue
        figure.add_scatter(
            x=points.x,
            y=points.y,
            name=name,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 8},
            text=points.names,
            hovertemplate="%{text}: %{y:.4f}<extra></extra>",
        )
        figure.add_scatter(
            x=points.x,
            y=best,
            name=f"best so far, {name}",
            mode="lines",
            line={"color": colour, "shape": "hv", "width": 2},
            showlegend=False,
            hovertemplate="best so far %{y:.4f}<extra></extra>",
        )
    figure.update_layout(
        style.layout(
            theme,
            height=380,
            title={"text": "Candidates, and the best so far"},
            xaxis={"title": {"text": "Candidate"}} | _whole((*info.search.x, *info.random.x)),
            yaxis={"title": {"text": info.label}},
            legend=style.legend_below(),
            margin={"b": 90},
        )
    )
    return figure


def _whole(numbers: Iterable[int]) -> dict[str, Any]:
    """Return an axis's ticks at whole numbers, a dozen at most."""
    highest = max(numbers, default=1)
    return {"tick0": 1 if highest <= 12 else 0, "dtick": max(1, -(-highest // 12))}


class StudyCurvesInfo(NamedTuple):
    """The validation of each candidate over its epochs, the best one marked."""

    curves: tuple[tuple[str, str, tuple[int, ...], tuple[float, ...]], ...]
    best: str
    label: str


def epochs_info(rows: Sequence[CandidateRow], objective: str) -> StudyCurvesInfo:
    """Take candidates; (name, state, epochs, values) of each, the latest 60."""
    shown = [row for row in rows if row.epochs and row.attempt == _last(rows, row)][-MOST_CURVES:]
    done = [row for row in shown if row.state == "done" and row.value is not None]
    sign = -1 if objective == "validation_loss" else 1
    best = max(done, key=lambda row: sign * (row.value or 0.0), default=None)
    curves = tuple(
        (row.job, row.state, tuple(e for e, _ in row.epochs), tuple(v for _, v in row.epochs))
        for row in shown
    )
    return StudyCurvesInfo(curves, best.job if best else "", VALIDATION[objective])


def _last(rows: Sequence[CandidateRow], row: CandidateRow) -> int:
    """Return the number of the last attempt at a candidate, which has all its epochs."""
    return max(other.attempt for other in rows if other.number == row.number)


def draw_epochs(info: StudyCurvesInfo, theme: style.Theme) -> go.Figure:
    """Draw a thin line a candidate and a thick one for the best; pruned ones end early, dotted."""
    p = style.palette(theme)
    figure = go.Figure()
    for name, state, x, y in info.curves:
        best = name == info.best
        figure.add_scatter(
            x=x,
            y=y,
            name=f"{name} (best)" if best else name,
            mode="lines+markers",
            line={
                "color": p.series[0] if best else p.muted,
                "width": 3 if best else 1,
                "dash": "dot" if state == "pruned" else "solid",
            },
            marker={"size": 5, "symbol": "x" if state == "pruned" else "circle"},
            opacity=1 if best else 0.6,
            showlegend=best,
            hovertemplate=f"{name}, {state}, epoch %{{x}}: %{{y:.4f}}<extra></extra>",
        )
    figure.update_layout(
        style.layout(
            theme,
            height=380,
            title={"text": "Each candidate, epoch by epoch"},
            xaxis={"title": {"text": "Epoch"}}
            | _whole(e for _, _, x, _ in info.curves for e in x),
            yaxis={"title": {"text": info.label}},
            legend=style.legend_below(),
            margin={"b": 90},
        )
    )
    return figure


class ImportanceInfo(NamedTuple):
    """Settings with their share of what matters, the largest last."""

    names: tuple[str, ...]
    shares: tuple[float, ...]


def importance_info(importances: Mapping[str, float]) -> ImportanceInfo:
    """Sort the shares by the settings' titles, the largest last: bars grow upwards."""
    found = sorted(importances.items(), key=lambda item: item[1])
    return ImportanceInfo(tuple(n for n, _ in found), tuple(round(v, 4) for _, v in found))


def draw_importance(info: ImportanceInfo, theme: style.Theme) -> go.Figure:
    """Draw a bar a setting."""
    p = style.palette(theme)
    bar: Any = go.Bar(
        x=[100 * share for share in info.shares],
        y=info.names,
        orientation="h",
        marker={"color": p.series[0]},
        text=[f"{100 * share:.0f} %" for share in info.shares],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.1f} %<extra></extra>",
    )
    figure = go.Figure(bar)
    figure.update_layout(
        style.layout(
            theme,
            height=120 + 34 * len(info.names),
            title={"text": "Which settings matter"},
            xaxis={
                "title": {"text": "Share of the importance"},
                "ticksuffix": " %",
                "range": [0, 110 * max(info.shares, default=1.0)],
            },
        )
    )
    return figure
