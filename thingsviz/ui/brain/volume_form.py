"""The 3D page's settings: which picture, from where, how smooth, how strong, which parts."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from thingsviz.figures.base.style import BETA_UNIT
from thingsviz.figures.base.views import VIEWS, Frame
from thingsviz.figures.brain.volume import Triple, VolumeChoice, VolumeInfo
from thingsviz.ui.shell import ui_state
from thingsviz.ui.shell.ui_state import Key

SURFACES, PICTURE = "surfaces", "volume"
KINDS = {SURFACES: "Surfaces to turn", PICTURE: "Volume rendering"}
GROUPS = {
    "brain": "brain",
    "positive": "positive",
    "negative": "negative",
    "slices": "slices in space",
}
SMOOTHINGS = (0, 4, 6, 8, 10, 12)
STRONGEST, PLACE = "strongest", "coordinate"
HELP = {
    "smoothing": (
        "A Gaussian filter inside the brain, given by its full width at half maximum (FWHM). The "
        "betas of a single trial are noisy: without smoothing, most of what passes a threshold is "
        "noise."
    ),
    "threshold": (
        "Only what responds more strongly than this, upwards or downwards, is drawn. The 97th "
        "percentile shows the 3 % of the brain's voxels with the largest |beta|. No test of "
        "significance: a single trial has none."
    ),
    "slices": (
        "Three slices through one voxel, where they lie in the brain. Their colours show all "
        "values, also those below the threshold."
    ),
}


class VolumeView(NamedTuple):
    """What the visitor chose; opacities 0–1."""

    kind: str
    view: str
    show: tuple[str, ...]
    choice: VolumeChoice
    brain: float
    response: float


def choose_look(frame: Frame, unit: str = BETA_UNIT) -> VolumeView:
    """Show the settings and return what they stand on; Streamlit keeps them for the session."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        kind = _one("Show as", Key.W_3D_AS, KINDS, SURFACES)
        view = _one("From", Key.W_3D_VIEW, {name: name for name in VIEWS}, "oblique")
    with st.container(horizontal=True, gap="medium"):
        smoothing = st.selectbox(
            "Smoothing",
            SMOOTHINGS,
            SMOOTHINGS.index(6),
            key=Key.W_3D_SMOOTHING,
            format_func=_width,
            help=HELP["smoothing"],
            persist_state="session",
            width=140,
        )
        choice = _threshold(unit)._replace(smoothing_mm=float(smoothing))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        show = _parts(kind)
        with st.popover("Opacity, slices", icon=":material/tune:"):
            brain = _opacity("Opacity of the brain", Key.W_3D_BRAIN, 0.16)
            response = _opacity("Opacity of the responses", Key.W_3D_RESPONSE, 1.0)
            choice = choice._replace(crosshair_mm=_crosshair(frame))
    return VolumeView(kind, view, show, choice, brain, response)


def _one(
    label: str, key: Key, options: dict[str, str], default: str, words: str | None = None
) -> str:
    """Show a row of buttons of which one is down, and return its name."""
    return st.segmented_control(
        label,
        tuple(options),
        default=default,
        key=key,
        format_func=options.__getitem__,
        required=True,
        help=words,
        persist_state="session",
    )


def _width(mm: int) -> str:
    return f"{mm} mm FWHM" if mm else "none"


def _threshold(unit: str) -> VolumeChoice:
    ways = {"percentile": "percentile", "value": "value"}
    way = _one("Threshold by", Key.W_3D_BY, ways, "percentile", HELP["threshold"])
    if way == "value":
        value = st.number_input(
            f"|beta| above, {unit}",
            0.01,
            1000.0,
            1.0,
            step=0.1,
            key=Key.W_3D_VALUE,
            persist_state="session",
            width=200,
        )
        return VolumeChoice(by="value", threshold=float(value))
    percentile = st.slider(
        "Percentile of |beta|",
        80.0,
        99.9,
        97.0,
        step=0.1,
        format="%.1f",
        key=Key.W_3D_PERCENTILE,
        persist_state="session",
        width=220,
    )
    return VolumeChoice(by="percentile", threshold=float(percentile))


def _parts(kind: str) -> tuple[str, ...]:
    """Show the switches of the scene's parts; the volume rendering always shows all it has."""
    if kind == PICTURE:
        return ("brain", "positive", "negative")
    shown = st.pills(
        "Parts",
        tuple(GROUPS),
        default=("brain", "positive", "negative"),
        key=Key.W_3D_SHOW,
        format_func=GROUPS.__getitem__,
        selection_mode="multi",
        help=HELP["slices"],
        persist_state="session",
    )
    return tuple(group for group in GROUPS if group in shown)


def _opacity(label: str, key: Key, default: float) -> float:
    return float(st.slider(label, 0.02, 1.0, default, step=0.02, key=key, persist_state="session"))


def _crosshair(frame: Frame) -> Triple | None:
    ways = {STRONGEST: "the strongest response", PLACE: "a coordinate"}
    if _one("Slices pass through", Key.W_3D_CROSSHAIR, ways, STRONGEST) == STRONGEST:
        return None
    with st.container(horizontal=True, gap="small"):
        x, y, z = (_coordinate(axis, frame) for axis in range(3))
    return x, y, z


def _coordinate(axis: int, frame: Frame) -> float:
    """Ask for one coordinate within the brain's box, in mm."""
    low, high = (frame.centre[axis] + sign * frame.half[axis] for sign in (-1, 1))
    key = (Key.W_3D_X, Key.W_3D_Y, Key.W_3D_Z)[axis]
    if not low <= float(ui_state.get(key, low)) <= high:  # left by a subject with a larger brain
        ui_state.forget(key)
    start = round(frame.centre[axis])
    return st.number_input(
        f"{'xyz'[axis]}, mm",
        low,
        high,
        float(start),
        step=2.0,
        key=key,
        persist_state="session",
        width=110,
    )


def describe(info: VolumeInfo) -> str:
    """Say how much passes the threshold, and where the strongest responses are."""

    def share(n: int) -> str:
        return f"{n:,} voxels ({100 * n / info.n_brain:.2g} %)"

    def place(mm: Triple) -> str:
        return "({:g}, {:g}, {:g}) mm".format(*mm)

    return (
        f"Above: {share(info.n_positive)}, highest {info.highest.value:+.3g} at "
        f"{place(info.highest.mm)}. Below: {share(info.n_negative)}, lowest "
        f"{info.lowest.value:+.3g} at {place(info.lowest.mm)}."
    )
