"""Which regions a map lies in, of the data or the visitor's own; the map as files to take away."""

from __future__ import annotations

import gzip
from typing import NamedTuple

import nibabel as nib
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from thingsviz.analysis.maps.by_region import LEAST_CEILING, NO_REGION, Amount
from thingsviz.analysis.regions.parcellation import FOLDER, parcellations, read_parcellation
from thingsviz.analysis.regions.regions import Regions
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.figures.maps.map_regions import draw_regions, regions_info
from thingsviz.ui import actions
from thingsviz.ui.attention.data import ShownMaps, shown, table
from thingsviz.ui.attention.pickers import MapView
from thingsviz.ui.brain import slices
from thingsviz.ui.caches.dataset_cache import FileStamp, stamp
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import PageContext, guard, plain
from thingsviz.ui.shell.glossary import glossary
from thingsviz.ui.shell.ui_state import Key

OWN = "of the data"


def pick_name(page: PageContext, label: str = "Regions") -> str:
    """Let the visitor choose a parcellation of their own, by name; '' for the data's regions."""
    there = parcellations(page.dataset)
    if not there:
        return ""
    name = st.selectbox(
        label,
        (OWN, *there),
        key=Key.W_MAP_REGIONS,
        help=f"Those that come with the data, or a parcellation in the folder {FOLDER}.",
        persist_state="session",
    )
    return "" if name == OWN else str(name)


def pick_regions(page: PageContext) -> Regions:
    """Let the visitor choose among the data's regions and their own, and read them."""
    name = pick_name(page)
    if not name:
        return slices.regions(page.store)
    path = parcellations(page.dataset)[name]
    files = tuple(stamp(p) for p in sorted(path.parent.glob(f"{name}.*")))
    return _read(files, page.store.fingerprint, str(path), _store=page.store, _page=page)


@st.cache_resource(max_entries=8, show_spinner="Naming regions …")
def _read(
    files: tuple[FileStamp, ...], data: str, path: str, _store: BetaStore, _page: PageContext
) -> Regions:
    found = next(p for p in parcellations(_page.dataset).values() if str(p) == path)
    return read_parcellation(found, _store.grid, _store.mask, _store.space)


def offer_upload(page: PageContext) -> None:
    """Take a visitor's parcellation: an image of labels and a table of names."""
    with st.expander("Regions of your own"):
        _upload(page)


def _upload(page: PageContext) -> None:
    refused = plain(actions.refusal())
    with st.form("parcellation", border=False):
        st.caption(
            "An image of labels (NIfTI) and a table of names (tab-separated, columns index and "
            f"name). Or place both into the dataset's folder {FOLDER}."
        )
        image = st.file_uploader("Labels", type=["nii", "gz"], max_upload_size=200)
        table = st.file_uploader("Names", type=["tsv"], max_upload_size=5)
        same = st.checkbox(
            f"It is in the space of these data, {page.store.space}",
            help="Needed when its grid is another one: labels are then looked up at the nearest "
            "voxel, and 'approximate' stands beside them.",
        )
        if st.form_submit_button("Add", disabled=bool(refused), help=refused or None):
            with guard():
                if image is None or table is None:
                    st.warning("Choose both files: the labels and their names.")
                    return
                space = page.store.space if same else ""
                actions.add_parcellation(
                    page.dataset, page.store, image.name, image, table.getvalue(), space
                )
                st.rerun()


AMOUNTS = {
    "all mass": Amount(),
    "top 10 % of mass": Amount("mass", 10),
    "top 200 voxels": Amount("voxels", 200),
}


class CountedMap(NamedTuple):
    """What of a map is counted, and in which regions."""

    named: Regions
    amount: Amount


def show_regions(page: PageContext, look: MapView) -> CountedMap:
    """Show the regions of one head's map against uniform attention; return what was counted."""
    found = shown(look.wanted)
    head = min(look.head, len(found.names) - 1)
    st.markdown("**Is that more than chance?**", help=_terms())
    name = st.segmented_control(
        "Count",
        tuple(AMOUNTS),
        default="all mass",
        required=True,
        key=Key.W_MAP_AMOUNT,
        help="All of the map by its mass, its strongest tenth, or its 200 strongest "
        "voxels. Voxels of equal value at the border count in part.",
        persist_state="session",
    )
    named = pick_regions(page)
    amount = AMOUNTS[str(name or "all mass")]
    rows = table(look.wanted, head, amount, named)
    info = regions_info(rows)
    charts.show(
        draw_regions(info, page.theme, found.names[head]),
        page.theme,
        f"{look.wanted.maps.job.name}_{look.wanted.method}_regions",
        alt="Share of the map by region beside uniform attention",
        save_as=look.save_as,
    )
    if info.n_left_out:
        st.caption(f"{info.n_left_out} smaller regions stand in the table of numbers.")
    _explain(found, rows, head, named)
    return CountedMap(named, amount)


def show_files(page: PageContext, look: MapView, counted: CountedMap) -> None:
    """Show the numbers behind the bars, and offer the map and them as files."""
    found = shown(look.wanted)
    head = min(look.head, len(found.names) - 1)
    rows = table(look.wanted, head, counted.amount, counted.named)
    with st.expander("Numbers by region; the map as NIfTI"):
        _numbers(rows)
        _files(page, look, rows, found.mass[head])


def _terms() -> str:
    return f"{glossary('uniform attention')}\n\n{glossary('turned regions')}"


def _explain(found: ShownMaps, rows: pd.DataFrame, head: int, named: Regions) -> None:
    words = [f"Regions: {named.source}."]
    outside = rows[rows["region"] == NO_REGION]
    if len(named.names) and len(outside):
        share, flat = (100 * float(outside.iloc[0][key]) for key in ("share", "uniform"))
        words.append(f"{share:.1f} % lies in no region (uniform attention: {flat:.1f} %).")
    if bool(rows["no_signal"].any()):
        names = rows.loc[rows["no_signal"], "region"].head(3).str.replace("_", " ")
        words.append(
            f"Grey: {', '.join(names)} gets more than uniform attention although its noise "
            f"ceiling is below {LEAST_CEILING:g} %."
        )
    if found.uniform_background > 1e-9:
        words.append(
            f"{100 * found.background[head]:.1f} % of the map lies outside the brain (uniform "
            f"attention: {100 * found.uniform_background:.1f} %)."
        )
    st.caption(plain(" ".join(words)))


def _numbers(rows: pd.DataFrame) -> None:
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "region": "Region",
            "n_voxels": "Voxels",
            "share": st.column_config.NumberColumn("Share", format="percent"),
            "uniform": st.column_config.NumberColumn("Uniform", format="percent"),
            "enrichment": st.column_config.NumberColumn("Enrichment", format="%.2f"),
            "ceiling": st.column_config.NumberColumn("Noise ceiling, %", format="%.1f"),
            "p": st.column_config.NumberColumn(format="%.3f"),
            "q": st.column_config.NumberColumn(format="%.3f"),
            "no_signal": "No signal",
        },
    )


def _files(
    page: PageContext, look: MapView, rows: pd.DataFrame, mass: NDArray[np.floating]
) -> None:
    maps = look.wanted.maps
    parts = [maps.job.name, maps.part, look.wanted.method]
    if look.wanted.by_head:
        parts.append(f"layer{look.wanted.layer + 1}-head{look.head + 1}")
    name = "_".join(parts)
    with st.container(horizontal=True):
        st.download_button(
            "Map as NIfTI",
            lambda: nifti(page.store, mass),
            file_name=f"{name}.nii.gz",
            mime="application/gzip",
            icon=":material/download:",
            on_click="ignore",
            help="In the space of the data; FSLeyes and others show it at the right place.",
        )
        st.download_button(
            "Regions as CSV",
            rows.to_csv(index=False),
            file_name=f"{name}_regions.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )


def nifti(store: BetaStore, mass: NDArray[np.floating]) -> bytes:
    """Return a map (n_voxels,) as a NIfTI file on the grid of the data, gzipped.

    Values sum to 1 over brain and background, times a million: shares of the map in ppm.
    """
    volume = store.brain.unmask(np.asarray(mass) * 1e6)
    image = nib.Nifti1Image(volume, store.grid.matrix)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = b"share of a map's mass, ppm"
    return gzip.compress(image.to_bytes(), 6, mtime=0)
