"""How many trials of each type a subject has in each session: one stacked bar a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import plotly.graph_objects as go

from thingsviz.figures.base.style import Theme, layout, palette

TYPES = ("train", "test", "catch")


class CountsInfo(NamedTuple):
    """What the picture shows: `numbers[type][i]` trials in `sessions[i]`."""

    sessions: tuple[str, ...]
    numbers: dict[str, tuple[int, ...]]


def counts_info(by_session: Mapping[str, Mapping[str, int]]) -> CountsInfo:
    """Take the store's counts {session: {type: number}}; types that nobody has are left out."""
    sessions = sorted(by_session, key=int)
    numbers = {t: tuple(int(by_session[s].get(t, 0)) for s in sessions) for t in TYPES}
    return CountsInfo(
        tuple(f"{int(s):02d}" for s in sessions), {t: n for t, n in numbers.items() if any(n)}
    )


def draw_counts(info: CountsInfo, theme: Theme) -> go.Figure:
    """Draw a stacked bar a session."""
    p = palette(theme)
    colours = {"train": p.series[0], "test": p.series[1], "catch": p.muted}
    data: list[dict[str, Any]] = [
        {
            "type": "bar",
            "name": kind,
            "x": list(info.sessions),
            "y": list(numbers),
            "marker": {"color": colours[kind]},
            "hovertemplate": f"session %{{x}}: %{{y}} {kind} trials<extra></extra>",
        }
        for kind, numbers in info.numbers.items()
    ]
    look = layout(
        theme,
        title={"text": "Trials by session and type"},
        barmode="stack",
        bargap=0.3,
        height=330,
        xaxis={"title": {"text": "session"}, "type": "category", "showgrid": False},
        yaxis={"title": {"text": "trials"}},
        legend={"traceorder": "normal"},
        margin={"l": 8, "r": 8, "t": 48, "b": 8},
    )
    return go.Figure({"data": data, "layout": look}, skip_invalid=True)
