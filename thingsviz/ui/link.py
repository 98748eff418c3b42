"""The button that copies the page's address, so that a colleague sees the same view."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

FOLDER = Path(__file__).parent / "viewer"

_BUTTON = st.components.v2.component(
    "thingsviz_copy_link",
    html='<button type="button" class="copy-link"></button>',
    css=(FOLDER / "link.css").read_text("utf-8"),
    js=(FOLDER / "link.js").read_text("utf-8"),
)


def copy_link_button(label: str = "Copy link") -> None:
    """Show a button that copies the address of what is on the screen at that moment."""
    _BUTTON(data={"label": label}, key="copy_link", width="content")
