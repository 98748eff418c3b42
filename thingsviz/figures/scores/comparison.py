"""Several jobs in one picture: their curves, and the scores of each property side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from thingsviz.figures.base import style
from thingsviz.figures.scores.property_scores import SYMBOLS
from thingsviz.figures.scores.scores import (
    SMALLER_IS_BETTER,
    Reference,
    ScoreInfo,
    ScoreQuestion,
    metric_name,
    score_info,
)
from thingsviz.jobs.learned import VALIDATION

Clock = Literal["epochs", "seconds"]
CURVES = {**VALIDATION, "train_loss": "Training loss"}
FEW_EPOCHS = 15
MARKS = ("circle", "diamond", "square", "triangle-up", "cross", "hexagon")
# references that belong to the data and not to one of the jobs
SHARED = ("mean", "ridge", "ceiling", "oracle")


class JobCurve(NamedTuple):
    """One job's line: a point an epoch."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]


class OverlayInfo(NamedTuple):
    """The curves of several jobs over epochs, or over seconds since the first batch."""

    what: str
    clock: Clock
    curves: tuple[JobCurve, ...]
    order: tuple[str, ...]
    """All jobs of the comparison, which decides their colours in every figure."""


def overlay_info(
    rows: Mapping[str, Iterable[Mapping[str, Any]]], what: str, clock: Clock
) -> OverlayInfo:
    """Take each job's rows of metrics.jsonl; jobs without such a curve (linear ones) drop out."""
    curves = [_curve(name, list(found), what, clock) for name, found in rows.items()]
    known = tuple(curve for curve in curves if len(curve.x) > 1)
    return OverlayInfo(what, clock, known, tuple(rows))


def _curve(name: str, rows: list[Mapping[str, Any]], what: str, clock: Clock) -> JobCurve:
    started = next((row["time"] for row in rows if "time" in row), None)
    points = []
    for row in rows:
        value = row.get(what)
        if row.get("kind") != "epoch" or value is None or not math.isfinite(value):
            continue
        if clock == "epochs":
            points.append((float(row["epoch"]), float(value)))
        elif started is not None and "time" in row:
            points.append((round(float(row["time"]) - started, 3), float(value)))
    return JobCurve(name, tuple(x for x, _ in points), tuple(y for _, y in points))


def draw_overlay(info: OverlayInfo, theme: style.Theme) -> go.Figure:
    """Draw a line a job."""
    figure = go.Figure()
    for curve in info.curves:
        i = info.order.index(curve.name)
        figure.add_scatter(
            x=curve.x,
            y=curve.y,
            name=curve.name,
            mode="lines+markers",
            line={"color": colour(i, theme), "width": 2},
            marker={"symbol": MARKS[i % len(MARKS)], "size": 8},
            hovertemplate="%{y:.4f}",
        )
    unit = "Epoch" if info.clock == "epochs" else "Seconds of training"
    figure.update_layout(
        style.layout(
            theme,
            height=380,
            showlegend=True,  # a single curve is named too
            hovermode="x unified",
            title={"text": f"{CURVES[info.what]} of each job"},
            xaxis={"title": {"text": unit}, "rangemode": "tozero", **_whole(info)},
            yaxis={"title": {"text": CURVES[info.what]}},
            legend=style.legend_below(),
            margin={"b": 90},
        )
    )
    return figure


def _whole(info: OverlayInfo) -> dict[str, object]:
    """Label whole epochs only; many of them are left to plotly, which then labels whole ones."""
    last = max((x for curve in info.curves for x in curve.x), default=0)
    return {"dtick": 1} if info.clock == "epochs" and last <= FEW_EPOCHS else {}


def colour(i: int, theme: style.Theme) -> str:
    """Return the colour of the i-th job; it is the same in all figures of a comparison."""
    series = style.palette(theme).series
    return series[i % len(series)]


class JobScores(NamedTuple):
    """One job's scores, one a property, in the order of the picture."""

    name: str
    scores: tuple[ScoreInfo | None, ...]


class SideBySideInfo(NamedTuple):
    """The scores of several jobs, property by property, and what the data allow."""

    question: ScoreQuestion
    targets: tuple[str, ...]
    jobs: tuple[JobScores, ...]
    references: tuple[tuple[Reference, ...], ...]


def side_by_side_info(
    tables: Mapping[str, tuple[str, pd.DataFrame]], question: ScoreQuestion
) -> SideBySideInfo:
    """Take (model, scores) of each job; properties are in the order of the first job's scores.

    The mean over properties comes first. References are those of the first job: jobs that are
    comparable share them.
    """
    model, first = next(iter(tables.values()))
    targets = [str(t) for t in first["target"].drop_duplicates() if t != "mean"]
    infos = {t: score_info(first, model, question._replace(target=t)) for t in ["mean", *targets]}
    ranked = sorted(targets, key=lambda t: _sort_key(infos[t], question))
    order = ("mean", *ranked)
    jobs = [
        JobScores(name, tuple(score_info(table, m, question._replace(target=t)) for t in order))
        for name, (m, table) in tables.items()
    ]
    shared = [
        tuple(r for r in (info.references if info else ()) if r.model in SHARED)
        for info in (infos[t] for t in order)
    ]
    return SideBySideInfo(question, order, tuple(jobs), tuple(shared))


def _sort_key(info: ScoreInfo | None, question: ScoreQuestion) -> float:
    if info is None:
        return math.inf
    return info.value if question.metric in SMALLER_IS_BETTER else -info.value


def draw_side_by_side(info: SideBySideInfo, theme: style.Theme) -> go.Figure:
    """Draw a row a property with a dot and its interval for each job."""
    p = style.palette(theme)
    n, rows = len(info.jobs), list(range(len(info.targets)))
    figure = go.Figure(_shared_marks(info, p))
    for i, job in enumerate(info.jobs):
        shift = 0.26 * (i - (n - 1) / 2) / max(n - 1, 1) * 2
        figure.add_trace(_dots(job, [row + shift for row in rows], i, theme))
    unit = metric_name(info.question.metric)
    names = ["mean of all" if t == "mean" else t for t in info.targets]
    figure.update_layout(
        style.layout(
            theme,
            height=150 + (22 + 10 * n) * max(len(rows), 1),
            title={"text": f"{unit} of each property, 95 % intervals"},
            xaxis={"title": {"text": unit}},
            yaxis={"tickvals": rows, "ticktext": names, "autorange": "reversed"},
            legend=style.legend_below(),
            margin={"b": 100},
        )
    )
    return figure


def _dots(job: JobScores, y: list[float], i: int, theme: style.Theme) -> go.Scatter:
    known = [(at, score) for at, score in zip(y, job.scores, strict=True) if score is not None]
    ups = [0.0 if s.high is None else max(s.high - s.value, 0) for _, s in known]
    downs = [0.0 if s.low is None else max(s.value - s.low, 0) for _, s in known]
    look = {"color": colour(i, theme), "thickness": 2, "width": 3}
    return go.Scatter(
        x=[s.value for _, s in known],
        y=[at for at, _ in known],
        name=job.name,
        mode="markers",
        marker={"symbol": MARKS[i % len(MARKS)], "size": 9, "color": colour(i, theme)},
        error_x={"type": "data", "symmetric": False, "array": ups, "arrayminus": downs, **look},
        text=[s.question.target for _, s in known],
        hovertemplate=f"{job.name}, %{{text}}: %{{x:.3f}}<extra></extra>",
    )


def _shared_marks(info: SideBySideInfo, p: style.Palette) -> list[go.Scatter]:
    traces = []
    for model in SHARED:
        if any(job.scores and _is(job, model) for job in info.jobs):
            continue
        found = [(i, r) for i, row in enumerate(info.references) for r in row if r.model == model]
        if found:
            traces.append(
                go.Scatter(
                    x=[r.value for _, r in found],
                    y=[i for i, _ in found],
                    name=found[0][1].label,
                    mode="markers",
                    marker={
                        "symbol": SYMBOLS[model],
                        "size": 11,
                        "color": p.muted,
                        "line": {"width": 2},
                    },
                    hovertemplate=f"{found[0][1].label}: %{{x:.3f}}<extra></extra>",
                )
            )
    return traces


def _is(job: JobScores, model: str) -> bool:
    return any(score is not None and score.model == model for score in job.scores)
