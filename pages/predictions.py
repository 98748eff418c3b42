"""Predictions: what a decoder believes the person saw, beside what was rated."""

import streamlit as st

from thingsviz.ui.scores import classes_view, confidence_story, predictions_view, trial_predictions
from thingsviz.ui.shell.frame import guard, open_page

page = open_page(
    "Predictions",
    "Compare true with predicted ratings, and every score with what chance, a mean, a ridge and "
    "the data allow.",
    without_data=True,
)
with guard():
    job = predictions_view.pick_job(page)
    view = classes_view.open_view(page, job) if job else None
    if view:
        predictions_view.show_headline(view, page)
        st.subheader("Each property", anchor=False)
        left, right = st.columns(2)
        with left:
            predictions_view.show_properties(view, page)
        with right:
            clicked = predictions_view.show_scatter(view, page)
        predictions_view.show_table(view)
        predictions_view.show_export(view)
        st.subheader("Single trials", anchor=False)
        trial_predictions.show_best_and_worst(view, page)
        trial_predictions.show_one_trial(view, page, clicked)
        st.subheader("What 'confidence' says", anchor=False)
        confidence_story.show_confidence(view, page)
