"""Films of a map: a head's layers one after the other, or a map as it changed while learning."""

from __future__ import annotations

import streamlit as st

from thingsviz.analysis.maps.volumes import Volumes
from thingsviz.explain.map_files import EpochMaps
from thingsviz.jobs.weights import kept_epochs
from thingsviz.ui import actions
from thingsviz.ui.attention import make_maps
from thingsviz.ui.attention.data import current_fingerprint, drawn_of
from thingsviz.ui.attention.pickers import MapView
from thingsviz.ui.attention.second_map import layers_of
from thingsviz.ui.attention.view import order_of
from thingsviz.ui.shell.frame import PageContext, guard, plain
from thingsviz.ui.shell.ui_state import Key

TITLES = {"layers": "Layers", "epochs": "Epochs of the training"}


def offer_film(page: PageContext, look: MapView) -> None:
    """Offer the films that this map can have; draw the one that is chosen as a GIF."""
    there = kinds_of(look)
    if not there:
        return
    kind = st.segmented_control(
        "As a film",
        there,
        format_func=TITLES.__getitem__,
        key=Key.W_MAP_FILM,
        help="One picture after the other, on one scale and with one camera, to save as a GIF.",
    )
    if kind == "layers":
        n = int(look.wanted.maps.facts()["n_layers"])
        _show(page, look, layers_of(look, n, page.store), "layers")
    elif kind == "epochs":
        _epochs(page, look)


def kinds_of(look: MapView) -> tuple[str, ...]:
    """Return which films there can be: several layers, several epochs whose weights were kept."""
    n = int(look.wanted.maps.facts().get("n_layers") or 0)
    layers = ("layers",) if look.wanted.by_head and n > 1 else ()
    return layers + (("epochs",) if len(kept_epochs(look.wanted.maps.job)) > 1 else ())


def _epochs(page: PageContext, look: MapView) -> None:
    from thingsviz.reports.film import epoch_volumes

    wanted = look.wanted
    there = EpochMaps(wanted.maps.job, wanted.maps.part, wanted.maps.target)
    there_of = there.facts().get("fingerprint")
    fresh = there_of == current_fingerprint(wanted.maps.job, page.store)
    if fresh and wanted.method in there.methods():
        place = (wanted.layer, look.head)
        several = epoch_volumes(there, page.store, wanted.method, place, look.choice.smoothing_mm)
        _show(page, look, several, "epochs")
        return
    n = len(kept_epochs(wanted.maps.job))
    st.info(f"There are no maps of this method of the {n} kept epochs.", icon=":material/info:")
    refused = plain(actions.refusal())
    icon, help_ = ":material/play_arrow:", refused or None
    label = "Make the maps of all kept epochs"
    if st.button(label, icon=icon, disabled=bool(refused), help=help_):
        with guard():
            make_maps.start_epochs(wanted.maps, wanted.method)
            st.rerun()


def subtitle_of(words: str, look: MapView, what: str) -> str:
    """Say of which head a film is; its layers are named picture by picture."""
    if not look.wanted.by_head:
        return words
    layer, head = f", layer {look.wanted.layer + 1}", f", head {look.head + 1}"
    return words.replace(layer, head if what == "layers" else layer + head, 1)


def _show(
    page: PageContext, look: MapView, film: tuple[Volumes, tuple[str, ...]], what: str
) -> None:
    several, names = film
    order = order_of("heads_gif", page, look, names)._replace(view=look.view)
    order = order._replace(subtitle=subtitle_of(order.subtitle, look, what))
    with st.spinner("Drawing the pictures …"):
        blob = drawn_of(several, order, page.store).blob
    st.image(blob, alt=f"{', '.join(names)}, one after the other")
    st.download_button(
        "Save as GIF",
        blob,
        file_name=f"{look.wanted.maps.job.name}_{what}_head{look.head + 1}.gif",
        mime="image/gif",
        icon=":material/download:",
        on_click="ignore",
    )
