"""The button that starts work: only on a sound form, and it says whom to ask without the role."""

from __future__ import annotations

import streamlit as st

from thingsviz.ui import actions
from thingsviz.ui.shell.frame import plain


def start_button(label: str, *, ready: bool) -> bool:
    """Show the button; True when somebody who may has pressed it on a form that is `ready`."""
    refused = actions.refusal()
    clicked = st.button(
        label,
        type="primary",
        icon=":material/play_arrow:",
        disabled=not ready or bool(refused),
    )
    if refused:
        st.caption(plain(f"{refused}."))
    return clicked and ready
