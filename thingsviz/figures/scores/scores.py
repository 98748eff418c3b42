"""A score among its references: a dot with its interval; ticks for chance, mean, ridge, limits."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from thingsviz.analysis.classes.hit_table import TOP, usual_top
from thingsviz.analysis.scores.reference_rows import REFERENCE_ROWS
from thingsviz.core.typography import finite
from thingsviz.figures.base import style

# by name: label and kind; in the order of the page
Labels = dict[str, tuple[str, str]]
REFERENCES: Labels = {
    row.name: (row.label, row.kind) for row in REFERENCE_ROWS if row.of != "classes"
}
CLASS_REFERENCES: Labels = {
    row.name: (row.label, row.kind) for row in REFERENCE_ROWS if row.of != "ratings"
}
METRICS = {
    "r": "Pearson r",
    "mse": "Mean squared error, scales as rated",
    "mae": "Mean absolute error, scales as rated",
    "mse_unit": "Mean squared error, scales 0 to 1",
    "mae_unit": "Mean absolute error, scales 0 to 1",
    "confidence": "Confidence (mean two-sided p)",
}
SMALLER_IS_BETTER = {"mse", "mae", "mse_unit", "mae_unit"}


def is_share(metric: str) -> bool:
    """Whether a score is the share of trials whose class was among the first k named."""
    return TOP.fullmatch(metric) is not None


def metric_name(metric: str) -> str:
    """Return what a reader calls a score."""
    found = TOP.fullmatch(metric)
    return METRICS[metric] if found is None else f"Top-{found.group(1)} share of hits"


def references_of(metric: str) -> Labels:
    """Return the references of a score by their name: label and kind."""
    return CLASS_REFERENCES if is_share(metric) else REFERENCES


class ScoreQuestion(NamedTuple):
    """Which rows of a job's tidy scores are asked for."""

    part: str = "test"
    n_averaged: str = "single"
    target: str = "mean"
    metric: str = "r"


class Reference(NamedTuple):
    """A reference row: its short name, what a reader calls it, its value and interval."""

    model: str
    label: str
    kind: str
    value: float
    low: float | None = None
    high: float | None = None


class ScoreInfo(NamedTuple):
    """One score with all that belongs beside it; None where the table has no number."""

    model: str
    question: ScoreQuestion
    value: float
    low: float | None
    high: float | None
    p: float | None
    n_trials: int
    n_concepts: int
    references: tuple[Reference, ...]
    hits: int | None = None
    """Of a share: how many trials it counts."""
    n_folds: int = 0
    """Of a cross-validation: over how many folds interval and p were found."""

    def reference(self, model: str) -> float | None:
        """Return the value of a reference row, if the job has it."""
        return next((r.value for r in self.references if r.model == model), None)


def answers(scores: pd.DataFrame, question: ScoreQuestion) -> pd.DataFrame:
    """Return the rows that answer a question, one a model."""
    asked = scores["part"].eq(question.part) & scores["n_averaged"].eq(question.n_averaged)
    asked &= scores["target"].eq(question.target) & scores["metric"].eq(question.metric)
    return scores[asked].drop_duplicates("model").set_index("model")


def score_info(scores: pd.DataFrame, model: str, question: ScoreQuestion) -> ScoreInfo | None:
    """Look up a model's score and its references; None where the job has no such score."""
    rows = answers(scores, question)
    if model not in rows.index:
        return None
    row = rows.loc[model]
    value = finite(row["value"])
    if value is None:
        return None
    return ScoreInfo(
        model=model,
        question=question,
        value=value,
        low=finite(row["low"]),
        high=finite(row["high"]),
        p=finite(row["p"]),
        n_trials=int(finite(row["n_trials"]) or 0),
        n_concepts=int(finite(row["n_concepts"]) or 0),
        references=tuple(
            r
            for name, words in references_of(question.metric).items()
            if name != model and (r := _reference(rows, name, words))
        ),
        hits=_hits(row),
        n_folds=int(finite(row.get("n_folds")) or 0),
    )


def _hits(row: Any) -> int | None:  # noqa: ANN401 (pandas: a Series or a frame)
    found = finite(row.get("hits"))
    return None if found is None else round(found)


def headline(scores: pd.DataFrame) -> ScoreQuestion:
    """Return the question whose answer stands for a job: mean r, or Top-10 of classes.

    Where there is no Top-10 because there are fewer classes: Top-1, as the field has it. A job
    of ratings names concepts as well, but what it learned is the ratings.
    """
    if scores["metric"].isin(METRICS.keys()).any():
        return ScoreQuestion()
    return naming_question(scores) or ScoreQuestion()


def naming_question(scores: pd.DataFrame) -> ScoreQuestion | None:
    """Return the question of Top-10, or of the smallest k with few classes; None without any."""
    best = usual_top(set(scores["metric"]))
    if best is None:
        return None
    asked = scores[scores["metric"].eq(best) & scores["part"].eq("test")]
    targets = asked["target"].drop_duplicates().tolist()
    return ScoreQuestion(metric=best, target="mean" if "mean" in targets else str(targets[0]))


def _reference(rows: pd.DataFrame, name: str, words: tuple[str, str]) -> Reference | None:
    """Return a reference row, None where it is missing or has no value."""
    if name not in rows.index:
        return None
    row = rows.loc[name]
    value = finite(row["value"])
    if value is None:
        return None
    return Reference(name, *words, value, finite(row["low"]), finite(row["high"]))


def span(info: ScoreInfo) -> tuple[float, float]:
    """Axis range that holds everything, with a margin; a correlation's always holds 0 and ½."""
    values = [info.value, *(r.value for r in info.references)]
    chance = [(r.low, r.high) for r in info.references if r.model == "chance"]
    values += [v for pair in ((info.low, info.high), *chance) for v in pair if v is not None]
    values += [0.0, 0.5] if info.question.metric == "r" else []
    values += [0.0] if is_share(info.question.metric) else []
    low, high = min(values), max(values)
    margin = 0.08 * (high - low or abs(high) or 1.0)
    return low - margin, high + margin


def label_levels(info: ScoreInfo, width_px: float = 560) -> tuple[int, ...]:
    """Place the references' names so that none covers another: 0, 1, … outwards from the axis.

    Even levels stand above the axis, odd ones below; a name takes about 7 px a letter of an axis
    that is `width_px` wide, and the first level with room is taken, from left to right.
    """
    low, high = span(info)
    ends: dict[int, float] = {}
    levels = {}
    for reference in sorted(info.references, key=lambda r: r.value):
        centre = (reference.value - low) / (high - low) * width_px
        half = 3.5 * len(reference.label) + 4
        level = next(n for n in range(99) if ends.get(n, -1e9) <= centre - half)
        ends[level] = centre + half
        levels[reference.model] = level
    return tuple(levels[reference.model] for reference in info.references)


def draw_score(info: ScoreInfo, theme: style.Theme) -> go.Figure:
    """Draw one horizontal axis: ticks and names of the references, the dot and its interval."""
    p = style.palette(theme)
    figure = go.Figure()
    levels = label_levels(info)
    _chance_band(figure, info, p)
    for reference, level in zip(info.references, levels, strict=True):
        figure.add_trace(_tick(reference, level, p))
    figure.add_trace(_dot(info, p))
    figure.add_hline(0, line={"color": p.grid, "width": 1}, layer="below")
    reach = 1.0 + 0.6 * (1 + max((level // 2 for level in levels), default=0))
    figure.update_layout(
        style.layout(
            theme,
            height=int(110 + 38 * reach),
            showlegend=False,
            margin={"r": 36},  # half of the longest name, at a reference that stands at the end
            title={
                "text": f"{metric_name(info.question.metric)}: {info.model} among its references"
            },
            xaxis={"range": span(info), "title": {"text": metric_name(info.question.metric)}},
            yaxis={"range": [-reach, reach], "visible": False, "fixedrange": True},
        )
    )
    return figure


def _chance_band(figure: go.Figure, info: ScoreInfo, p: style.Palette) -> None:
    """Shade where 95 % of shuffled worlds lie."""
    for reference in info.references:
        if reference.model == "chance" and reference.low is not None:
            band = {"fillcolor": p.muted, "opacity": 0.18, "line_width": 0, "layer": "below"}
            figure.add_vrect(reference.low, reference.high, **band)


def _tick(reference: Reference, level: int, p: style.Palette) -> go.Scatter:
    up = -1 if level % 2 else 1
    return go.Scatter(
        x=[reference.value] * 2,
        y=[-0.5 * up, (0.65 + 0.6 * (level // 2)) * up],
        mode="lines+text",
        text=["", reference.label],
        textposition="top center" if up > 0 else "bottom center",
        textfont={"color": p.muted, "size": 12},
        line={
            "color": p.muted,
            "width": 2,
            "dash": "dot" if reference.kind == "limit" else "solid",
        },
        hovertemplate=f"{reference.label}: %{{x:.3f}}<extra></extra>",
        name=reference.label,
        cliponaxis=False,
    )


def _dot(info: ScoreInfo, p: style.Palette) -> go.Scatter:
    return go.Scatter(
        x=[info.value],
        y=[0],
        mode="markers",
        marker={"color": p.prediction, "size": 15, "line": {"color": p.background, "width": 1.5}},
        error_x=_whisker(info, p),
        hovertemplate=f"{info.model}: %{{x:.3f}}<extra></extra>",
        name=info.model,
    )


def _whisker(info: ScoreInfo, p: style.Palette) -> dict[str, object] | None:
    if info.low is None or info.high is None:
        return None
    up, down = max(info.high - info.value, 0.0), max(info.value - info.low, 0.0)
    look = {"color": p.prediction, "thickness": 3, "width": 7}
    return {"type": "data", "symmetric": False, "array": [up], "arrayminus": [down], **look}
