"""How alike two jobs predict: correlation of their predictions, property by property, and dots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go

from thingsviz.figures.base import style
from thingsviz.figures.scores.scatter import ScatterTrial, trial_of


class AgreementRow(NamedTuple):
    """One property: r of the two predictions, r of the two errors; None where one is constant."""

    target: str
    predictions: float | None
    errors: float | None


class AgreementInfo(NamedTuple):
    """All properties, the one with the most alike predictions first."""

    names: tuple[str, str]
    rows: tuple[AgreementRow, ...]


def agreement_info(
    names: tuple[str, str], rows: Sequence[tuple[str, float, float]]
) -> AgreementInfo:
    """Take (property, r of predictions, r of errors) rows."""
    found = [AgreementRow(t, _known(p), _known(e)) for t, p, e in rows]
    ordered = sorted(
        found, key=lambda row: -(row.predictions if row.predictions is not None else -2)
    )
    return AgreementInfo(names, tuple(ordered))


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def draw_agreement(info: AgreementInfo, theme: style.Theme) -> go.Figure:
    """Draw two marks a property: how alike the predictions and how alike the errors are."""
    p = style.palette(theme)
    names = [row.target for row in info.rows]
    marks = [
        ("their predictions", [row.predictions for row in info.rows], p.prediction, "circle"),
        ("their errors", [row.errors for row in info.rows], p.truth, "diamond-open"),
    ]
    figure = go.Figure(
        [
            go.Scatter(
                x=values,
                y=names,
                name=name,
                mode="markers",
                marker={"size": 11, "color": colour, "symbol": symbol, "line": {"width": 2}},
                hovertemplate=f"%{{y}}, {name}: r = %{{x:.2f}}<extra></extra>",
            )
            for name, values, colour, symbol in marks
        ]
    )
    figure.update_layout(
        style.layout(
            theme,
            height=190 + 26 * max(len(names), 1),
            title={"text": "How alike the two are"},
            xaxis={"title": {"text": "Pearson r between the two"}, "range": [-1.05, 1.05]},
            yaxis={"autorange": "reversed"},
            legend=style.legend_below(),
            margin={"b": 90},
        )
    )
    return figure


class BothInfo(NamedTuple):
    """A dot a trial: what each of two jobs predicted of one property, and the truth."""

    target: str
    names: tuple[str, str]
    first: tuple[float, ...]
    second: tuple[float, ...]
    true: tuple[float, ...]
    trials: tuple[ScatterTrial, ...]


def both_info(
    first: pd.DataFrame, second: pd.DataFrame, names: tuple[str, str], target: str
) -> BothInfo:
    """Take two tables of predictions with the same trials in the same order."""
    columns = [first[f"pred_{target}"], second[f"pred_{target}"], first[f"true_{target}"]]
    a, b, true = (tuple(float(v) for v in column.round(4)) for column in columns)
    trials = tuple(trial_of(row) for row in first.itertuples(index=False))
    return BothInfo(target, names, a, b, true, trials)


def draw_both(info: BothInfo, theme: style.Theme) -> go.Figure:
    """Draw the dots, coloured by the true rating, and the line on which the two agree."""
    p = style.palette(theme)
    values = [*info.first, *info.second] or [0.0, 1.0]
    ends = (min(values), max(values))
    margin = 0.05 * (ends[1] - ends[0] or 1.0)
    span = [ends[0] - margin, ends[1] + margin]
    words = [
        f"{t.concept.replace('_', ' ')}, ses {t.session} run {t.run} trial {t.trial}"
        for t in info.trials
    ]
    look = {"color": p.muted, "dash": "dash", "width": 1.5}
    figure = go.Figure(
        [
            go.Scatter(x=ends, y=ends, mode="lines", name="the same", line=look, hoverinfo="skip"),
            go.Scatter(
                x=info.first,
                y=info.second,
                mode="markers",
                name="trial",
                text=[f"{w}<br>true {t:.2f}" for w, t in zip(words, info.true, strict=True)],
                marker={
                    "color": info.true,
                    "colorscale": "Cividis",
                    "size": 8,
                    "colorbar": {"title": {"text": "true"}, "thickness": 12},
                },
                hovertemplate="%{text}<br>%{x:.2f} and %{y:.2f}<extra></extra>",
            ),
        ]
    )
    figure.update_layout(
        style.layout(
            theme,
            height=420,
            showlegend=False,
            title={"text": f"{info.target}: what both predict"},
            xaxis={"title": {"text": info.names[0]}, "range": span},
            yaxis={"title": {"text": info.names[1]}, "range": span},
        )
    )
    return figure
