"""The original study's attention figure: its 200 strongest voxels, and what they really say."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from thingsviz.analysis.maps import by_region
from thingsviz.analysis.maps.by_region import BACKGROUND, NO_REGION, Amount
from thingsviz.analysis.regions.regions import Regions, approximate
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.ui.attention.data import WantedMaps, shown, table
from thingsviz.ui.attention.pickers import MapView
from thingsviz.ui.brain.slices import regions
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.shell.ui_state import Key

TOP = Amount("voxels", 200)


class StrongestVoxels(NamedTuple):
    """What one head's 200 strongest voxels are: regions as the study gave them, and the rest."""

    head: str
    first: str
    share: float
    uniform: float
    p: float
    q: float
    n_patches: int
    outside: float


def show_report(page: PageContext, look: MapView) -> None:
    """Show the original study's reading of each head, corrected, when the visitor asks for it."""
    if not look.wanted.by_head:
        return
    with st.expander("The original study's figure, read again"):
        st.caption(
            "The original study named each head's region by its 200 strongest voxels. Train the "
            "preset 'Original study: attention figure' to have its model."
        )
        if not st.toggle("Show it for these heads", key=Key.W_MAP_REPORT, persist_state="session"):
            return
        named = atlas_names(page.store)
        rows = readings(look.wanted, named)
        st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=_columns())
        st.caption(plain(explain(look.wanted, rows, named)))


def atlas_names(store: BetaStore) -> Regions:
    """Return Harvard-Oxford names: true in MNI space, approximate elsewhere."""
    found = regions(store)
    return (
        found
        if store.space.upper().startswith("MNI")
        else _approximate(store.fingerprint, _store=store)
    )


@st.cache_resource(max_entries=4, show_spinner="Naming regions …")
def _approximate(fingerprint: str, _store: BetaStore) -> Regions:
    return approximate(_store.grid, _store.mask)


def readings(wanted: WantedMaps, named: Regions) -> list[StrongestVoxels]:
    """Return one row a head: its first region, and what uniform attention would give there."""
    found = shown(wanted)
    rows = []
    for head, name in enumerate(found.names):
        full = table(wanted, head, TOP, named)
        inside = full[~full["region"].isin([NO_REGION, BACKGROUND])]
        if len(inside):
            first = inside.sort_values("share", ascending=False, kind="stable").iloc[0]
            share, flat, p, q = (float(first[key]) for key in ("share", "uniform", "p", "q"))
            patches, outside = patches_of(found.mass[head], wanted), float(found.background[head])
            region = str(first["region"])
            rows.append(StrongestVoxels(name, region, share, flat, p, q, patches, outside))
    return rows


def patches_of(mass: NDArray[np.float64], wanted: WantedMaps) -> int:
    """Return from how many patches the 200 strongest voxels come, be it all of a patch or a part.

    A patch of the large grid holds 2,340 voxels, so all 200 can come from a single one.
    """
    top = by_region.counted(mass[None], TOP)[0]
    return int(((wanted.maps.tokens().share > 0) @ top > 0).sum())


def explain(wanted: WantedMaps, rows: list[StrongestVoxels], named: Regions) -> str:
    """Say what the original study's reading overlooked."""
    found, tokens = shown(wanted), wanted.maps.tokens()
    patch = int(np.median(tokens.box_voxels))
    n = sum(row.q < 0.05 for row in rows)
    several = sorted({row.n_patches for row in rows})
    outside, flat = 100 * found.background.mean(), 100 * found.uniform_background
    words = [
        f"Regions: {named.source}.",
        f"One patch is {patch:,} voxels of one value, so a head's 200 voxels come from "
        f"{_span(several)}: they are not 200 findings.",
        f"{outside:.1f} % of the attention lies outside the brain; attention that is the same "
        f"everywhere would put {flat:.1f} % there.",
        f"In {n} of {len(rows)} heads the first region gets more than turned regions do "
        "(q < .05).",
    ]
    return " ".join(words)


def _span(several: list[int]) -> str:
    """Write '1 patch', '3 patches', '1 to 10 patches'."""
    if not several:
        return "no patch"
    least, most = several[0], several[-1]
    number = f"{most:,}" if least == most else f"{least:,} to {most:,}"
    return f"{number} patch{'' if most == 1 else 'es'}"


def _columns() -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
        "head": "Head",
        "first": "First region",
        "share": number("Of 200 voxels", format="percent"),
        "uniform": number("Uniform attention", format="percent"),
        "p": number(format="%.3f"),
        "q": number(format="%.3f"),
        "n_patches": number("Patches", format="%d"),
        "outside": number("Outside the brain", format="percent"),
    }
