"""The page's address: what a deep link asks for, and keeping it in step with what is shown."""

from __future__ import annotations

import streamlit as st

from thingsviz.ui.shell import ui_state
from thingsviz.ui.shell.ui_state import Key


def asked() -> dict[str, str]:
    """Return what the address asks for; {} when it only repeats what the page itself wrote there.

    A link, an edited address and the browser's back button differ from what was last written.
    """
    found = st.query_params.to_dict()
    return {} if found == ui_state.get(Key.QUERY) else found


def write(**values: str) -> None:
    """Put `values` into the address, all at once: one entry in the browser's history."""
    if st.query_params.to_dict() != values:
        st.query_params.from_dict(values)
    ui_state.put(Key.QUERY, dict(values))
