"""Where in the space of settings a search has looked: slices and parallel coordinates."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from thingsviz.figures.base import style
from thingsviz.jobs.learned import VALIDATION
from thingsviz.studies.rows import CandidateRow

PER_ROW = 3
# letters of a title beside the next one's at a window of 768 pixels: of 3 panels, of 6 lines
LETTERS, LETTERS_OF_LINES = 24, 18


class Axis(NamedTuple):
    """One setting: what it is called, a number for each candidate, and how the numbers read.

    `ticks` are (place, text); a logarithmic setting has the log10 of its value as place.
    """

    title: str
    places: tuple[float, ...]
    ticks: tuple[tuple[float, str], ...]
    is_log: bool


class SpaceInfo(NamedTuple):
    """Finished candidates: their values, names, and place on each setting's axis."""

    values: tuple[float, ...]
    names: tuple[str, ...]
    axes: tuple[Axis, ...]
    label: str
    higher_is_better: bool


def space_info(
    rows: Sequence[CandidateRow],
    logs: Mapping[str, bool],
    objective: str,
    titles: Mapping[str, str],
) -> SpaceInfo:
    """Take candidates; `logs` says of each setting of the space whether it is logarithmic.

    `titles` says what the settings are called.
    """
    done = [row for row in rows if row.state == "done" and row.value is not None]
    axes = tuple(
        _axis(titles[name], [row.params.get(name) for row in done], is_log)
        for name, is_log in logs.items()
    )
    values = tuple(float(row.value or 0.0) for row in done)
    names = tuple(row.job for row in done)
    return SpaceInfo(values, names, axes, VALIDATION[objective], objective != "validation_loss")


def _axis(title: str, found: list[Any], is_log: bool) -> Axis:
    numbers = [v for v in found if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) == len(found) and numbers:
        places = tuple(math.log10(v) if is_log else float(v) for v in numbers)
        return Axis(title, places, _number_ticks(numbers, is_log), is_log)
    options = sorted({_text(v) for v in found})
    ticks = tuple((float(i), option) for i, option in enumerate(options))
    return Axis(title, tuple(float(options.index(_text(v))) for v in found), ticks, False)


def _number_ticks(numbers: list[float], is_log: bool) -> tuple[tuple[float, str], ...]:
    """Return each of a few whole values, else four places from the lowest to the highest."""
    few = sorted(set(numbers))
    if len(few) <= 6 and all(isinstance(v, int) for v in few):
        return tuple((math.log10(v) if is_log else float(v), f"{v:,}") for v in few)
    low, high = (math.log10(v) if is_log else v for v in (few[0], few[-1]))
    steps = [low + (high - low) * i / 3 for i in range(4)] if high > low else [low]
    return tuple((step, f"{10**step if is_log else step:.2g}") for step in steps)


def _text(value: object) -> str:
    return "empty" if value is None else str(value)


def folded(title: str, letters: int = LETTERS) -> str:
    """Break a long title into lines that stand beside the next one's."""
    return "<br>".join(textwrap.wrap(title, letters, break_long_words=False))


def draw_slices(info: SpaceInfo, theme: style.Theme) -> go.Figure:
    """Draw a panel a setting: the value of each candidate over what it had there."""
    n_rows = -(-len(info.axes) // PER_ROW)
    figure = make_subplots(
        rows=n_rows,
        cols=min(PER_ROW, len(info.axes)),
        shared_yaxes=True,
        horizontal_spacing=0.04,
        vertical_spacing=0.32 / n_rows,
    )
    p = style.palette(theme)
    grid = {"gridcolor": p.grid, "linecolor": p.grid, "zerolinecolor": p.grid, "automargin": True}
    figure.update_layout(
        style.layout(
            theme,
            height=90 + 250 * n_rows,
            title={"text": "Setting by setting"},
            showlegend=False,
        )
    )
    figure.update_xaxes(**grid)
    figure.update_yaxes(**grid)
    for i, axis in enumerate(info.axes):
        row, col = i // PER_ROW + 1, i % PER_ROW + 1
        dots = go.Scatter(
            x=axis.places,
            y=info.values,
            mode="markers",
            marker={
                "size": 9,
                "color": list(range(len(info.values))),
                "colorscale": [[0, p.grid], [1, p.series[0]]],
                "line": {"color": p.muted, "width": 1},
            },
            text=info.names,
            hovertemplate="%{text}: %{y:.4f}<extra></extra>",
        )
        figure.add_trace(dots, row, col)
        places, texts = zip(*axis.ticks, strict=True) if axis.ticks else ((), ())
        title = folded(axis.title + (" (log)" if axis.is_log else ""))
        figure.update_xaxes(
            title_text=title, tickvals=places, ticktext=texts, tickangle=0, row=row, col=col
        )
        if col == 1:
            figure.update_yaxes(title_text=info.label, row=row, col=col)
    return figure


def draw_parallel(info: SpaceInfo, theme: style.Theme) -> go.Figure:
    """Draw each candidate as a line through its settings to its value, the better the stronger."""
    p = style.palette(theme)
    dimensions: list[dict[str, Any]] = [
        {
            "label": folded(axis.title, LETTERS_OF_LINES),
            "values": axis.places,
            "tickvals": [place for place, _ in axis.ticks],
            "ticktext": [text for _, text in axis.ticks],
        }
        for axis in info.axes
    ]
    dimensions.append({"label": info.label, "values": info.values, "tickformat": ".3f"})
    scale = [[0, p.muted], [1, p.series[0]]]
    lines = go.Parcoords(
        dimensions=dimensions,
        line={
            "color": info.values,
            "colorscale": scale if info.higher_is_better else [[0, p.series[0]], [1, p.muted]],
        },
        labelfont={"color": p.text, "size": 13},
        tickfont={"color": p.text, "size": 11},
        rangefont={"color": p.background, "size": 1},
        unselected={"line": {"color": p.grid, "opacity": 0.3}},
    )
    figure = go.Figure(lines)
    figure.update_layout(
        style.layout(
            theme,
            height=400,
            title={"text": "From settings to value"},
            margin={"l": 60, "r": 50, "t": 100, "b": 30},
        )
    )
    return figure
