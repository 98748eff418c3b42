"""How a training went: losses, validation r and learning rate over its batches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from thingsviz.figures.base import style

# more points than this are drawn as means of neighbours: 2 s of a live page move 20 kB, not 2 MB
MAX_POINTS = 400


class LossCurve(NamedTuple):
    """Points of one line: `x` in training batches so far, `y` in the panel's unit."""

    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()


class LossCurvesInfo(NamedTuple):
    """What the picture of a training shows."""

    batches: LossCurve
    train: LossCurve
    validation: LossCurve
    correlation: LossCurve
    rate: LossCurve
    epochs: tuple[int, ...]
    best: int | None
    mean_loss: float | None
    loss_label: str
    score_label: str = "Validation r"


def curves_info(
    rows: Iterable[Mapping[str, Any]],
    loss_label: str = "Loss",
    mean_loss: float | None = None,
    best_by: str = "validation_loss",
) -> LossCurvesInfo:
    """Take rows of metrics.jsonl in order.

    `mean_loss` is the loss that predicting the mean of the training ratings has; `best_by` says
    which epoch's weights are kept: that of the lowest validation_loss or the highest validation_r
    (of classes: validation_top10, which then takes its panel).
    """
    rows = list(rows)
    classes = any("validation_top10" in row for row in rows)
    score = "validation_top10" if classes else "validation_r"
    steps = [row for row in rows if row.get("kind") == "step"]
    epochs = [row for row in rows if row.get("kind") == "epoch"]
    return LossCurvesInfo(
        batches=thinned(_curve(steps, "train_loss")),
        train=_curve(epochs, "train_loss"),
        validation=_curve(epochs, "validation_loss"),
        correlation=_curve(epochs, score),
        rate=thinned(_curve(steps or epochs, "lr")),
        epochs=tuple(int(row["epoch"]) for row in epochs),
        best=_best(epochs, best_by),
        mean_loss=mean_loss,
        loss_label=loss_label,
        score_label="Validation Top-10" if classes else "Validation r",
    )


def _curve(rows: list[Mapping[str, Any]], column: str) -> LossCurve:
    points = [(float(row.get("step") or 0), row.get(column)) for row in rows]
    known = [(x, float(y)) for x, y in points if y is not None and math.isfinite(y)]
    return LossCurve(tuple(x for x, _ in known), tuple(y for _, y in known))


def _best(epochs: list[Mapping[str, Any]], best_by: str) -> int | None:
    """Index of the epoch whose weights are kept: the last one that the training marked so.

    Rows of jobs that marked none are judged by their scores.
    """
    marked = [i for i, row in enumerate(epochs) if row.get("best") is True]
    if marked:
        return marked[-1]
    sign = 1 if best_by == "validation_loss" else -1
    scores = [(row.get(best_by), i) for i, row in enumerate(epochs)]
    known = [
        (sign * score, i) for score, i in scores if score is not None and math.isfinite(score)
    ]
    return min(known)[1] if known else None


def thinned(curve: LossCurve, most: int = MAX_POINTS) -> LossCurve:
    """Average neighbours until at most `most` points are left; short curves stay as they are."""
    width = math.ceil(len(curve.x) / most)
    if width <= 1:
        return curve
    parts = [slice(i, i + width) for i in range(0, len(curve.x), width)]
    mean = [(sum(curve.x[p]) / len(curve.x[p]), sum(curve.y[p]) / len(curve.y[p])) for p in parts]
    return LossCurve(tuple(x for x, _ in mean), tuple(y for _, y in mean))


def draw_curves(info: LossCurvesInfo, theme: style.Theme) -> go.Figure:
    """Draw three panels above each other, over the same batches."""
    figure = make_subplots(
        rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.07, row_heights=[0.56, 0.24, 0.2]
    )
    for trace, row in _traces(info, theme):
        figure.add_trace(trace, row, 1)
    p = style.palette(theme)
    if info.mean_loss is not None:
        figure.add_hline(
            info.mean_loss,
            row=1,
            col=1,
            line={"color": p.muted, "dash": "dot", "width": 1.5},
            annotation={"text": "predicting the mean", "font": {"color": p.muted, "size": 12}},
            annotation_position="top right",
        )
    figure.update_layout(
        style.layout(
            theme, height=520, hovermode="x unified", title={"text": "Training, batch by batch"}
        )
    )
    axis = {"gridcolor": p.grid, "linecolor": p.grid, "zerolinecolor": p.grid, "automargin": True}
    figure.update_xaxes(**axis, rangemode="tozero")
    figure.update_yaxes(**axis)
    for row, title in enumerate((info.loss_label, info.score_label, "Learning rate"), 1):
        figure.update_yaxes(title_text=title, row=row, col=1)
    figure.update_yaxes(exponentformat="e", nticks=4, rangemode="tozero", row=3, col=1)
    figure.update_xaxes(title_text="Training batches so far", row=3, col=1)
    return figure


def _traces(info: LossCurvesInfo, theme: style.Theme) -> list[tuple[go.Scatter, int]]:
    p = style.palette(theme)
    blue, orange, green = p.series[0], p.series[1], p.series[2]
    number = "%{y:.4f}"
    traces = [
        (_line(info.batches, "single batches", blue, number, width=1, opacity=0.4), 1),
        (_line(info.train, "training", blue, number, symbol="circle"), 1),
        (_line(info.validation, "validation", orange, number, symbol="diamond"), 1),
        (_line(info.correlation, info.score_label.lower(), green, "%{y:.3f}", symbol="square"), 2),
        (_line(info.rate, "learning rate", p.muted, "%{y:.2e}"), 3),
    ]
    traces = [(trace, row) for trace, row in traces if len(trace.x)]
    best = _star(info, p.text)
    return [*traces, (best, 1)] if best is not None else traces


def _line(
    curve: LossCurve, name: str, colour: str, number: str, symbol: str = "", **look: float
) -> go.Scatter:
    return go.Scatter(
        x=curve.x,
        y=curve.y,
        name=name,
        mode="lines+markers" if symbol else "lines",
        marker={"symbol": symbol or "circle", "size": 7},
        line={"color": colour, "width": look.get("width", 2)},
        opacity=look.get("opacity", 1.0),
        hovertemplate=number,
        showlegend=name not in {"validation r", "validation top-10", "learning rate"},
    )


def _star(info: LossCurvesInfo, colour: str) -> go.Scatter | None:
    if info.best is None or len(info.epochs) != len(info.validation.x):
        return None
    return go.Scatter(
        x=[info.validation.x[info.best]],
        y=[info.validation.y[info.best]],
        name="best epoch (its weights are kept)",
        mode="markers",
        marker={"symbol": "star-open", "size": 15, "color": colour, "line": {"width": 2}},
        hovertemplate=f"best: epoch {info.epochs[info.best]}",
    )
