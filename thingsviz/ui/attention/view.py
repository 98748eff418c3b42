"""The maps in the brain: all heads in one linked scene or rendered, and slices of one head."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import streamlit as st

from thingsviz.explain.map_methods import METHODS
from thingsviz.figures.base.style import palette
from thingsviz.figures.base.views import VIEWS, camera
from thingsviz.figures.brain.draw_orders import DrawOrder, DrawReply, Kind
from thingsviz.figures.brain.heads import describe, heads_info
from thingsviz.figures.maps.map_slices import draw_map_slices, map_slices_info
from thingsviz.ui.attention.data import drawn, drawn_of, shown, volumes
from thingsviz.ui.attention.pickers import MapView
from thingsviz.ui.attention.second_map import SecondMap, difference_words, pair
from thingsviz.ui.brain import stage, volume_data
from thingsviz.ui.brain.drawing import drawing_pool
from thingsviz.ui.brain.slices import regions
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import PageContext, guard, plain
from thingsviz.ui.shell.glossary import glossary
from thingsviz.ui.shell.ui_state import Key

HEIGHT = 470  # pixels: heads and the words above them fit one screen


def title_of(page: PageContext, look: MapView) -> tuple[str, str]:
    """Return what a picture is of, in two lines."""
    maps, method = look.wanted.maps, METHODS[look.wanted.method]
    made = maps.facts().get("made", {}).get(look.wanted.method, {})
    n = int(made.get("n_trials") or 0)
    layer = f", layer {look.wanted.layer + 1}" if look.wanted.by_head else ""
    above = ", only above uniform" if look.wanted.above else ""
    trials = f" · mean of {n:,} trials" if n > 1 else ""
    title = f"{page.dataset.name} · {page.subject} · {maps.job.name}"
    target = "" if maps.target == "all" else f" for {maps.target}"
    return title, f"{method.title}{layer}{above}{target} · {maps.part}{trials}"


def show_heads(page: PageContext, look: MapView, second: SecondMap | None) -> None:
    """Show all heads of the layer, in a scene to turn or as rendered volumes."""
    if second is not None:
        with guard():
            _show_pair(page, look, second)
        return
    found, choice, store = shown(look.wanted), look.choice, page.store
    which = slice(look.head, look.head + 1) if look.only else slice(None)
    names = found.names[which]
    if look.only:
        choice = choice._replace(shared=False)
    several = volumes(look.wanted, choice.smoothing_mm)[which]
    info = heads_info(several, store.mask, store.grid, names, choice)
    order = order_of("heads_picture" if look.rendered else "heads", page, look, names)
    with guard():
        if look.rendered:
            _show_picture(page, look, order)
        else:
            drawing_pool().warm()
            with st.spinner("Drawing …"):
                stage.viewer()
                reply = drawn(look.wanted, order, look.head if look.only else None)
            _show_scene(page, look, reply, names)
    words = f"{METHODS[look.wanted.method].sentence} {describe(info)}"
    st.caption(plain(words), help=glossary("share of mass"))
    _say_evenness(look)


def _show_pair(page: PageContext, look: MapView, second: SecondMap) -> None:
    """Show two maps and their difference with one camera."""
    several, names = pair(look, second, page.store)
    order = order_of("heads_picture" if look.rendered else "heads", page, look, names)
    info = heads_info(several, page.store.mask, page.store.grid, names, look.choice)
    with st.spinner("Drawing …"):
        if look.rendered:
            alt = f"Rendered volumes of {', '.join(names)}, seen from {look.view}"
            st.image(drawn_of(several, order, page.store).blob, width="stretch", alt=alt)
        else:
            drawing_pool().warm()
            stage.viewer()
            _show_scene(page, look, drawn_of(several, order, page.store), names)
    st.caption(plain(f"{describe(info)} {difference_words(several, page.store.mask)}"))


def _say_evenness(look: MapView) -> None:
    """Say how far each head is from looking everywhere alike: often hardly."""
    if METHODS[look.wanted.method].needs != "attention":
        return
    facts, even = look.wanted.maps.facts(), shown(look.wanted).evenness
    least = float(even.min())
    words = f"This is attention {facts.get('read_out', '')}. " if facts.get("read_out") else ""
    who = "Each head spreads" if len(even) > 1 else "It spreads"
    most = "at least " if len(even) > 1 and least < 0.995 else ""
    words += f"{who} over {most}{100 * least:.0f} % of the {facts['n_tokens']:,} tokens"
    if least > 0.9:
        words += ": hardly any choice, so that the picture shows where the tokens lie"
    st.caption(plain(f"{words}. {facts.get('token_note', '')}"), help=glossary("token"))


def order_of(kind: Kind, page: PageContext, look: MapView, names: tuple[str, ...]) -> DrawOrder:
    """Return what the drawing process is to draw of a map, with its titles."""
    title, subtitle = title_of(page, look)
    return DrawOrder(
        kind,
        page.theme,
        view=look.view if look.rendered else "oblique",
        title=title,
        subtitle=subtitle,
        simulated=page.simulated,
        names=names,
        heads=look.choice,
    )


def _show_picture(page: PageContext, look: MapView, order: DrawOrder) -> None:
    with st.spinner("Rendering …"):
        blob = drawn(look.wanted, order, look.head if look.only else None).blob
    names = ", ".join(order.names)
    st.image(blob, width="stretch", alt=f"Rendered volumes of {names}, seen from {look.view}")
    st.download_button(
        "Save as PNG",
        blob,
        file_name=f"{look.wanted.maps.job.name}_{look.wanted.method}_{look.view}.png",
        mime="image/png",
        icon=":material/download:",
        on_click="ignore",
    )


def _show_scene(
    page: PageContext, look: MapView, reply: DrawReply, names: tuple[str, ...]
) -> None:
    store, p = page.store, palette(page.theme)
    frame = volume_data.frame(store)
    scene: dict[str, Any] = {
        "id": hashlib.sha256(reply.blob).hexdigest()[:16],
        "space": f"{store.fingerprint}-{len(names) > 1}",
        "data": base64.b64encode(reply.blob).decode(),
        "layers": [layer._asdict() for layer in reply.layers],
        "cameras": {view: camera(view, frame)._asdict() for view in VIEWS},
        "sides": {},
        "heads": list(names) if len(names) > 1 else [],
        "centre": frame.centre,
        "text": f"Maps of {', '.join(names)} in a brain to turn",
    }
    wanted = {
        "view": look.view,
        "show": ["brain", "halo", "core"],
        "opacity": {"brain": 0.1, "halo": 0.38, "core": 1.0},
        "background": p.background,
        "text": p.text,
        "legend": {
            "unit": "",
            "patches": [
                {"colour": p.positive, "text": f"strongest {look.choice.percent:g} % of the mass"}
            ],
            "bar": [],
            "ticks": [],
        },
    }
    stage.send(Key.W_3D_SCENE, {"scene": scene})
    stage.mount(stage.viewer(), HEIGHT)
    stage.send(Key.W_3D_LOOK, {"look": wanted})


def show_slices(page: PageContext, look: MapView) -> None:
    """Show one head's map over the mean response, in three slices through its peak."""
    store = page.store
    found = shown(look.wanted)
    head = min(look.head, len(found.names) - 1)
    volume = volumes(look.wanted, look.choice.smoothing_mm)[head]
    under = volume_data.mean_of(store, tuple(range(min(20, store.shape[0]))))
    mean = store.brain.unmask(under)
    percent = look.choice.percent
    info = map_slices_info(volume, mean, store.mask, store.grid, percent, regions(store))
    figure = draw_map_slices(info, page.theme)
    name = f"{look.wanted.maps.job.name}_{look.wanted.method}_slices"
    charts.show(
        figure, page.theme, name, alt=f"Slices through {found.names[head]}", save_as=look.save_as
    )
    st.caption(
        plain(
            f"{found.names[head]}, slices through its strongest place, over the mean of 20 "
            "responses (grey). Values are in multiples of the brain's mean: 1 is what an even "
            "map would have."
        )
    )
