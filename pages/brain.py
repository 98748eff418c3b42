"""3D brain: where a trial's response lies in space."""

import streamlit as st

from thingsviz.ui.brain.volume_view import show_volume, subject_of
from thingsviz.ui.shell.frame import guard, open_page
from thingsviz.ui.trials.panels import average_slider, shown_trial
from thingsviz.ui.trials.pickers import pick_trial

page = open_page(
    "3D brain",
    "See in space where the brain responded to a picture: surfaces to turn, or a rendered volume.",
)
with guard():
    trial = shown_trial(page, pick_trial(page))
    with st.container():  # always there, so that what follows keeps its place on the page
        average_slider(trial)
    show_volume(subject_of(page, trial.row, trial.averaged))
