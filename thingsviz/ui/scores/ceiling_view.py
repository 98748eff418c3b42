"""Where the response to a picture repeats: the noise ceiling of each voxel, in the brain."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from models.base.concepts import pearson
from thingsviz.analysis.scores.ceilings import repeat_ceiling, repeats_of_images
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.figures.brain.slices import draw_slices, slices_info, start_voxel
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.shell.glossary import glossary
from thingsviz.ui.shell.ui_state import Key

PUBLISHED = "nc_singletrial"
READ = (
    "Share of a voxel's variance that comes back when the same picture is shown again, from the "
    "repeated test images (formula of THINGS-fMRI, after Allen et al. 2022; each session's mean "
    "taken off first). No model of this voxel can explain more. A voxel that repeats need not "
    "tell of objects: the frame of a picture repeats too. Few images make single voxels uncertain."
)


def show_ceiling(page: PageContext) -> None:
    """Show the noise ceiling of single trials, or of means of repeats."""
    images = repeats_of_images(page.store.trials)
    if len(images) < 2:
        st.caption("No test image is repeated here, so no voxel's noise ceiling can be found.")
        return
    most = images.shape[1]
    n = int(
        st.segmented_control(
            "Noise ceiling of",
            [1, most],
            format_func={1: "single trials", most: f"mean of {most} repeats"}.__getitem__,
            default=1,
            required=True,
            key=str(Key.W_CEILING_OF),
            help=glossary("noise ceiling"),
        )
        or 1
    )
    values = ceiling_of(page.store, n)
    limit = max(float(np.percentile(values, 99.5)), 1.0)
    volume = page.store.brain.unmask(values.astype(np.float32))
    at = start_voxel(page.store.mask, values)
    info = slices_info(volume, page.store.mask, page.store.grid, at, limit=limit)
    simulated = " (SIMULATED)" if page.simulated else ""
    title = f"Noise ceiling of voxels, % of variance{simulated}"
    figure = draw_slices(info._replace(unit="%"), page.theme, title)
    charts.show(figure, page.theme, "voxel_ceiling", alt=f"Slices: {title}")
    st.caption(plain(f"{words_of(values, page.store, n, len(images))} {READ}"))


def ceiling_of(store: BetaStore, n_averaged: int) -> NDArray[np.float64]:
    """Return the noise ceiling of each voxel in %, (n_voxels,); read once, then kept."""
    signal, noise = _repeat(store.fingerprint, _store=store)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(100 * np.nan_to_num(signal / (signal + noise / n_averaged)))


@st.cache_resource(max_entries=4, show_spinner="Comparing repeats …")
def _repeat(
    fingerprint: str, _store: BetaStore
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows = repeats_of_images(_store.trials)
    sessions = _store.trials["session"].to_numpy(dtype=np.int64)
    return repeat_ceiling(lambda r: _store.read(r).astype(np.float32), rows, sessions)


def words_of(values: NDArray[np.float64], store: BetaStore, n: int, n_images: int) -> str:
    """Say how many voxels repeat, and how that agrees with what was published."""
    share = float((values > 10).mean())
    text = (
        f"{share:.1%} of {len(values):,} voxels repeat more than 10 % of their variance, the best "
        f"{values.max():.0f} %; from {n_images:,} images."
    )
    if n == 1 and PUBLISHED in store.voxels:
        known = store.voxels[PUBLISHED].to_numpy(float)
        both = np.isfinite(known)
        if both.sum() > 2 and known[both].std() > 0 and values[both].std() > 0:
            r = float(pearson(known[both], values[both]))
            text += f" Its correlation with the ceiling in the data's own table is {r:.2f}."
    return text
