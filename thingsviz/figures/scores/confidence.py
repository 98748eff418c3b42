"""What a constant's 'confidence' is, over the ratio of spreads, and where each property stands."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from thingsviz.analysis.scores.metrics import constant_confidence
from thingsviz.figures.base import style

# the original study's own result (its section 3), and the ratio of spreads at which a constant
# reaches it
REPORT, RATIO = 0.5465, 0.864
N_POINTS = 120


class PropertyConfidence(NamedTuple):
    """A property: its ρ, the confidence of a constant in theory, the model's, and the mean's."""

    target: str
    rho: float
    constant: float
    model: float | None
    mean: float | None


class ConfidenceInfo(NamedTuple):
    """The curve (ρ, confidence) of a constant, and the properties on it, ρ ascending."""

    name: str
    curve: tuple[tuple[float, float], ...]
    standings: tuple[PropertyConfidence, ...]


def confidence_info(
    name: str, rho: dict[str, float], model: dict[str, float], mean: dict[str, float]
) -> ConfidenceInfo:
    """Place properties on the curve; values by target, ρ from `scoring.spread_ratio`."""
    known = {target: float(value) for target, value in rho.items() if np.isfinite(value)}
    standings = [
        PropertyConfidence(t, r, float(constant_confidence(r)), model.get(t), mean.get(t))
        for t, r in sorted(known.items(), key=lambda item: item[1])
    ]
    right = 1.15 * max([RATIO, *known.values()])
    x = np.linspace(0, right, N_POINTS)
    curve = tuple((float(a), float(b)) for a, b in zip(x, constant_confidence(x), strict=True))
    return ConfidenceInfo(name, curve, tuple(standings))


def draw_confidence(info: ConfidenceInfo, theme: style.Theme) -> go.Figure:
    """Draw the curve, a vertical pair of marks a property, and the original study's figure."""
    p = style.palette(theme)
    x, y = zip(*info.curve, strict=True)
    line = {"color": p.text, "width": 2}
    figure = go.Figure(
        go.Scatter(x=x, y=y, mode="lines", name="a constant: (2/π)·arctan(1/ρ)", line=line)
    )
    figure.add_trace(_marks(info, "mean", "mean predictor, scored", "x-thin-open", p.muted))
    figure.add_trace(_marks(info, "model", info.name, "circle", p.prediction))
    figure.add_trace(_report(p))
    figure.update_layout(
        style.layout(
            theme,
            height=400,
            title={"text": "Confidence of a prediction that looks at no brain"},
            xaxis={
                "title": {"text": "ρ = spread between concepts over spread between raters"},
                "range": [0, info.curve[-1][0]],
            },
            yaxis={"title": {"text": "Confidence"}, "tickformat": ".0%", "range": [0, 1]},
            legend=style.legend_below(),
        )
    )
    return figure


def _marks(info: ConfidenceInfo, which: str, name: str, symbol: str, colour: str) -> go.Scatter:
    known = [s for s in info.standings if getattr(s, which) is not None]
    return go.Scatter(
        x=[s.rho for s in known],
        y=[getattr(s, which) for s in known],
        text=[s.target for s in known],
        customdata=[s.constant for s in known],
        name=name,
        mode="markers",
        marker={"symbol": symbol, "size": 10, "color": colour, "line": {"width": 2}},
        hovertemplate="%{text}, ρ %{x:.2f}: %{y:.2%}<br>a constant: %{customdata:.2%}"
        f"<extra>{name}</extra>",
    )


def _report(p: style.Palette) -> go.Scatter:
    return go.Scatter(
        x=[RATIO],
        y=[REPORT],
        name=f"the original study: {100 * REPORT:.2f} %, a constant at ρ {RATIO}",
        mode="markers",
        marker={"symbol": "star-open", "size": 15, "color": p.truth, "line": {"width": 2}},
        hovertemplate="the original study's mean confidence %{y:.2%}<extra></extra>",
    )
