"""How the Attention page is laid out: answers first, then the picture, then what they rest on."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from thingsviz.jobs.job_folder import JobFolder
from thingsviz.ui.attention import (
    evidence,
    film,
    make_maps,
    pickers,
    regions,
    second_map,
    summary,
    view,
)
from thingsviz.ui.attention.agreement import show_agreement
from thingsviz.ui.attention.data import shown
from thingsviz.ui.attention.pickers import MapView
from thingsviz.ui.attention.report_figure import show_report
from thingsviz.ui.shell.frame import PageContext, guard
from thingsviz.ui.trials.panels import show_picture, shown_trial

NO_DECODER = (
    "This training is a cross-validation: it has a decoder a fold and none of its own to look "
    "into. Train the same decoder with one split, or with one of the folds, and look here."
)


def show_job(page: PageContext, job: JobFolder) -> None:
    """Show the maps of a job that the visitor chooses, or offer to make them."""
    if job.config().split.is_cross_validation:
        st.info(NO_DECODER, icon=":material/info:")
        return
    bar = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    maps, row = pickers.pick_maps(page, job, bar)
    if maps is None or not make_maps.ready(page, maps):
        return
    asked = pickers.asked_of(page, maps)
    with bar:
        method = pickers.pick_method(maps, asked.method)
    answers = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        look = pickers.pick_look(page, maps, method, asked)
        second = second_map.pick_second(page, look)
    if not readable(look):
        make_maps.offer_button(maps, "Make the maps again")
        return
    picture = st.container()
    counted = show_grounds(page, look, answers)
    with picture, guard():
        view.show_heads(page, look, second)
        film.offer_film(page, look)
    show_more(page, look, row)
    if counted is not None:
        regions.show_files(page, look, counted)
    regions.offer_upload(page)


def readable(look: MapView) -> bool:
    """Read the map once; say in one sentence, not in every panel, why that cannot be."""
    done = False
    with guard():
        shown(look.wanted)
        done = True
    return done


def show_grounds(
    page: PageContext, look: MapView, answers: DeltaGenerator
) -> regions.CountedMap | None:
    """Show the answers and what they rest on, regions on the left and tests on the right."""
    counted = None
    left, right = st.columns(2, gap="large")
    with left, guard():
        counted = regions.show_regions(page, look)
        with answers:
            summary.show_story(page, look, counted.named)
    with right, guard():
        evidence.show_trust(page, look)
    return counted


def show_more(page: PageContext, look: MapView, row: int | None) -> None:
    """Show slices beside the trial's picture, all methods, and what is asked for now and then."""
    with guard():
        view.show_slices(page, look)
        if row is not None:
            show_picture(page, shown_trial(page, row))
    evidence.show_methods(look)
    with guard():
        show_report(page, look)
    with guard():
        show_agreement(page, look)
