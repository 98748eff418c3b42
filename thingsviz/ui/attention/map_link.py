"""What an address asks of maps (method, layer, head), and the address of what is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import streamlit as st

from thingsviz.explain.map_files import MapSet
from thingsviz.explain.map_methods import METHODS
from thingsviz.ui.attention.data import WantedMaps
from thingsviz.ui.shell.frame import PageContext, plain


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
