"""Attention: where a decoder looks in the brain, and whether that means anything."""

import streamlit as st

from thingsviz.ui.attention import make as attention_make
from thingsviz.ui.attention import pick as attention_pick
from thingsviz.ui.attention import regions as attention_regions
from thingsviz.ui.attention.agreement import show_agreement
from thingsviz.ui.attention.report import show_report
from thingsviz.ui.attention.trust import show_trust
from thingsviz.ui.attention.view import offer_animation, show_heads, show_slices
from thingsviz.ui.frame import guard, open_page
from thingsviz.ui.scores import predictions_view
from thingsviz.ui.trials.panels import show_picture, shown_trial

page = open_page(
    "Attention",
    "See where a decoder looks in the brain, in which regions, and whether that means anything.",
)
with guard():
    job = predictions_view.pick_job(page)
    maps, row = attention_pick.pick_maps(page, job) if job else (None, None)
    if maps and attention_make.ready(maps, page.store):
        look = attention_pick.pick_look(page, maps)
        show_heads(page, look)
        offer_animation(page, look)
        left, right = st.columns([3, 2], gap="large")
        with left, guard():
            show_slices(page, look)
            if row is not None:
                show_picture(page, shown_trial(page, row))
        with right, guard():
            attention_regions.show_regions(page, look)
        show_trust(page, look)
        show_report(page, look)
        show_agreement(page, look)
