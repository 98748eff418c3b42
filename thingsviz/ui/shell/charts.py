"""How a figure comes onto a page: named for screen readers, exported as PNG or SVG offline."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from thingsviz.figures.base import style
from thingsviz.ui.shell.ui_state import Key

FORMATS = ("png", "svg")
# buttons that mean nothing on these pictures
DROPPED = ("select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d")


def image_format() -> str:
    """Let the visitor choose what the camera button of the figures saves."""
    found = st.segmented_control(
        "Figures are saved as",
        FORMATS,
        format_func=str.upper,
        required=True,
        default="png",
        key=str(Key.W_IMAGE_FORMAT),
        persist_state="session",
        help="The camera at the top right of each figure saves it to your computer: PNG for "
        "slides, SVG for papers. Nothing leaves this machine.",
    )
    return str(found or "png")


def show(
    figure: go.Figure,
    theme: style.Theme,
    name: str,
    *,
    alt: str,
    save_as: str = "png",
    **more: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """Show a figure; `name` is its key and its file's name, `alt` says what is to be seen."""
    background = style.palette(theme).background
    figure.update_layout(
        paper_bgcolor=background,
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": style.palette(theme).muted},
    )
    config = {
        "displaylogo": False,
        "modeBarButtonsToRemove": list(DROPPED),
        "toImageButtonOptions": {"format": save_as, "filename": name, "scale": 2},
    }
    return st.plotly_chart(
        figure, theme=None, key=f"w_figure_{name}", config=config, alt=alt, **more
    )
