"""The Leaderboard page: which region tells which property, as fields, table and brain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from thingsviz.analysis.regions.regions import regions_of
from thingsviz.core.typography import minus
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.voxel_metadata import region_columns
from thingsviz.figures.brain.slices import draw_slices, slices_info, start_voxel
from thingsviz.figures.scores.leaderboard import (
    LEVEL,
    draw_heat,
    heat_info,
    readable,
    region_volume,
    words_of,
)
from thingsviz.jobs.result_cache import newest, read_kept
from thingsviz.ui.caches import dataset_cache
from thingsviz.ui.caches.dataset_cache import FileStamp, stamp
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.shell.glossary import glossary
from thingsviz.ui.shell.task_bar import task_bar
from thingsviz.ui.shell.ui_state import Key

WHOLE = "whole brain"
WHY = (
    "Fits a ridge in each region on concept means and scores it on concepts it never saw. Reads "
    "the data twice: seconds for the demo, a minute or two for a whole subject."
)
COULD_NOT = (
    "**What this could not show.** A region that does well need not be the one that the brain "
    "uses: neighbours share noise and blood vessels, and larger regions have more voxels. A "
    "region that does badly may still hold the property in another code than a linear one. "
    "q ≤ 0.05: of the fields with a dot about 5 % are expected to be chance. One subject's "
    "board says nothing of another's."
)


def start_bar(page: PageContext) -> None:
    """Offer to compute this subject's board, or to do so again."""
    known = _board_file(page.store.fingerprint) is not None
    label = "Compute the leaderboard again" if known else "Compute the leaderboard"
    args = (str(page.dataset.root), "--subject", page.subject)
    task_bar("leaderboard", args, label, WHY)


def boards(page: PageContext) -> pd.DataFrame | None:
    """Return the boards of all subjects of the dataset that have one, below each other."""
    found = []
    for subject in page.dataset.subjects():
        state = dataset_cache.state_of(page.dataset, subject)
        if state.state not in {"ready", "stale"}:
            continue
        path = _board_file(dataset_cache.store(page.dataset, subject).fingerprint)
        board = None if path is None else _rows(stamp(path))
        if board is not None:
            found.append(board)
    return pd.concat(found, ignore_index=True) if found else None


def _board_file(fingerprint: str) -> Path | None:
    return newest("leaderboards", fingerprint)


@st.cache_resource(max_entries=32, show_spinner=False)
def _rows(file: FileStamp) -> pd.DataFrame | None:
    kept = read_kept(Path(file.path))
    if kept is None:
        return None
    return pd.DataFrame(kept["rows"]).assign(source=str(kept.get("source") or ""))


def choose_averaging(board: pd.DataFrame) -> pd.DataFrame:
    """Let the visitor choose between single trials and means of repeats."""
    kinds = sorted(board["n_averaged"].unique(), key=lambda kind: kind == "single")
    found = st.segmented_control(
        "Responses",
        kinds,
        default=kinds[0],
        required=True,
        key=str(Key.W_BOARD_AVERAGING),
        help=glossary("average of repeats"),
    )
    chosen: pd.DataFrame = board[board["n_averaged"] == (found or kinds[0])]
    return chosen


def show_heat(board: pd.DataFrame, page: PageContext, save_as: str) -> None:
    """Show the fields of the subject of the page, the whole brain as a line of its own."""
    own = board[board["subject"] == page.subject]
    simulated = " (SIMULATED)" if page.simulated else ""
    info = heat_info(own)
    kept = sum(map(sum, info.survives))
    figure = draw_heat(info, page.theme, f"r of each region and property{simulated}")
    alt = f"Fields of {len(info.regions)} regions and {len(info.properties)} properties"
    charts.show(figure, page.theme, "board", alt=alt, save_as=save_as)
    first = own.iloc[0]
    what = "trials" if first["n_averaged"] == "single" else "averaged images"
    st.caption(
        plain(
            f"{kept} of {len(own)} fields survive the correction. Tested on "
            f"{first['n_trials']:,} {what} of {first['n_concepts']:,} concepts "
            "that no ridge was fitted on; point at a field for its interval, chance, p, q, "
            f"ceiling and n.{regions_words(own)}"
        )
    )
    st.caption(COULD_NOT)


def regions_words(board: pd.DataFrame) -> str:
    """Say whose regions a board has where they are not the data's own."""
    source = str(board["source"].iloc[0])
    return f" Regions: {source}." if source else ""


def show_brain(board: pd.DataFrame, page: PageContext, save_as: str) -> None:
    """Show one property's scores where the regions lie."""
    own = board[(board["subject"] == page.subject) & (board["region"] != WHOLE)]
    best = own.groupby("property")["r"].max().sort_values(ascending=False)
    target = str(
        st.selectbox("Property", list(best.index), key=str(Key.W_BOARD_PROPERTY), width=260)
    )
    rows = own[own["property"] == target].sort_values("r", ascending=False)
    member = membership(page.store)
    if not rows["region"].isin(list(member)).all():
        words = regions_words(own)
        st.info(
            plain(f"This view knows the data's own regions only.{words}"), icon=":material/info:"
        )
        return
    pairs = zip(rows["region"].astype(str), rows["r"].astype(float), strict=True)
    values = region_volume({a: r for a, r in pairs if a in member}, member, page.store.shape[1])
    top = {str(name): value for name, value in rows.iloc[0].items()}
    at = start_voxel(page.store.mask, member[top["region"]].astype(float))
    limit = max(float(np.abs(values).max()), 0.1)
    volume = page.store.brain.unmask(values)
    info = slices_info(volume, page.store.mask, page.store.grid, at, limit=limit)
    simulated = " (SIMULATED)" if page.simulated else ""
    title = f"{target}: r of each region, cut through {readable(top['region'])}{simulated}"
    figure = draw_slices(info._replace(unit="r"), page.theme, title)
    charts.show(figure, page.theme, "board_brain", alt=f"Slices: {title}", save_as=save_as)
    st.caption(
        plain(f"{words_of(top).replace('<br>', '; ')}; {_beside(board, page, target)}."),
        help=COULD_NOT,
    )


def _beside(board: pd.DataFrame, page: PageContext, target: str) -> str:
    """Say what the plain references of a region's score are."""
    same = board["subject"].eq(page.subject) & board["property"].eq(target)
    whole = board.loc[same & board["region"].eq(WHOLE), "r"].tolist()
    ridge = f"{whole[0]:.2f}" if whole else "–"
    return (
        f"ridge on the whole brain {ridge}, mean – (a constant correlates with nothing), oracle – "
        "(none is known for a region)"
    )


def membership(store: BetaStore) -> dict[str, Any]:
    """Return which voxels each region holds, by the data's regions or the atlas."""
    return _membership(store.fingerprint, _store=store)


@st.cache_resource(max_entries=4, show_spinner="Finding regions …")
def _membership(fingerprint: str, _store: BetaStore) -> dict[str, Any]:
    columns = region_columns(_store.voxels)
    if columns:
        return {name: _store.voxels[name].to_numpy() for name in columns}
    named = regions_of(_store.voxels, _store.grid, _store.mask, _store.space)
    return {name: named.labels == i for i, name in enumerate(named.names, 1)}


COLUMNS = {
    "subject": "",
    "region": "roi",
    "property": "rating",
    "r": "pearson r",
    "span": "confidence interval",
    "chance": "chance",
    "p": "permutation p",
    "q": "corrected q",
    "ceiling": "noise ceiling",
    "n_voxels": "",
    "n": "",
}
TITLES = {"span": "95 %"}
TEXTS = {"subject", "region", "property", "span", "n"}
# pixels by which one subject's columns stand beside each other at a window of 768; regions take
# what is left
WIDTHS = {"property": 92, "r": 46, "span": 94, "chance": 58, "p": 58, "q": 52, "ceiling": 58}
WIDTHS |= {"n_voxels": 64, "n": 64}
HELPS = {"n": "Test trials, and concepts that they show."}


def table_of(board: pd.DataFrame) -> pd.DataFrame:
    """Return all rows, best first; one subject needs no column of its own."""
    span = [
        "–" if pd.isna(low) or pd.isna(high) else minus(f"{low:.2f} to {high:.2f}")
        for low, high in zip(board["low"], board["high"], strict=True)
    ]
    pairs = zip(board["n_trials"], board["n_concepts"], strict=True)
    counts = [f"{n:,}, {m:,}" for n, m in pairs]
    table = board.assign(span=span, n=counts)[list(COLUMNS)].sort_values("r", ascending=False)
    table = table.assign(region=table["region"].map(readable))
    rounded = ["r", "chance", "ceiling"]
    table[rounded] = table[rounded].astype(float).round(2) + 0.0  # no −0.00
    several = table["subject"].ne(table["subject"].iloc[0]).any() if len(table) else True
    return table if several else table.drop(columns="subject")


def show_table(board: pd.DataFrame) -> None:
    """Show all rows, best first; a click on a heading sorts by it."""
    table = table_of(board)
    form = {"p": "%.4f", "q": "%.3f", "n_voxels": "localized"}
    config: dict[str, Any] = {}
    for name, term in COLUMNS.items():
        title = TITLES.get(name, name.removeprefix("n_"))
        help_ = glossary(term) if term else HELPS.get(name)
        width = WIDTHS.get(name)
        if name in TEXTS:
            config[name] = st.column_config.TextColumn(title, width=width, help=help_)
        else:
            number = st.column_config.NumberColumn
            config[name] = number(title, width=width, help=help_, format=form.get(name, "%.2f"))
    st.dataframe(
        table,
        column_config=config,
        hide_index=True,
        height=420,
        alt="The leaderboard",
        placeholder="–",
    )
    st.download_button(
        "Leaderboard (CSV)",
        board.to_csv(index=False),
        "leaderboard.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        help=f"All rows of the responses chosen; q ≤ {LEVEL:g} survives the correction.",
    )
