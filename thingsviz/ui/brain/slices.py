"""The three linked slices of a trial: our own viewer, whose crosshair never asks the server."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from thingsviz.analysis.regions.regions import Regions, regions_of
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.figures.brain.slices import Voxel, start_voxel
from thingsviz.figures.brain.slices_packet import Geometry, pack, pack_geometry
from thingsviz.ui.shell.component import show_slices_packet

CEILING = "nc_singletrial"


def show_slices(store: BetaStore, values: NDArray[np.floating], title: str) -> None:
    """Show one volume, given as its brain voxels `values` (n_voxels,) in % signal change."""
    geometry = _geometry(store.fingerprint, _store=store)
    show_slices_packet(pack(geometry, values, title), key="slices")


def regions(store: BetaStore) -> Regions:
    """Return the region labels of a store's voxels."""
    return _regions(store.fingerprint, _store=store)


def start_of(store: BetaStore) -> Voxel:
    """Begin where the published noise ceiling is highest, or in the middle of the brain."""
    weight = store.voxels[CEILING].to_numpy() if CEILING in store.voxels else None
    return start_voxel(store.mask, weight)


@st.cache_resource(max_entries=8, show_spinner="Naming regions …")
def _regions(fingerprint: str, _store: BetaStore) -> Regions:
    return regions_of(_store.voxels, _store.grid, _store.mask, _store.space)


@st.cache_resource(max_entries=8, show_spinner="Laying out the brain …")
def _geometry(fingerprint: str, _store: BetaStore) -> Geometry:
    return pack_geometry(_store.mask, _store.grid, regions(_store), start_of(_store), fingerprint)
