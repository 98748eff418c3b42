"""3D brain: where a trial's response lies in space."""

import streamlit as st

from thingsviz.ui.frame import guard, open_page
from thingsviz.ui.pickers import pick_trial
from thingsviz.ui.trialpanels import average_slider, shown_trial
from thingsviz.ui.volume_view import show_volume, subject_of

page = open_page(
    "3D brain",
    "See in space where the brain responded to a picture: surfaces to turn, or a rendered volume.",
)
with guard():
    trial = shown_trial(page, pick_trial(page))
    with st.container():  # always there, so that what follows keeps its place on the page
        average_slider(trial)
    show_volume(subject_of(page, trial.row, trial.averaged))
