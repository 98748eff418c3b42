"""How alike maps are: heads and methods of a training, trainings (seeds, models), subjects."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st

from thingsviz.analysis.maps.by_region import shares
from thingsviz.analysis.maps.subjects import SubjectMap, on_common_voxels
from thingsviz.core.arrays import Array
from thingsviz.core.errors import DataError, ThingsvizError
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.explain.map_files import MapSet
from thingsviz.explain.map_methods import METHODS
from thingsviz.figures.maps.map_agreement import (
    MapAgreementInfo,
    agreement_info,
    draw_agreement,
    head_profiles_info,
)
from thingsviz.ui.attention.data import WantedMaps, shown, values_of
from thingsviz.ui.attention.pickers import MapView
from thingsviz.ui.brain.slices import regions
from thingsviz.ui.caches import dataset_cache
from thingsviz.ui.caches.dataset_cache import stamp
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.shell.ui_state import Key

MOST_HEADS = 32
MOST_JOBS = 24
BETWEEN = {
    "here": "Heads and methods",
    "jobs": "Trainings, by voxel",
    "voxels": "Subjects, by voxel",
    "regions": "Trainings and subjects, by region",
    "profiles": "Head profiles, RSA",
}
EXPLAINED = {
    "here": "Rank correlation over tokens, ordered by likeness (average linkage). Heads that "
    "correlate with each other but not with gradient × input or occlusion look at something "
    "that the decoder does not use.",
    "jobs": "Rank correlation over voxels of this method's map (heads averaged) between trainings "
    "of this subject: other seeds and other models. A map that no second seed repeats says "
    "little.",
    "voxels": "Rank correlation over the voxels that lie in the brain of all subjects, one "
    "training of each. Only in a space that they share.",
    "regions": "Rank correlation over regions of this method's map, between all trainings whose "
    "subjects have regions of the same names.",
    "profiles": "Each layer's heads by region become distances between regions; these are "
    "rank-correlated (representational similarity). The order of the heads does not matter.",
}


class OtherMaps(NamedTuple):
    """Maps of a training, with its data."""

    name: str
    wanted: WantedMaps


def show_agreement(page: PageContext, look: MapView) -> None:
    """Show how alike maps are, as a matrix with its tree."""
    with st.expander("How alike are heads, methods, trainings and subjects?"):
        between = st.segmented_control(
            "Between",
            tuple(BETWEEN),
            default="here",
            required=True,
            format_func=BETWEEN.__getitem__,
            key=Key.W_MAP_BETWEEN,
            persist_state="session",
        )
        try:
            info = _info_of(page, look, str(between))
        except DataError as error:
            st.info(plain(str(error)))
            return
        if info is None or len(info.names) < 2:
            st.info("There is one map only: make more, here or of other trainings, to compare.")
            return
        name = f"{look.wanted.maps.job.name}_agreement_{between}"
        alt = "Matrix of rank correlations between maps, with the tree of their likeness"
        charts.show(
            draw_agreement(info, page.theme), page.theme, name, alt=alt, save_as=look.save_as
        )
        st.caption(EXPLAINED[str(between)])


def _info_of(page: PageContext, look: MapView, between: str) -> MapAgreementInfo | None:
    if between == "here":
        files = [stamp(look.wanted.maps.file(m)) for m in look.wanted.maps.methods()]
        return _info(repr(files), _wanted=look.wanted)
    found = others(look)
    if between == "jobs":
        found = [o for o in found if o.wanted.store.fingerprint == page.store.fingerprint]
        return (
            agreement_info({o.name: shown(o.wanted).mass.mean(0) for o in found})
            if found
            else None
        )
    if between == "voxels":
        return agreement_info(by_subject(found))
    if between == "profiles":
        found = [o for o in found if o.wanted.by_head]
    profiles = by_region(found)
    if not profiles:
        return None
    if between == "profiles":
        return head_profiles_info(profiles)
    return agreement_info({name: rows.mean(0) for name, rows in profiles.items()})


@st.cache_data(max_entries=16, show_spinner="Comparing maps …")
def _info(key: str, _wanted: WantedMaps) -> MapAgreementInfo:
    return agreement_info(token_maps(_wanted))


def others(look: MapView) -> list[OtherMaps]:
    """Return this map and those of the same method and part of all trainings that have them.

    Of attention each layer counts; maps of older weights are left out.
    """
    own, found = look.wanted, []
    jobs = [own.maps.job, *(j for j in dataset_cache.jobs() if j.name != own.maps.job.name)]
    for job in jobs[:MOST_JOBS]:
        maps = MapSet(job, own.maps.part if own.maps.part == "test" else "test")
        if own.method not in maps.methods():
            continue
        try:
            store = _store(job.name, own, maps)
            n = int(maps.facts()["n_layers"]) if own.by_head else 1
            for layer in range(n):
                wanted = WantedMaps(maps, store, own.method, layer, own.above)
                shown(wanted)
                name = job.name + (f" L{layer + 1}" if n > 1 else "")
                found.append(OtherMaps(name, wanted))
        except (ThingsvizError, OSError):
            continue  # its data are gone, or its maps are of other weights
    return found


def _store(name: str, own: WantedMaps, maps: MapSet) -> BetaStore:
    from thingsviz.pipeline.training_data import find_dataset

    if name == own.maps.job.name:
        return own.store
    config = maps.job.config()
    store = BetaStore.open(find_dataset(config), config.subject)
    return own.store if store.fingerprint == own.store.fingerprint else store


def by_subject(found: list[OtherMaps]) -> dict[str, Array]:
    """Return a map (n_common,) of each subject, heads averaged, from its first training."""
    first: dict[str, OtherMaps] = {}
    for one in found:
        first.setdefault(one.wanted.store.fingerprint, one)
    maps = {}
    for one in first.values():
        store = one.wanted.store
        maps[one.name] = SubjectMap(
            shown(one.wanted).mass.mean(0), store.mask, store.grid, store.space
        )
    planted = all(one.wanted.store.simulated for one in first.values())
    return on_common_voxels(maps, aligned=planted)


def by_region(found: list[OtherMaps]) -> dict[str, Array]:
    """Return each training's heads by region, (n_heads, n_regions), of the regions all have."""
    named = [regions(o.wanted.store) for o in found]
    common = sorted(set.intersection(*(set(r.names) for r in named))) if named else []
    if len(common) < 3:
        return {}
    rows = {}
    for one, own in zip(found, named, strict=True):
        share = shares(shown(one.wanted).mass, own.labels, len(own.names))[:, 1:]
        flat = shares(shown(one.wanted).uniform[None], own.labels, len(own.names))[:, 1:]
        ratio = np.divide(share, flat, out=np.zeros_like(share), where=flat > 0)
        rows[one.name] = ratio[:, [own.names.index(name) for name in common]]
    return rows


def token_maps(wanted: WantedMaps) -> dict[str, Array]:
    """Return each head's and each method's map over tokens, (n_tokens,), by name."""
    maps = wanted.maps
    found: dict[str, Array] = {}
    for method in [m for m in METHODS if m in maps.methods()]:
        read, tokens = values_of(maps, wanted.store, method)
        values = np.abs(read)
        if METHODS[method].unit == "voxel":
            found[METHODS[method].title] = tokens.to_tokens(values)
        elif values.ndim == 1:
            found[METHODS[method].title] = values
        else:
            for at in list(np.ndindex(*values.shape[:2]))[:MOST_HEADS]:
                found[f"L{at[0] + 1} H{at[1] + 1}"] = values[at]
    return found
