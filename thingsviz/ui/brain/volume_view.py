"""The 3D view of a trial: settings, the scene to turn or the rendered picture, caption, PNG."""

from __future__ import annotations

import re
from typing import NamedTuple

import streamlit as st

from thingsviz.data.things.image_names import base_name
from thingsviz.figures.brain.caption import threshold_text
from thingsviz.figures.brain.draw_orders import DrawOrder, Kind
from thingsviz.figures.brain.volume import VolumeInfo
from thingsviz.ui.brain import stage, volume_data
from thingsviz.ui.brain.drawing import drawing_pool
from thingsviz.ui.brain.volume_data import Trials
from thingsviz.ui.brain.volume_form import PICTURE, SURFACES, VolumeView, choose_look, describe
from thingsviz.ui.caches.trial_cache import trial_index
from thingsviz.ui.shell.frame import PageContext, guard, plain
from thingsviz.ui.shell.glossary import glossary


class ShownTrials(NamedTuple):
    """Which trials of which data are shown, and what a caption says of them."""

    page: PageContext
    trials: Trials
    title: str
    subtitle: str

    @property
    def file_name(self) -> str:
        """The name of a picture of it, without spaces or what a file system would not like."""
        return re.sub(r"[^\w.+-]+", "_", self.title).strip("_")


def subject_of(page: PageContext, row: int, averaged: tuple[int, ...]) -> ShownTrials:
    """Return what is shown: the trial of a row, or the mean of the rows `averaged`."""
    index = trial_index(page.store)
    title = f"{page.dataset.name} · {page.subject} · {index.keys[row]}"
    mean = f"mean of {len(averaged)} showings" if len(averaged) > 1 else "single trial"
    subtitle = f"{base_name(index.images[row])} · {mean}"
    return ShownTrials(page, Trials(page.store, averaged), title, subtitle)


@st.fragment
def show_volume(subject: ShownTrials) -> None:
    """Show settings and view; changing a setting runs only this part of the page again."""
    frame = volume_data.frame(subject.page.store)
    look = choose_look(frame)
    with guard():
        info = volume_data.info_of(subject.trials, look.choice)
        if _nothing_to_see(look, info):
            return
        if look.kind == SURFACES:
            _show_surfaces(subject, look, info)
        else:
            _show_picture(subject, look)
    _say(info)


def _nothing_to_see(look: VolumeView, info: VolumeInfo) -> bool:
    """Say in one sentence why there is nothing to draw, if there is nothing."""
    if not look.show:
        st.info("No part is switched on: choose at least one under Parts.", icon=":material/info:")
        return True
    if not info.empty or (look.kind == SURFACES and "slices" in look.show):
        return False
    strongest = max(abs(info.highest.value), abs(info.lowest.value))
    st.info(
        plain(
            f"No voxel of this brain passes |beta| > {info.threshold:.3g} {info.unit} (the "
            f"strongest has {strongest:.3g}): choose a lower threshold."
        ),
        icon=":material/info:",
    )
    return True


def _show_surfaces(subject: ShownTrials, look: VolumeView, info: VolumeInfo) -> None:
    page = subject.page
    drawing_pool().warm()
    with st.spinner("Drawing …"):
        stage.viewer()  # the first time, this and the process' start take seconds: both at once
        reply = volume_data.drawn(subject.trials, _order("scene", subject, look))
    text = f"3D brain of {subject.title}, {subject.subtitle}. {threshold_text(info)}."
    stage.show_stage(reply, page.store.fingerprint, volume_data.frame(page.store), text)
    stage.send_look(look, info, page.theme)
    _download(subject, look, None)


def _show_picture(subject: ShownTrials, look: VolumeView) -> None:
    order = _order("volume", subject, look)
    with st.spinner("Drawing …"):
        picture = volume_data.drawn(subject.trials, order).blob
    st.image(picture, width="stretch", alt=f"Volume rendering of {subject.title}, {look.view}")
    _download(subject, look, picture)


def _order(kind: Kind, subject: ShownTrials, look: VolumeView) -> DrawOrder:
    """Return the order of a picture; the scene holds all parts, and its look is sent apart."""
    if kind == "scene":
        return DrawOrder(kind, subject.page.theme, look.choice, show=())
    shell = look.brain / 2 if kind == "volume" else look.brain  # it must not hide a volume
    opacity = {
        "brain": round(shell, 3),
        "positive": look.response,
        "negative": look.response,
        "volume": round(0.8 * look.response, 3),
    }
    return DrawOrder(
        kind=kind,
        theme=subject.page.theme,
        choice=look.choice,
        view=look.view,
        opacity=opacity,
        show=look.show,
        title=subject.title,
        subtitle=subject.subtitle,
        simulated=subject.page.simulated,
    )


def _download(subject: ShownTrials, look: VolumeView, picture: bytes | None) -> None:
    """Offer the picture as PNG, or the scene from the named view, drawn when asked for."""
    trials, order = subject.trials, _order("surfaces", subject, look)
    what = "volume" if look.kind == PICTURE else "surfaces"
    st.download_button(
        "Save as PNG",
        picture if picture is not None else lambda: volume_data.drawn(trials, order).blob,
        file_name=f"{subject.file_name}_{what}_{look.view}.png",
        mime="image/png",
        icon=":material/download:",
        on_click="ignore",
        help=f"1200 pixels wide, seen from '{look.view}', with a caption that says what it shows.",
    )


def _say(info: VolumeInfo) -> None:
    st.caption(
        plain(f"{threshold_text(info)}. {describe(info)}"),
        help=f"{glossary('beta')}\n\n{glossary('crosshair')}",
    )
