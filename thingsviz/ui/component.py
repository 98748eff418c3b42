"""Our own views in the browser, and the one door to them: viewer/ holds their JavaScript."""

from __future__ import annotations

import zlib
from pathlib import Path

import streamlit.components.v1 as components

_VIEWER = components.declare_component("viewer", Path(__file__).parent / "viewer")


def show_slices_packet(packet: bytes, key: str) -> None:
    """Show the three linked slices of a packet (figures/slices_packet.py).

    Streamlit's browser side passes new bytes on only when a plain argument changes with them.
    """
    _VIEWER(view="slices", packet=packet, version=zlib.crc32(packet), key=key)


def show_link_button(label: str, key: str) -> None:
    """Show a button that copies the address of the page as it is when it is pressed."""
    _VIEWER(view="link", label=label, key=key)
