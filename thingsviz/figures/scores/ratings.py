"""What people said of a concept: mean ratings with SD as bars, predictions beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import plotly.graph_objects as go

from thingsviz.core.typography import finite
from thingsviz.data.things.ratings import (
    LABEL_TARGETS,
    PROPERTIES,
    TARGETS_10,
    mean_column,
    rating_range,
    sd_column,
)
from thingsviz.figures.base.style import Theme, layout, palette

BAR_PX = 24
GROUP_PX = 62
# what shares an axis, and the axis' title
GROUPS: tuple[tuple[tuple[str, ...], str], ...] = (
    ((*TARGETS_10, "arousal"), "mean rating, 1 to 7"),
    (LABEL_TARGETS, "share of the raters, 0 to 1"),
    (("size",), "size, 0 (grain of sand) to 520 (aircraft carrier)"),
)
NAMES = {"consistency": "naming consistency", "be-moved": "be moved"}


class RatingBar(NamedTuple):
    """One property: mean and SD over the raters, the predicted mean; None where there is none."""

    name: str
    mean: float
    sd: float | None
    predicted: float | None
    meaning: str


class RatingGroup(NamedTuple):
    """The bars that share one axis from `low` to `high`."""

    title: str
    low: float
    high: float
    bars: tuple[RatingBar, ...]


class RatingsInfo(NamedTuple):
    """What the picture of one concept's ratings shows; `model` names who predicts."""

    concept: str
    model: str
    groups: tuple[RatingGroup, ...]


def ratings_info(
    trial: Mapping[str, Any], predicted: Mapping[str, float] | None = None, model: str = ""
) -> RatingsInfo:
    """Take a row of the trials table, and predictions by property on the ratings' own scales.

    Properties that the release lacks, or this concept, have no bar.
    """
    groups = [_group(trial, predicted or {}, names, title) for names, title in GROUPS]
    whose = model if any(bar.predicted is not None for g in groups for bar in g.bars) else ""
    return RatingsInfo(str(trial["concept"]), whose, tuple(g for g in groups if g.bars))


def _group(
    trial: Mapping[str, Any], predicted: Mapping[str, float], names: tuple[str, ...], title: str
) -> RatingGroup:
    bars = []
    for name in (name for name in PROPERTIES if name in names):
        mean = _rounded(trial.get(mean_column(name)))
        if mean is not None:
            sd, guess = _rounded(trial.get(sd_column(name))), _rounded(predicted.get(name))
            shown = NAMES.get(name, name)
            bars.append(RatingBar(shown, mean, sd, guess, rating_range(name).meaning))
    scale = rating_range(names[0])
    return RatingGroup(title, scale.low, scale.high, tuple(bars))


def _rounded(value: object) -> float | None:
    """Return a number as far as a reader can see it."""
    number = finite(value)
    return None if number is None else round(number, 3)


def draw_ratings(info: RatingsInfo, theme: Theme) -> go.Figure:
    """Draw one panel a scale, below each other, bars of the same thickness in all."""
    p = palette(theme)
    height = sum(_panel_px(group) for group in info.groups)
    traces: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    top = 1.0
    for index, group in enumerate(info.groups):
        number = "" if index == 0 else str(index + 1)
        bottom = top - _panel_px(group) / height
        axes |= _axes(group, number, (bottom + GROUP_PX / height, top))
        traces += [
            _truth(group, number, p.truth, p.text, index == 0),
            *_predictions(group, number, p.prediction, info.model, index == 0),
        ]
        top = bottom
    look = layout(
        theme,
        height=height + 44,
        barmode="group",
        bargap=0.28,
        bargroupgap=0.0,
        showlegend=bool(info.model),
        title={"text": f"Ratings of {readable(info.concept)}"},
        margin={"l": 8, "r": 14, "t": 44, "b": 0},
        **{key: _like(theme, key, axis) for key, axis in axes.items()},
    )
    # built from plain dicts: 1 ms, where plotly's own subplots and add_trace take 12
    return go.Figure({"data": traces, "layout": look}, skip_invalid=True)


def readable(concept: str) -> str:
    """Write a concept as words: `ferris_wheel` → `ferris wheel`."""
    return concept.replace("_", " ")


def _panel_px(group: RatingGroup) -> float:
    doubled = any(bar.predicted is not None for bar in group.bars)
    return GROUP_PX + BAR_PX * len(group.bars) * (1.35 if doubled else 1.0)


def _axes(group: RatingGroup, number: str, domain: tuple[float, float]) -> dict[str, Any]:
    return {
        f"xaxis{number}": {
            "range": [group.low, group.high],
            "title": {"text": group.title, "font": {"size": 12}, "standoff": 6},
            "anchor": f"y{number}",
            "zeroline": False,
            **({"dtick": 1} if group.high == 7 else {}),
        },
        f"yaxis{number}": {
            "domain": [max(domain[0], 0.0), domain[1]],
            "anchor": f"x{number}",
            "autorange": "reversed",
            "showgrid": False,
            "type": "category",
            # the three panels' bars begin at one line only if their labels take the same room
            "automargin": True,
            "ticklabelstandoff": 4,
        },
    }


def _like(theme: Theme, key: str, axis: dict[str, Any]) -> dict[str, Any]:
    """Give a further axis the colours of the first."""
    base: dict[str, Any] = layout(theme)[key[:5]]
    return base | axis


def _truth(group: RatingGroup, number: str, colour: str, line: str, first: bool) -> dict[str, Any]:
    bars = group.bars
    trace = _bars(group, number, colour, "people's mean ± SD", first)
    trace["x"] = [bar.mean - group.low for bar in bars]
    trace["customdata"] = [
        [bar.mean, "SD unknown" if bar.sd is None else f"SD {bar.sd:.2f}", bar.meaning]
        for bar in bars
    ]
    trace["hovertemplate"] = (
        "%{y}: %{customdata[0]:.2f} (%{customdata[1]})<br>%{customdata[2]}<extra></extra>"
    )
    if any(bar.sd is not None for bar in bars):
        spread = [bar.sd or 0.0 for bar in bars]
        trace["error_x"] = {"type": "data", "array": spread, "color": line, "thickness": 1.4}
    return trace


def _predictions(
    group: RatingGroup, number: str, colour: str, model: str, first: bool
) -> list[dict[str, Any]]:
    if all(bar.predicted is None for bar in group.bars):
        return []
    trace = _bars(group, number, colour, f"predicted by {model}", first)
    trace["x"] = [
        None if bar.predicted is None else bar.predicted - group.low for bar in group.bars
    ]
    trace["customdata"] = [bar.predicted for bar in group.bars]
    trace["hovertemplate"] = "%{y}, predicted: %{customdata:.2f}<extra></extra>"
    return [trace]


def _bars(group: RatingGroup, number: str, colour: str, name: str, legend: bool) -> dict[str, Any]:
    """Return what truth and prediction share; bars stand on the scale's low end, not on 0."""
    return {
        "type": "bar",
        "orientation": "h",
        "y": [bar.name for bar in group.bars],
        "base": group.low,
        "marker": {"color": colour},
        "name": name,
        "legendgroup": name,
        "showlegend": legend,
        "xaxis": f"x{number}",
        "yaxis": f"y{number}",
    }
