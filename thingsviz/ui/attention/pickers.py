"""What the visitor of the Attention page or its address chooses: trials, output, method, head."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from thingsviz.explain.map_files import ALL, MapSet
from thingsviz.explain.map_methods import METHODS
from thingsviz.figures.base.views import VIEWS
from thingsviz.figures.brain.heads import HeadsChoice
from thingsviz.figures.scores.ratings import readable
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.pipeline.tasks.registry import TASKS
from thingsviz.ui.attention.data import WantedMaps
from thingsviz.ui.caches import dataset_cache
from thingsviz.ui.shell import charts, ui_state
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.shell.glossary import glossary
from thingsviz.ui.shell.ui_state import Key
from thingsviz.ui.trials.pickers import pick_trial


class MapAddress(NamedTuple):
    """What of an address can be shown (None: not asked for), and a sentence for the rest."""

    method: str | None
    layer: int | None
    head: int | None
    complaints: tuple[str, ...]


def asked_of(page: PageContext, maps: MapSet) -> MapAddress:
    """Return what the address asks of these maps, and say what they do not have."""
    found = understood(page.asked, maps.methods(), maps.facts())
    for sentence in found.complaints:
        st.warning(plain(sentence), icon=":material/link_off:")
    return found


def understood(asked: Mapping[str, str], there: list[str], facts: dict[str, Any]) -> MapAddress:
    """Check an address against the methods that are `there` and the model's layers and heads."""
    complaints = []
    method = asked.get("method")
    if method is not None and method not in there:
        complaints.append(_no_method(method, there))
        method = None
    numbers: dict[str, int | None] = {}
    for what in ("layer", "head"):
        text, most = asked.get(what), int(facts.get(f"n_{what}s") or 0)
        known = re.fullmatch(r"[0-9]{1,4}", text or "") and 1 <= int(text or 0) <= most
        numbers[what] = int(text) if known and text else None
        if text is not None and not known:
            there_are = f"has {most} of them" if most else "has none"
            complaints.append(f"The address asks for {what} {text!r}, but this model {there_are}.")
    return MapAddress(method, numbers["layer"], numbers["head"], tuple(complaints))


def _no_method(method: str, there: list[str]) -> str:
    others = ", ".join(METHODS[name].title for name in METHODS if name in there)
    if method not in METHODS:
        return f"The address asks for the method {method!r}, which is none; there are {others}."
    why = "this model has no attention, or it is not made yet"
    if METHODS[method].needs != "attention":
        why = "it does not fit this model, or is not made yet"
    return f"There is no map by {METHODS[method].title} ({why}); there are {others}."


def address_of(page: PageContext, wanted: WantedMaps, head: int) -> str:
    """Return the address that shows the same maps to a colleague."""
    values = {"dataset": page.dataset.name, "subject": page.subject, "job": wanted.maps.job.name}
    values["method"] = wanted.method
    if wanted.by_head:
        values |= {"layer": str(wanted.layer + 1), "head": str(head + 1)}
    return f"{(st.context.url or '').split('?')[0]}?{urlencode(values)}"


PARTS = {"test": "All test trials", "row": "One trial", "concept": "One concept"}
SMOOTHING_MM = 8.0


class MapView(NamedTuple):
    """How the chosen maps are drawn; `head` stands in slices and tables, if `only` alone in 3D."""

    wanted: WantedMaps
    head: int
    only: bool
    choice: HeadsChoice
    view: str
    rendered: bool
    save_as: str = "png"


def pick_maps(
    page: PageContext, job: JobFolder, bar: DeltaGenerator
) -> tuple[MapSet | None, int | None]:
    """Let the visitor choose trials and output in `bar`; return the maps, and the trial's row."""
    with bar:
        kind = st.segmented_control(
            "Maps of",
            tuple(PARTS),
            default="test",
            required=True,
            format_func=PARTS.__getitem__,
            key=Key.W_MAP_PART,
            help="An average over trials shows what the decoder does as a rule; one trial, what "
            "it did with that response.",
            persist_state="session",
        )
        concept = _pick_concept(job) if kind == "concept" else ""
        names = {ALL: "all outputs", **{name: name for name in _outputs(page, job)}}
        target = st.selectbox(
            "For",
            tuple(names),
            format_func=names.__getitem__,
            key=f"{Key.W_MAP_TARGET}_{job.name}",
            width=150,
            help="What the map explains: one property, or all of them together (how far the "
            "response moves the decoder away from what it says of an average brain).",
        )
    if kind == "concept" and not concept:
        st.info("This job's test part names no concept.", icon=":material/info:")
        return None, None
    row = pick_trial(page) if kind == "row" else None
    part = {"test": "test", "row": f"row-{row}", "concept": f"concept-{concept}"}[str(kind)]
    return MapSet(job, part, str(target)), row


def _outputs(page: PageContext, job: JobFolder) -> tuple[str, ...]:
    """Return what the job predicts: properties, or the labels of classes."""
    return TASKS[job.config().learns].outputs_of(job, page.dataset, page.store)


def _pick_concept(job: JobFolder) -> str:
    rows = dataset_cache.predictions(job)
    if rows is None:
        return ""
    concepts = tuple(sorted(rows.loc[rows["part"].eq("test"), "concept"].unique()))
    found = st.selectbox(
        "Concept", concepts, format_func=readable, width=200, help=glossary("concept")
    )
    return str(found or "")


def pick_method(maps: MapSet, asked: str | None) -> str:
    """Let the visitor choose among the methods whose maps are there; `asked` by the address."""
    titles = {name: METHODS[name].title for name in METHODS if name in maps.methods()}
    key = f"{Key.W_MAP_METHOD}_{maps.job.name}_{len(titles)}"
    if asked:
        ui_state.put(key, asked)
    found = st.selectbox(
        "Method",
        tuple(titles),
        format_func=titles.__getitem__,
        key=key,
        width=230,
        help="How the map is made; 'All methods side by side', further down, judges each.",
    )
    return str(found)


def pick_look(page: PageContext, maps: MapSet, method: str, asked: MapAddress) -> MapView:
    """Let the visitor choose layer, head and threshold, and how the picture is drawn."""
    facts = maps.facts()
    layer, head = 0, 0
    if METHODS[method].by_head:
        layer = _number("Layer", int(facts["n_layers"]), asked.layer)
        head = _number("Head", int(facts["n_heads"]), asked.head)
    percent = st.slider(
        "Strongest, % of mass",
        1,
        100,
        20,
        key=Key.W_MAP_PERCENT,
        width=170,
        help=glossary("share of mass"),
        persist_state="session",
    )
    with st.popover("How it is drawn", icon=":material/tune:"):
        rendered, view = _way()
        only, shared, above = _scale(method)
        save_as = charts.image_format()
        address = st.empty()
    choice = HeadsChoice(float(percent), shared, SMOOTHING_MM)
    wanted = WantedMaps(maps, page.store, method, layer, above)
    if (maps.part, maps.target) == ("test", ALL):
        address.code(address_of(page, wanted, head), language=None, wrap_lines=True)
    return MapView(wanted, head, only, choice, view, rendered, save_as)


def _number(label: str, n: int, asked: int | None) -> int:
    layer = label == "Layer"
    if n < 2:
        return 0
    key = f"{Key.W_MAP_LAYER if layer else Key.W_MAP_HEAD}_{n}"
    if asked:
        ui_state.put(key, asked)
    help_ = glossary("attention" if layer else "head")
    found = st.selectbox(label, tuple(range(1, n + 1)), key=key, width=84, help=help_)
    return int(found or 1) - 1


def _scale(method: str) -> tuple[bool, bool, bool]:
    """Return whether one head stands alone, all share a scale, what uniform gives is left out."""
    only, shared, above = False, True, False
    if METHODS[method].by_head:
        only = st.toggle("This head, large", key=Key.W_MAP_ONE, persist_state="session")
        shared = st.toggle(
            "One scale for all heads", value=True, key=Key.W_MAP_SCALE, persist_state="session"
        )
    if METHODS[method].needs == "attention":
        above = st.toggle(
            "Only above uniform",
            value=False,
            key=Key.W_MAP_ABOVE,
            persist_state="session",
            help="Takes away what each token would get if all got the same: what is left is "
            "where the head differs from not choosing at all.",
        )
    return bool(only), bool(shared), bool(above)


def _way() -> tuple[bool, str]:
    ways = {"scene": "Surfaces to turn", "picture": "Rendered volume"}
    way = st.segmented_control(
        "Show",
        tuple(ways),
        default="scene",
        required=True,
        format_func=ways.__getitem__,
        key=Key.W_MAP_AS,
        persist_state="session",
    )
    view = st.selectbox(
        "From",
        VIEWS,
        VIEWS.index("oblique"),
        key=Key.W_MAP_VIEW,
        width=110,
        persist_state="session",
    )
    return way == "picture", str(view)
