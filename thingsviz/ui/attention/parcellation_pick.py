"""Which regions a map is counted in: those of the data, or a parcellation of the visitor's own."""

from __future__ import annotations

import streamlit as st

from thingsviz.analysis.regions.parcellation import FOLDER, parcellations, read_parcellation
from thingsviz.analysis.regions.regions import Regions
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.ui import actions
from thingsviz.ui.brain import slices
from thingsviz.ui.caches.dataset_cache import FileStamp, stamp
from thingsviz.ui.shell.frame import PageContext, guard, plain
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
