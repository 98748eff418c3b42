"""What the Attention page shows, loaded once and kept: maps as mass a voxel, tables, volumes."""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from models.transformer.token_map import TokenMap
from thingsviz.analysis.maps import by_region as maps
from thingsviz.analysis.maps import spin_null
from thingsviz.analysis.maps.by_region import Amount
from thingsviz.analysis.maps.region_tests import regions_beside_chance
from thingsviz.analysis.maps.volumes import Volumes, head_volumes
from thingsviz.analysis.regions.regions import Regions
from thingsviz.core.arrays import Array
from thingsviz.core.errors import DataError
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.explain.map_files import MapSet, fingerprint
from thingsviz.explain.map_methods import METHODS
from thingsviz.figures.brain.draw_orders import DrawJob, DrawOrder, DrawReply
from thingsviz.figures.brain.heads import HeadsChoice
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.weights import best_file
from thingsviz.ui.brain.drawing import drawing_pool
from thingsviz.ui.brain.slices import CEILING, regions
from thingsviz.ui.caches.dataset_cache import FileStamp, stamp


class ShownMaps(NamedTuple):
    """Maps of one layer (or of a method without heads) as mass a voxel, with what belongs to it.

    `mass` (n_heads, n_voxels); `uniform` (n_voxels,) and the background's shares are those of
    attention that is the same for all tokens; `evenness` (n_heads,): effective tokens / tokens.
    """

    names: tuple[str, ...]
    mass: Array
    uniform: Array
    background: Array
    uniform_background: float
    evenness: Array


class WantedMaps(NamedTuple):
    """Which maps the visitor chose: a set, a method, a layer; only what exceeds uniform or all."""

    maps: MapSet
    store: BetaStore
    method: str
    layer: int
    above: bool

    @property
    def by_head(self) -> bool:
        """Whether each layer and head has a map of its own."""
        return METHODS[self.method].by_head

    @property
    def key(self) -> tuple[Any, ...]:
        """A key for caches: the state of the map's file, and the choices."""
        return (stamp(self.maps.file(self.method)), self.layer, self.above, self.store.fingerprint)


def current_fingerprint(job: JobFolder, store: BetaStore) -> str:
    """Return the name of a job's weights as they are now; read again only when they change."""
    return _fingerprint(stamp(best_file(job)), store.fingerprint, _job=job)


@st.cache_data(max_entries=50, show_spinner=False)
def _fingerprint(weights: FileStamp, data: str, _job: JobFolder) -> str:
    return fingerprint(_job, data)


def shown(wanted: WantedMaps) -> ShownMaps:
    """Return the maps of a layer; 50 ms, then from the cache."""
    return _shown(repr(wanted.key), _wanted=wanted)


def values_of(maps: MapSet, store: BetaStore, method: str) -> tuple[Array, TokenMap]:
    """Read a map, (..., n_tokens) or (n_voxels,), and its tokens; DataError unless they fit."""
    values = maps.load(method, current_fingerprint(maps.job, store)).astype(float)
    tokens, n_voxels = maps.tokens(), store.shape[1]
    expected = n_voxels if METHODS[method].unit == "voxel" else tokens.n_tokens
    if values.ndim not in (1, 3) or values.shape[-1] != expected or tokens.n_voxels != n_voxels:
        size = " × ".join(map(str, values.shape))
        msg = (
            f"the map {method!r} of {maps.part} should hold {expected:,} values a head, but holds "
            f"{size}: it is of another brain or grid, make it again"
        )
        raise DataError(msg)
    return values, tokens


@st.cache_resource(max_entries=24, show_spinner="Reading the maps …")
def _shown(key: str, _wanted: WantedMaps) -> ShownMaps:
    values, tokens = values_of(_wanted.maps, _wanted.store, _wanted.method)
    method = METHODS[_wanted.method]
    if method.unit == "voxel":
        return _of_voxels(method.title, method.amount(values))
    by_head = np.abs(values[_wanted.layer]) if values.ndim == 3 else np.abs(values)[None]
    names: tuple[str, ...] = (method.title,)
    if values.ndim == 3:
        names = tuple(f"Head {n + 1}" for n in range(len(by_head)))
    return _of_tokens(names, by_head, tokens, above=_wanted.above)


def _of_voxels(name: str, values: Array) -> ShownMaps:
    mass = maps.check_map(values, len(values))
    uniform = np.full(len(values), 1 / len(values))
    total = max(float(mass.sum()), 1e-300)
    return ShownMaps((name,), mass / total, uniform, np.zeros(1), 0.0, _evenness(mass))


def _of_tokens(
    names: tuple[str, ...], values: Array, tokens: TokenMap, *, above: bool
) -> ShownMaps:
    share = values / np.maximum(values.sum(1, keepdims=True), 1e-300)
    even = _evenness(share)
    flat = np.full(tokens.n_tokens, 1 / tokens.n_tokens)
    if above:
        share = np.clip(share - flat, 0, None)
        share = share / np.maximum(share.sum(1, keepdims=True), 1e-300)
    return ShownMaps(
        names,
        tokens.to_voxels(share),
        tokens.to_voxels(flat),
        tokens.background(share),
        float(tokens.background(flat)),
        even,
    )


def _evenness(values: Array) -> Array:
    """Return exp(entropy) / n of each row: 1 = the same everywhere, 1 / n = in one place only."""
    p = values / np.maximum(values.sum(1, keepdims=True), 1e-300)
    entropy = -(p * np.log(np.where(p > 0, p, 1))).sum(1)
    return np.asarray(np.exp(entropy) / values.shape[1])


def table(
    wanted: WantedMaps, head: int, amount: Amount, named: Regions | None = None
) -> pd.DataFrame:
    """Return one head's map by region (`named`, else the data's), p and q; 1 s, then kept."""
    named = named or regions(wanted.store)
    key = _name_of(named)
    return _table(repr((wanted.key, key)), head, amount, key, _wanted=wanted, _named=named)


def _name_of(named: Regions) -> str:
    return f"{named.source}-{zlib.crc32(named.labels.tobytes())}-{hash(named.names)}"


@st.cache_data(max_entries=64, show_spinner="Turning the regions …")
def _table(
    key: str, head: int, amount: Amount, name: str, _wanted: WantedMaps, _named: Regions
) -> pd.DataFrame:
    found, store, named = shown(_wanted), _wanted.store, _named
    ceiling = store.voxels[CEILING].to_numpy(float) if CEILING in store.voxels else None
    mass = found.mass[head]
    turned = _turns(store.fingerprint, name, _store=store, _named=named)
    rows = regions_beside_chance(mass, found.uniform, named, amount, turned, ceiling)
    if found.uniform_background > 1e-9 and amount.by == "all":
        outside = float(found.background[head])
        rows = maps.with_background(outside, found.uniform_background, rows)
    return rows


@st.cache_resource(max_entries=4, show_spinner="Turning the regions …")
def _turns(data: str, name: str, _store: BetaStore, _named: Regions) -> spin_null.Rotations:
    return spin_null.turns(_store.mask, _named.labels)


def volumes(wanted: WantedMaps, smoothing_mm: float) -> Volumes:
    """Return smoothed volumes (n_heads, X, Y, Z), 1 = the mean over the brain."""
    return _volumes(repr(wanted.key), smoothing_mm, _wanted=wanted)


@st.cache_resource(max_entries=12, show_spinner=False)
def _volumes(key: str, smoothing_mm: float, _wanted: WantedMaps) -> Volumes:
    store = _wanted.store
    return head_volumes(shown(_wanted).mass, store.mask, store.grid, smoothing_mm)


def drawn_of(several: Volumes, order: DrawOrder, store: BetaStore) -> DrawReply:
    """Return what the drawing process makes of any volumes (n, X, Y, Z)."""
    return _drawn_of(
        f"{zlib.crc32(several.tobytes())} {order}", _several=several, _order=order, _store=store
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def _drawn_of(key: str, _several: Volumes, _order: DrawOrder, _store: BetaStore) -> DrawReply:
    return drawing_pool().draw(DrawJob(_order, _several, _store.mask, _store.grid))


def drawn(wanted: WantedMaps, order: DrawOrder, only: int | None = None) -> DrawReply:
    """Return what the drawing process makes of the heads, or of `only` one of them."""
    return _drawn(repr((wanted.key, order)), only, _wanted=wanted, _order=order)


@st.cache_resource(max_entries=64, show_spinner=False)
def _drawn(key: str, only: int | None, _wanted: WantedMaps, _order: DrawOrder) -> DrawReply:
    choice: HeadsChoice = _order.heads
    found = volumes(_wanted, choice.smoothing_mm)
    several = found if only is None else found[only : only + 1]
    return drawing_pool().draw(DrawJob(_order, several, _wanted.store.mask, _wanted.store.grid))
