"""Our own views in the browser, and the one door to them: viewer/ holds their JavaScript."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from pathlib import Path

import streamlit.components.v1 as components


@functools.cache
def viewer() -> Callable[..., object]:
    """Declare our component when a page first shows it.

    Streamlit serves only what is declared while a page runs: the thread that warms the server
    imports this module first.
    """
    return components.declare_component("viewer", Path(__file__).parent / "viewer")


def show_slices_packet(packet: bytes, key: str) -> None:
    """Show the three linked slices of a packet (figures/slices_packet.py).

    Streamlit's browser side passes new bytes on only when a plain argument changes with them.
    """
    viewer()(view="slices", packet=packet, version=zlib.crc32(packet), key=key)


def show_link_button(label: str, key: str) -> None:
    """Show a button that copies the address of the page as it is when it is pressed."""
    viewer()(view="link", label=label, key=key)
