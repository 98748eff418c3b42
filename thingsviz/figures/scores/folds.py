"""The score of every fold of a cross-validation, with the mean over folds and its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from thingsviz.figures.base import style
from thingsviz.figures.scores.comparison import MARKS, colour
from thingsviz.figures.scores.scores import ScoreInfo, is_share, metric_name

HEIGHT = 300
TITLE = "Score by fold: line and band are the mean and its 95 % interval"
DODGE = 0.14  # of the way to the next fold, between decoders
FEW_LETTERS = 90  # of all names together; more stand upright


class FoldSeries(NamedTuple):
    """One decoder: its score in each fold (None where it has none), the mean, its interval."""

    name: str
    values: tuple[float | None, ...]
    mean: float
    low: float | None
    high: float | None


class FoldsInfo(NamedTuple):
    """Decoders on the same folds; `chance` is the mean over folds of what guessing reaches."""

    metric: str
    names: tuple[str, ...]
    n_test: tuple[int, ...]
    series: tuple[FoldSeries, ...]
    chance: float | None


def fold_series(name: str, values: Sequence[float | None], score: ScoreInfo) -> FoldSeries:
    """Put a decoder's fold scores beside its score over all folds."""
    return FoldSeries(name, tuple(values), score.value, score.low, score.high)


def describe_folds(info: FoldsInfo) -> str:
    """Say in a sentence what the figure shows."""
    ranges = []
    for one in info.series:
        known = [value for value in one.values if value is not None]
        span = f"{min(known):.2f} to {max(known):.2f}" if known else "unknown"
        ranges.append(f"{one.name} {span}, mean {one.mean:.2f}")
    return f"{metric_name(info.metric)} in each of {len(info.names)} folds: {'; '.join(ranges)}"


def draw_folds(info: FoldsInfo, theme: style.Theme) -> go.Figure:
    """Draw a dot a fold and decoder, each mean as a line with its interval, chance dotted."""
    p = style.palette(theme)
    figure = go.Figure()
    alone = len(info.series) == 1
    for i, one in enumerate(info.series):
        hue = p.prediction if alone else colour(i, theme)
        _mean(figure, one, hue, banded=alone)
        aside = DODGE * (i - (len(info.series) - 1) / 2)
        figure.add_scatter(
            x=[place + aside for place in range(len(info.names))],
            y=one.values,
            customdata=list(zip(info.names, info.n_test, strict=True)),
            name=one.name,
            mode="markers",
            marker={
                "symbol": MARKS[i % len(MARKS)],
                "size": 11,
                "color": hue,
                "line": {"color": p.background, "width": 1},
            },
            hovertemplate=f"{one.name}, %{{customdata[0]}}: %{{y:.3f}}, "
            "%{customdata[1]:,} test trials<extra></extra>",
        )
    if info.chance is not None:
        label = {"text": "chance", "font": {"color": p.muted, "size": 12}}
        look = {"color": p.muted, "dash": "dot", "width": 1.5}
        figure.add_hline(info.chance, line=look, annotation=label)
    _lay_out(figure, info, theme, alone)
    return figure


def _mean(figure: go.Figure, one: FoldSeries, hue: str, *, banded: bool) -> None:
    """Draw a mean; bands of several decoders would cover each other."""
    figure.add_hline(one.mean, line={"color": hue, "width": 2}, layer="below")
    if banded and one.low is not None and one.high is not None:
        band = {"fillcolor": hue, "opacity": 0.14, "line_width": 0, "layer": "below"}
        figure.add_hrect(one.low, one.high, **band)


def _reach(info: FoldsInfo, alone: bool) -> tuple[float, float]:
    """Axis range that holds every fold, chance, zero and, where it is drawn, the band."""
    values = [value for one in info.series for value in one.values if value is not None]
    values += [0.0, *(one.mean for one in info.series), info.chance or 0.0]
    if alone:
        values += [end for one in info.series for end in (one.low, one.high) if end is not None]
    low, high = min(values), max(values)
    return low - 0.03 * (high - low) * (low < 0), high + 0.06 * (high - low or 1.0)


def _lay_out(figure: go.Figure, info: FoldsInfo, theme: style.Theme, alone: bool) -> None:
    shares = is_share(info.metric)
    long = sum(map(len, info.names)) > FEW_LETTERS
    ticks = {"tickvals": list(range(len(info.names))), "ticktext": info.names}
    figure.update_layout(
        style.layout(
            theme,
            height=HEIGHT if alone else HEIGHT + 60,
            showlegend=not alone,
            title={"text": TITLE if alone else "Score by fold, and the mean over folds as a line"},
            xaxis={**ticks, "tickangle": -45 if long else 0, "showgrid": False, "zeroline": False},
            yaxis={
                "title": {"text": metric_name(info.metric)},
                "tickformat": ".0%" if shares else "",
                "range": _reach(info, alone),
            },
            legend=style.legend_below(),
            margin={"b": 8 if alone else 90},
        )
    )
