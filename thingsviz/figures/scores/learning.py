"""Learning curves: a score over trials, repeats or voxels, its band, prediction and limits."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go

from thingsviz.core.typography import finite
from thingsviz.figures.base import style

AXES = {
    "trials": ("Training trials", "Score over training trials", "log"),
    "repeats": ("Repeats of an image averaged", "Score over repeats averaged", "linear"),
    "voxels": ("Voxels selected", "Score over voxels selected", "log"),
}


class LearningLine(NamedTuple):
    """One model's points, x ascending; `band` (low, high) where there are intervals."""

    model: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    words: tuple[str, ...]


class LearningInfo(NamedTuple):
    """One curve of one property or their mean; chance's 95 % end where it is known."""

    curve: str
    target: str
    lines: tuple[LearningLine, ...]
    ceiling: float | None
    chance: tuple[float, float, float] | None

    @property
    def n_points(self) -> int:
        """How many points the measured decoder has."""
        return len(self.lines[0].x) if self.lines else 0


def learning_info(rows: pd.DataFrame, curve: str, target: str) -> LearningInfo:
    """Take kept rows of learning curves; the decoder comes first, then the oracle."""
    own = rows[rows["curve"].eq(curve) & rows["target"].eq(target)]
    names = sorted(own["model"].unique(), key=lambda m: (m.startswith("oracle"), "," in m))
    lines = tuple(_line(own[own["model"] == name], str(name)) for name in names)
    top = rows[rows["model"].eq("ceiling") & rows["target"].eq(target)]["value"]
    known = own[own["model"].eq(names[0])] if names else own
    chance = _chance(known)
    return LearningInfo(curve, target, lines, finite(top.iloc[0]) if len(top) else None, chance)


def _chance(rows: pd.DataFrame) -> tuple[float, float, float] | None:
    last = rows.sort_values("x").tail(1)
    values = [finite(last[name].iloc[0]) for name in CHANCE] if len(last) else [None]
    found = [value for value in values if value is not None]
    return (found[0], found[1], found[2]) if len(found) == 3 else None


CHANCE = ("chance", "chance_low", "chance_high")


def _line(rows: pd.DataFrame, name: str) -> LearningLine:
    rows = rows.sort_values("x").dropna(subset=["value"])
    banded = rows["low"].notna().all() and rows["high"].notna().all()
    return LearningLine(
        name,
        tuple(rows["x"].astype(float)),
        tuple(rows["value"].astype(float)),
        tuple(rows["low"].astype(float)) if banded else (),
        tuple(rows["high"].astype(float)) if banded else (),
        tuple(_words(row) for row in rows.to_dict("records")),
    )


def _words(row: dict[object, object]) -> str:
    """Say of a point how sure it is and on what it rests."""
    low, high, p = (finite(row.get(name)) for name in ("low", "high", "p"))
    if low is None or high is None:
        return "expected from one repeat"
    p_text = "–" if p is None else f"{p:.3f}"
    draws = int(finite(row.get("draws")) or 1)
    several = f", mean of {draws} draws" if draws > 1 else ""
    return (
        f"95 % interval {low:.2f} to {high:.2f}, permutation p {p_text}<br>"
        f"{int(finite(row.get('n_trials')) or 0):,} test trials of "
        f"{int(finite(row.get('n_concepts')) or 0):,} concepts{several}"
    )


def draw_learning(info: LearningInfo, theme: style.Theme, simulated: bool) -> go.Figure:
    """Draw the lines with their bands, chance's range and the ceiling."""
    p = style.palette(theme)
    unit, title, scale = AXES[info.curve]
    figure = go.Figure()
    for line in info.lines:
        colour = p.truth if line.model.startswith("oracle") else p.prediction
        if len(line.low) > 1:
            figure.add_trace(_band(line, colour))
        figure.add_trace(_trace(line, colour))
    if info.chance is not None:
        _, low, high = info.chance
        figure.add_hrect(low, high, fillcolor=p.muted, opacity=0.15, line_width=0, layer="below")
        note = {"text": "95 % of chance", "font": {"color": p.muted, "size": 12}}
        figure.add_hline(0, line={"color": p.muted, "width": 1}, annotation=note)
    if info.ceiling is not None:
        note = {"text": "noise ceiling of the ratings", "font": {"color": p.muted, "size": 12}}
        look = {"color": p.muted, "dash": "dot", "width": 1.5}
        figure.add_hline(info.ceiling, line=look, annotation=note)
    what = "mean over properties" if info.target == "mean" else info.target
    suffix = " (SIMULATED)" if simulated else ""
    figure.update_layout(
        style.layout(
            theme,
            height=400,
            title={"text": f"{title}: {what}{suffix}"},
            xaxis={"title": {"text": unit}, "type": scale} | _ticks(info),
            yaxis={"title": {"text": "Pearson r on unseen concepts"}},
            legend=style.legend_below(),
        )
    )
    return figure


def _ticks(info: LearningInfo) -> dict[str, object]:
    """Write the measured places, and no others, on the axis."""
    places = list(info.lines[0].x) if info.lines else []
    return {"tickvals": places, "ticktext": [f"{place:,.0f}" for place in places]}


def _trace(line: LearningLine, colour: str) -> go.Scatter:
    expected = "," in line.model
    alone = len(line.x) == 1  # a band of one point would have no width
    return go.Scatter(
        x=line.x,
        y=line.y,
        name=line.model,
        customdata=line.words,
        mode="lines" if expected else "markers" if alone else "lines+markers",
        error_y=_ends(line) if alone and line.low else None,
        line={"color": colour, "width": 2, "dash": "dash" if expected else "solid"},
        marker={"size": 7},
        hovertemplate=f"{line.model}, %{{x:,}}: %{{y:.3f}}<br>%{{customdata}}<extra></extra>",
    )


def _ends(line: LearningLine) -> dict[str, object]:
    ups, downs = line.high[0] - line.y[0], line.y[0] - line.low[0]
    return {"type": "data", "symmetric": False, "array": [ups], "arrayminus": [downs]}


def _band(line: LearningLine, colour: str) -> go.Scatter:
    red, green, blue = style.rgb(colour)
    return go.Scatter(
        x=[*line.x, *reversed(line.x)],
        y=[*line.high, *reversed(line.low)],
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},0.16)",
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )
