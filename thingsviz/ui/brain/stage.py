"""How a scene gets to the browser: stpyvista mounts one vtk.js viewer, a courier brings scenes.

stpyvista's own call exports each scene in a forked copy of the app without a timeout, sends the
1.05 MB of the viewer with every scene, and begins anew each time: the view that a visitor turned
to is lost. Here its component mounts one page (stage/stage.html) per visit; scenes of 0.4 MB, made
by the drawing process, and looks of 1 kB (opacity, parts, view) come to it by stage/courier.js.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from thingsviz.figures.base.style import Theme, diverging, palette
from thingsviz.figures.base.views import VIEWS, Frame, camera, sides
from thingsviz.figures.brain.caption import patches, signed
from thingsviz.figures.brain.draw_orders import DrawReply
from thingsviz.figures.brain.volume import VolumeInfo
from thingsviz.figures.brain.vtkjs_viewer import packed_viewer
from thingsviz.ui.brain.volume_form import VolumeView
from thingsviz.ui.shell import ui_state
from thingsviz.ui.shell.ui_state import Key

FOLDER = Path(__file__).parent / "stage"
HEIGHT = 580  # pixels

_COURIER = st.components.v2.component(
    "thingsviz_courier", js=(FOLDER / "courier.js").read_text("utf-8")
)


def show_stage(reply: DrawReply, space: str, frame: Frame, text: str) -> None:
    """Show a scene; while `space`, the brain it is of, stays, the eye stays where it is."""
    scene = {
        "id": hashlib.sha256(reply.blob).hexdigest()[:16],
        "space": space,
        "data": base64.b64encode(reply.blob).decode(),
        "layers": [layer._asdict() for layer in reply.layers],
        "cameras": {view: camera(view, frame)._asdict() for view in VIEWS},
        "sides": sides(frame),
        "centre": frame.centre,
        "text": text,
    }
    send(Key.W_3D_SCENE, {"scene": scene})
    mount(viewer())


def send_look(look: VolumeView, info: VolumeInfo, theme: Theme) -> None:
    """Tell the stage how to look at its scene: no scene travels for that."""
    p = palette(theme)
    wanted = {
        "view": look.view,
        "show": list(look.show),
        "opacity": {"brain": look.brain, "positive": look.response, "negative": look.response},
        "background": p.background,
        "text": p.text,
        "legend": legend(look, info, theme),
    }
    send(Key.W_3D_LOOK, {"look": wanted})


def legend(look: VolumeView, info: VolumeInfo, theme: Theme) -> dict[str, Any]:
    """Return what the colours mean: a patch for each surface shown, a bar when slices are."""
    return {
        "unit": f"beta ({info.unit})",
        "patches": [patch._asdict() for patch in patches(info, look.show, theme)],
        "bar": [colour for _, colour in diverging(theme)] if "slices" in look.show else [],
        "ticks": [signed(-info.limit), "0", signed(info.limit)],
    }


@cache
def stage_page() -> str:
    """Return the page that stpyvista mounts: the stage with the packed viewer in it, 0.42 MB."""
    page = (FOLDER / "stage.html").read_text("utf-8")
    return page.replace("__VIEWER__", base64.b64encode(packed_viewer()).decode())


def send(key: Key, data: dict[str, Any]) -> None:
    """Hand data to the browser; nothing comes back.

    What Streamlit would remember of such a component cannot be pickled, and this app allows only
    what can in its sessions (enforceSerializableSessionState): so it is forgotten at once.
    """
    _COURIER(key=key, data=data)
    ui_state.forget(key)


def viewer() -> Callable[..., object]:
    """Return stpyvista's component.

    Imported here: the import needs a running Streamlit, and takes 2 s the first time.
    """
    import stpyvista

    component: Callable[..., object] = stpyvista._stpv_component
    return component


def mount(component: Callable[..., object], height: int = HEIGHT) -> None:
    """Mount the stage, `height` pixels high, as stpyvista's trame backend would mount a scene."""
    component(
        key=Key.W_3D_STAGE,
        data={
            "_html": stage_page(),
            "backend": "trame",
            "height": height,
            "width": 0,
            "use_container_width": True,
        },
    )
    ui_state.forget(Key.W_3D_STAGE)
