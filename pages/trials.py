"""Trials: one showing of one picture: the picture, its ratings, the brain's response."""

import streamlit as st

from thingsviz.ui.shell.frame import guard, open_page
from thingsviz.ui.trials.panels import (
    show_picture,
    show_ratings,
    show_response,
    shown_trial,
)
from thingsviz.ui.trials.pickers import pick_trial

page = open_page(
    "Trials",
    "Step through single trials: the picture, its ratings, how the brain responded.",
)
with guard():
    trial = shown_trial(page, pick_trial(page))
    left, right = st.columns([2, 3], gap="large")
    with left, guard():
        show_picture(page, trial)
    with right, guard():
        show_ratings(page, trial)
    show_response(page, trial)
