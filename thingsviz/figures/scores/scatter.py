"""True against predicted ratings of one property: a dot a trial, the identity, the fitted line."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from models.base.concepts import pearson
from thingsviz.figures.base import style


class ScatterTrial(NamedTuple):
    """Which trial a dot stands for; `n_averaged` > 1: the mean of that many repeats."""

    session: int
    run: int
    trial: int
    concept: str
    image_filename: str
    n_averaged: int


class ScatterInfo(NamedTuple):
    """The dots of one property, on its own rating scale."""

    target: str
    true: tuple[float, ...]
    predicted: tuple[float, ...]
    trials: tuple[ScatterTrial, ...]
    r: float | None
    slope: float | None
    intercept: float | None
    limits: tuple[float, float]


def scatter_info(predictions: pd.DataFrame, target: str) -> ScatterInfo:
    """Take rows of predictions.parquet of one part and one kind of averaging."""
    known = predictions.dropna(subset=[f"true_{target}", f"pred_{target}"])
    true = known[f"true_{target}"].to_numpy(float)
    predicted = known[f"pred_{target}"].to_numpy(float)
    slope, intercept, r = _line(true, predicted)
    return ScatterInfo(
        target=target,
        true=tuple(float(v) for v in np.round(true, 4)),
        predicted=tuple(float(v) for v in np.round(predicted, 4)),
        trials=tuple(trial_of(row) for row in known.itertuples(index=False)),
        r=r,
        slope=slope,
        intercept=intercept,
        limits=_limits(np.concatenate([true, predicted])),
    )


def trial_of(row: Any) -> ScatterTrial:  # noqa: ANN401
    """Return the trial of a row of predictions (a named tuple of `itertuples`)."""
    return ScatterTrial(
        session=int(row.session),
        run=int(row.run),
        trial=int(row.trial),
        concept=str(row.concept),
        image_filename=str(row.image_filename),
        n_averaged=int(row.n_averaged),
    )


def _line(
    true: np.ndarray, predicted: np.ndarray
) -> tuple[float | None, float | None, float | None]:
    """Least squares predicted = slope · true + intercept, and Pearson r; None where undefined."""
    if len(true) < 3 or _flat(true):
        return None, None, None
    slope = float(((true - true.mean()) * (predicted - predicted.mean())).mean() / true.var())
    r = None if _flat(predicted) else float(pearson(true, predicted))
    return slope, float(predicted.mean() - slope * true.mean()), r


def _flat(values: np.ndarray) -> bool:
    """Whether all values are one: its mean is rounded, so that the SD of many need not be 0."""
    return bool(np.ptp(values) <= 1e-9 * abs(values).max())


def _limits(values: np.ndarray) -> tuple[float, float]:
    """Both axes' range, with 5 % to spare."""
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    margin = 0.05 * (high - low or 1.0)
    return low - margin, high + margin


def draw_scatter(info: ScatterInfo, theme: style.Theme, unit: str) -> go.Figure:
    """Draw the dots; both axes have one range, so that shrinking to the mean is seen."""
    p = style.palette(theme)
    low, high = info.limits
    figure = go.Figure([_identity(info, p), _dots(info, p)])
    if info.slope is not None and info.intercept is not None:
        figure.add_trace(_fitted(info, p))
    figure.update_layout(
        style.layout(
            theme,
            height=460,
            title={"text": f"{info.target}: true and predicted"},
            xaxis={"range": [low, high], "title": {"text": f"True rating ({unit})"}},
            yaxis={"range": [low, high], "title": {"text": f"Predicted rating ({unit})"}},
            legend=style.legend_below(),
        )
    )
    return figure


def _dots(info: ScatterInfo, p: style.Palette) -> go.Scatter:
    return go.Scatter(
        x=info.true,
        y=info.predicted,
        mode="markers",
        name="trial" if all(t.n_averaged == 1 for t in info.trials) else "mean of repeats",
        text=[_words(trial) for trial in info.trials],
        marker={"color": p.prediction, "size": 8, "opacity": 0.65},
        hovertemplate="%{text}<br>true %{x:.2f}, predicted %{y:.2f}<extra></extra>",
    )


def _words(trial: ScatterTrial) -> str:
    name = trial.concept.replace("_", " ")
    if trial.n_averaged > 1:
        return f"{name}, mean of {trial.n_averaged} repeats"
    return f"{name}, session {trial.session} run {trial.run} trial {trial.trial}"


def _identity(info: ScatterInfo, p: style.Palette) -> go.Scatter:
    return go.Scatter(
        x=info.limits,
        y=info.limits,
        mode="lines",
        name="predicted = true",
        line={"color": p.muted, "dash": "dash", "width": 1.5},
        hoverinfo="skip",
    )


def _fitted(info: ScatterInfo, p: style.Palette) -> go.Scatter:
    assert info.slope is not None
    assert info.intercept is not None
    ends = (min(info.true), max(info.true))
    return go.Scatter(
        x=ends,
        y=tuple(info.slope * x + info.intercept for x in ends),
        mode="lines",
        name=f"fitted line, slope {info.slope:.2f}",
        line={"color": p.truth, "width": 2},
        hoverinfo="skip",
    )
