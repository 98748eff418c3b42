"""What the 3D page shows, made once and kept: smoothed volumes, their numbers, scenes, pictures.

Keys are the store's fingerprint, the rows and the settings, never arrays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from thingsviz.analysis.regions.smoothing import smooth_in_brain
from thingsviz.core.arrays import Volume
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.figures.base.views import Frame, frame_of
from thingsviz.figures.brain.draw_orders import DrawJob, DrawOrder, DrawReply
from thingsviz.figures.brain.volume import VolumeChoice, VolumeInfo, volume_info
from thingsviz.ui.brain.drawing import drawing_pool


class Trials(NamedTuple):
    """The rows of a store whose mean is shown: one trial, or several showings of one picture."""

    store: BetaStore
    rows: tuple[int, ...]


def info_of(trials: Trials, choice: VolumeChoice) -> VolumeInfo:
    """Return what will be drawn, in numbers; 20 ms, then from the cache."""
    return _info(trials.store.fingerprint, trials.rows, choice, _trials=trials)


def frame(store: BetaStore) -> Frame:
    """Return the box around the subject's brain, in mm."""
    return _frame(store.fingerprint, _store=store)


def drawn(trials: Trials, order: DrawOrder) -> DrawReply:
    """Return what the drawing process makes of an order; 0.2 to 1 s, then from the cache."""
    show, opacity = tuple(order.show), tuple(sorted(order.opacity.items()))
    key = (trials.store.fingerprint, trials.rows, order._replace(opacity={}), show, opacity)
    return _drawn(repr(key), _trials=trials, _order=order)


@st.cache_resource(max_entries=24, show_spinner=False)
def _smoothed(fingerprint: str, rows: tuple[int, ...], fwhm_mm: float, _trials: Trials) -> Volume:
    store = _trials.store
    volume = store.brain.unmask(mean_of(store, rows))
    return smooth_in_brain(volume, store.mask, store.grid, fwhm_mm)


@st.cache_resource(max_entries=256, show_spinner=False)
def _info(
    fingerprint: str, rows: tuple[int, ...], choice: VolumeChoice, _trials: Trials
) -> VolumeInfo:
    store = _trials.store
    smoothed = _smoothed(fingerprint, rows, choice.smoothing_mm, _trials=_trials)
    return volume_info(smoothed, store.mask, store.grid, choice)


@st.cache_resource(max_entries=8, show_spinner=False)
def _frame(fingerprint: str, _store: BetaStore) -> Frame:
    return frame_of(_store.mask, _store.grid)


# a scene or picture has about 0.3 MB
@st.cache_resource(max_entries=128, show_spinner=False)
def _drawn(key: str, _trials: Trials, _order: DrawOrder) -> DrawReply:
    store, choice = _trials.store, _order.choice
    smoothed = _smoothed(store.fingerprint, _trials.rows, choice.smoothing_mm, _trials=_trials)
    return drawing_pool().draw(DrawJob(_order, smoothed, store.mask, store.grid))


def mean_of(store: BetaStore, rows: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the mean of rows, (n_voxels,), % signal change; row after row, to spare memory."""
    total = np.zeros(store.shape[1], np.float32)
    for row in rows:
        total += store.read(row)
    return total / np.float32(len(rows))
