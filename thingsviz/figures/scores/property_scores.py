"""One score for each property: the model's dot and interval beside mean, ridge and the limits."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go

from thingsviz.figures.base import style
from thingsviz.figures.scores.scores import (
    METRICS,
    SMALLER_IS_BETTER,
    ScoreInfo,
    ScoreQuestion,
    score_info,
)

SYMBOLS = {
    "chance": "line-ns-open",
    "mean": "x-thin-open",
    "ridge": "diamond-open",
    "ceiling": "triangle-right-open",
    "oracle": "star-open",
}


class PropertyScoresInfo(NamedTuple):
    """The scores of all properties under one question, best first."""

    model: str
    question: ScoreQuestion
    scores: tuple[ScoreInfo, ...]

    @property
    def targets(self) -> tuple[str, ...]:
        """The properties' short names, best first."""
        return tuple(score.question.target for score in self.scores)


def property_scores_info(
    scores: pd.DataFrame, model: str, question: ScoreQuestion
) -> PropertyScoresInfo:
    """Collect a model's score of every property; `question.target` is not looked at."""
    targets = [t for t in scores["target"].drop_duplicates() if t != "mean"]
    found = [score_info(scores, model, question._replace(target=str(t))) for t in targets]
    known = [score for score in found if score is not None]
    sign = 1 if question.metric in SMALLER_IS_BETTER else -1
    ordered = tuple(sorted(known, key=lambda score: sign * score.value))
    return PropertyScoresInfo(model, question, ordered)


def draw_property_scores(info: PropertyScoresInfo, theme: style.Theme) -> go.Figure:
    """Draw one row a property; the best stands at the top."""
    p = style.palette(theme)
    figure = go.Figure([*_references(info, p), _dots(info, p)])
    unit = METRICS[info.question.metric]
    rows = list(reversed(info.targets))
    figure.update_layout(
        style.layout(
            theme,
            height=190 + 30 * max(len(rows), 1),
            title={"text": f"{unit} of each property"},
            xaxis={"title": {"text": unit}},
            yaxis={"categoryorder": "array", "categoryarray": rows},
            legend=style.legend_below(),
        )
    )
    return figure


def _references(info: PropertyScoresInfo, p: style.Palette) -> list[go.Scatter]:
    labels: dict[str, str] = {r.model: r.label for s in info.scores for r in s.references}
    return [
        go.Scatter(
            x=[score.reference(model) for score in info.scores],
            y=info.targets,
            name=labels[model],
            mode="markers",
            marker={"symbol": symbol, "size": 10, "color": p.muted, "line": {"width": 2}},
            hovertemplate=f"%{{y}}, {labels[model]}: %{{x:.3f}}<extra></extra>",
        )
        for model, symbol in SYMBOLS.items()
        if model in labels
    ]


def _dots(info: PropertyScoresInfo, p: style.Palette) -> go.Scatter:
    up = [0.0 if s.high is None else max(s.high - s.value, 0) for s in info.scores]
    down = [0.0 if s.low is None else max(s.value - s.low, 0) for s in info.scores]
    return go.Scatter(
        x=[score.value for score in info.scores],
        y=info.targets,
        name=f"{info.model}, 95 % interval",
        mode="markers",
        marker={"size": 11, "color": p.prediction},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": up,
            "arrayminus": down,
            "color": p.prediction,
            "thickness": 2,
            "width": 4,
        },
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )
