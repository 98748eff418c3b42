"""A second map beside the chosen one: another head, layer, method, concept or training."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from thingsviz.analysis.maps.planted_truth import rank_correlation
from thingsviz.analysis.maps.volumes import Volumes, head_volumes
from thingsviz.core.errors import ThingsvizError
from thingsviz.core.typography import minus
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.explain.map_files import ALL, MapSet, map_sets
from thingsviz.explain.map_methods import METHODS
from thingsviz.jobs.job_folder import JobFolder, jobs_root
from thingsviz.ui.attention.data import WantedMaps, shown, volumes
from thingsviz.ui.attention.pickers import MapView
from thingsviz.ui.job_choice import job_list as jobs_list
from thingsviz.ui.shell.frame import PageContext
from thingsviz.ui.shell.ui_state import Key

NOTHING = "nothing"
MOST_JOBS = 50


class SecondMap(NamedTuple):
    """A map to stand beside the chosen one."""

    name: str
    wanted: WantedMaps
    head: int


def pick_second(page: PageContext, look: MapView) -> SecondMap | None:
    """Let the visitor choose what stands beside the map; None for nothing."""
    there = seconds(page, look)
    if not there:
        return None
    name = st.selectbox(
        "Beside it",
        (NOTHING, *there),
        key=f"{Key.W_MAP_BESIDE}_{look.wanted.maps.job.name}",
        width=210,
        help="A second map with the same camera and scale, and where each of the two has more. Of "
        f"other trainings the newest {MOST_JOBS} with such a map stand here.",
    )
    return there.get(str(name))


def seconds(page: PageContext, look: MapView) -> dict[str, SecondMap]:
    """Return all that may stand beside the chosen map, by name."""
    own, found = look.wanted, {}
    for name, wanted, head in [*_heads(look), *_methods(own), *_sets(look), *_jobs(page, look)]:
        found[name] = SecondMap(name, wanted, head)
    return found


def _heads(look: MapView) -> list[tuple[str, WantedMaps, int]]:
    own, facts = look.wanted, look.wanted.maps.facts()
    if not own.by_head:
        return []
    places = np.ndindex(int(facts["n_layers"]), int(facts["n_heads"]))
    return [
        (f"Layer {layer + 1}, head {head + 1}", own._replace(layer=layer), head)
        for layer, head in places
        if (layer, head) != (own.layer, look.head)
    ]


def _methods(own: WantedMaps) -> list[tuple[str, WantedMaps, int]]:
    there = [m for m in METHODS if m in own.maps.methods() and m != own.method]
    return [(METHODS[m].title, own._replace(method=m, layer=0), 0) for m in there]


def _sets(look: MapView) -> list[tuple[str, WantedMaps, int]]:
    """Return the same head's maps of other trials, concepts and outputs of this training."""
    own, head = look.wanted, look.head
    several = [s for s in map_sets(own.maps.job) if s.path != own.maps.path]
    return [(_title(s), own._replace(maps=s), head) for s in several if own.method in s.methods()]


def _jobs(page: PageContext, look: MapView) -> list[tuple[str, WantedMaps, int]]:
    """Return the same method's maps of the newest MOST_JOBS other trainings of this subject."""
    found: list[tuple[str, WantedMaps, int]] = []
    own, root = look.wanted, jobs_root()
    for entry in jobs_list.entries_of(page):
        if len(found) == MOST_JOBS:
            break
        other = MapSet(JobFolder(root / entry.name), own.maps.part, ALL)
        if entry.name == own.maps.job.name or not other.file(own.method).is_file():
            continue
        with suppress(ThingsvizError):
            found.append(_like(look, other))
    return found


def _like(look: MapView, other: MapSet) -> tuple[str, WantedMaps, int]:
    """Return another training's map; of attention the chosen layer and head, or its last ones."""
    own, name = look.wanted, other.job.name
    if not own.by_head:
        return name, own._replace(maps=other, layer=0), 0
    facts = other.facts()
    layer = min(own.layer, int(facts["n_layers"]) - 1)
    head = min(look.head, int(facts["n_heads"]) - 1)
    title = f"{name}, layer {layer + 1}, head {head + 1}"
    return title, own._replace(maps=other, layer=layer), head


def _title(maps: MapSet) -> str:
    kind, _, which = maps.part.partition("-")
    part = {"row": f"trial {which}", "concept": which}.get(kind, f"{maps.part} trials")
    return part if maps.target == ALL else f"{part}, for {maps.target}"


def pair(look: MapView, second: SecondMap, store: BetaStore) -> tuple[Volumes, tuple[str, ...]]:
    """Return volumes (4, X, Y, Z), 1 = the mean over the brain: both, and where each has more."""
    width = look.choice.smoothing_mm
    first = volumes(look.wanted, width)[min(look.head, len(shown(look.wanted).names) - 1)]
    other = _one(second.wanted, second.head, store, width)
    several = [first, other, np.clip(first - other, 0, None), np.clip(other - first, 0, None)]
    name = title_of_first(look)
    names = (name, second.name, f"more in {name}", f"more in {second.name}")
    return np.stack(several).astype(np.float32), names


def _one(wanted: WantedMaps, head: int, store: BetaStore, width: float) -> NDArray[np.float32]:
    mass = shown(wanted).mass[head : head + 1]
    volume: NDArray[np.float32] = head_volumes(mass, store.mask, store.grid, width)[0]
    return volume


def title_of_first(look: MapView) -> str:
    """Return the name of the chosen map."""
    if look.wanted.by_head:
        return f"Layer {look.wanted.layer + 1}, head {look.head + 1} (chosen)"
    return f"{METHODS[look.wanted.method].title} (chosen)"


def difference_words(several: Volumes, mask: NDArray[np.bool_]) -> str:
    """Say how alike the two maps are."""
    first, second = (v[mask].astype(float) for v in several[:2])
    r = rank_correlation(first, second)
    moved = np.abs(first - second).sum() / max(first.sum() + second.sum(), 1e-12)
    alike, elsewhere = minus(f"{r:+.2f}"), f"{100 * moved:.0f}\u00a0%"
    return f"The two correlate {alike} (ranks); {elsewhere} of the mass lies elsewhere."


def layers_of(look: MapView, n: int, store: BetaStore) -> tuple[Volumes, tuple[str, ...]]:
    """Return the chosen head's volumes (n, X, Y, Z) of all layers."""
    width = look.choice.smoothing_mm
    several = [_one(look.wanted._replace(layer=k), look.head, store, width) for k in range(n)]
    return np.stack(several), tuple(f"Layer {k + 1}, head {look.head + 1}" for k in range(n))
