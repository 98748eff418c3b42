"""The look of every figure: colours of both themes, the diverging scale, fonts, layout."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Theme = Literal["light", "dark"]

FONT = '"Source Sans", "Source Sans Pro", "Segoe UI", "Helvetica Neue", Arial, sans-serif'
# the betas' unit, wherever a number or a colour bar shows one
BETA_UNIT = "% signal change"


class Palette(NamedTuple):
    """The named colours of a theme; `truth` and `prediction` mean the same on every page."""

    text: str
    muted: str
    grid: str
    background: str
    surface: str
    truth: str
    prediction: str
    positive: str
    negative: str
    series: tuple[str, ...]


_PALETTES: dict[Theme, Palette] = {
    "light": Palette(
        text="#1B2733",
        muted="#5B6875",
        grid="#E1E6EB",
        background="#FFFFFF",
        surface="#F2F5F8",
        truth="#0072B2",
        prediction="#D55E00",
        positive="#B2182B",
        negative="#2166AC",
        series=("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
    ),
    "dark": Palette(
        text="#E6EBF0",
        muted="#9AA7B4",
        grid="#2A3540",
        background="#10161C",
        surface="#1A232C",
        truth="#56B4E9",
        prediction="#E69F00",
        positive="#FF9E80",
        negative="#82BEF5",
        series=("#56B4E9", "#E69F00", "#2FBF97", "#E295C3", "#F0E442", "#8F7BFF"),
    ),
}

# Blue below zero, red above: the pair that the three common colour deficiencies keep apart.
# Light: ColorBrewer RdBu reversed, white at zero. Dark: the same hues, dark at zero, so that "no
# response" is the colour of the page and lightness grows with |beta| on both sides alike.
_DIVERGING: dict[Theme, tuple[str, ...]] = {
    "light": (
        "#053061",
        "#2166AC",
        "#4393C3",
        "#92C5DE",
        "#D1E5F0",
        "#F7F7F7",
        "#FDDBC7",
        "#F4A582",
        "#D6604D",
        "#B2182B",
        "#67001F",
    ),
    "dark": (
        "#C6E4FF",
        "#82BEF5",
        "#4794DB",
        "#2A6AA8",
        "#1F4269",
        "#1C2126",
        "#5C2A22",
        "#93402F",
        "#C9604A",
        "#F5937A",
        "#FFD2C2",
    ),
}


def palette(theme: Theme) -> Palette:
    """Return the named colours of a theme."""
    return _PALETTES[theme]


def diverging(theme: Theme) -> list[list[float | str]]:
    """Return the scale of signed values for plotly: [[0, colour], …, [1, colour]], zero at ½."""
    colours = _DIVERGING[theme]
    return [[i / (len(colours) - 1), colour] for i, colour in enumerate(colours)]


def rgb(colour: str) -> tuple[int, int, int]:
    """Return (red, green, blue), 0–255 each, of `#RRGGBB`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def diverging_table(theme: Theme, n: int = 255) -> NDArray[np.uint8]:
    """Return the same scale as a table (n, 3) of RGB; with odd `n` the middle is zero."""
    stops = np.array([rgb(colour) for colour in _DIVERGING[theme]], float)
    places = np.linspace(0, len(stops) - 1, n)
    channels = [np.interp(places, np.arange(len(stops)), stops[:, c]) for c in range(3)]
    table: NDArray[np.uint8] = np.rint(np.stack(channels, axis=1)).astype(np.uint8)
    return table


def symmetric_limit(values: NDArray[np.floating], percentile: float = 98.0) -> float:
    """Return the colour limit ±L of signed `values`: the percentile of |value|, never 0.

    Robust: one voxel at the edge of the brain does not pale all others. NaN counts as absent.
    """
    size = np.abs(values[np.isfinite(values)])
    limit = float(np.percentile(size, percentile)) if size.size else 0.0
    return limit if limit > 0 else 1.0


def layout(theme: Theme, **more: object) -> dict[str, Any]:
    """Return plotly's layout of a theme, `more` on top; give st.plotly_chart theme=None."""
    p = palette(theme)
    axis = {"gridcolor": p.grid, "linecolor": p.grid, "zerolinecolor": p.grid, "automargin": True}
    base: dict[str, Any] = {
        "font": {"family": FONT, "size": 13, "color": p.text},
        "title": {"font": {"size": 15, "color": p.text}, "x": 0, "xanchor": "left"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "colorway": list(p.series),
        "margin": {"l": 8, "r": 8, "t": 40, "b": 8},
        "xaxis": dict(axis),
        "yaxis": dict(axis),
        "legend": {
            "orientation": "h",
            "yanchor": "bottom",
            "y": 1.0,
            "x": 1.0,
            "xanchor": "right",
        },
        "hoverlabel": {"bgcolor": p.surface, "font": {"color": p.text, "family": FONT}},
    }
    for key, value in more.items():
        known = base.get(key)
        base[key] = known | value if isinstance(known, dict) and isinstance(value, dict) else value
    return base


def legend_below() -> dict[str, Any]:
    """Return a legend under the x axis, for figures of half a page: it never covers the title."""
    return {"y": 0, "yref": "container", "yanchor": "bottom", "x": 0, "xanchor": "left"}
