"""The Learning curves page: whether more trials, more repeats or more voxels would help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from models.catalog.registry import MODELS
from thingsviz.figures.scores.learning import AXES, draw_learning, learning_info
from thingsviz.jobs.result_cache import folder_of, read_kept
from thingsviz.ui.caches.dataset_cache import FileStamp, stamp
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import PageContext
from thingsviz.ui.shell.glossary import glossary
from thingsviz.ui.shell.task_bar import task_bar
from thingsviz.ui.shell.ui_state import Key

OFFERED = ("ridge", "concept_decoder")
WHY = (
    "Fits the decoder about twenty times on drawn trials and voxels: a minute or two for the "
    "demo, ten for a whole subject."
)
READ = {
    "trials": "Trials are drawn three times; smaller draws are parts of larger ones. Still rising "
    "at the right end: more scanning would help.",
    "repeats": "The predictions of an image's repeats are averaged. The dashed line is expected "
    "from single trials alone: r₁ · √(k / (1 + (k − 1) ρ)), ρ the share of a single prediction's "
    "variance that belongs to its image (Spearman 1910, Brown 1910). Its limit is what noise-free "
    "responses would give this decoder.",
    "voxels": "The best voxels are chosen by the training trials alone.",
}
COULD_NOT = (
    "**What this could not show.** All points share the same test concepts, so the whole curve "
    "may be lucky or unlucky together: the band is one of 95 % over concepts, and shapes are "
    "surer than heights. The oracle is known for SIMULATED data only. Mean: a constant "
    "prediction has no r. One person's brain was decoded. The test concepts were looked at for "
    "every point: choose nothing by these curves that is then scored on the same test."
)


def start_bar(page: PageContext) -> None:
    """Offer to compute the curves of a linear decoder."""
    names = [name for name in OFFERED if name in MODELS]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Decoder", names, key=str(Key.W_CURVES_MODEL), persist_state="session", width=220
        )
        args = (str(page.dataset.root), "--subject", page.subject, "--model", str(name))
        task_bar("learning_curves", args, "Compute learning curves", WHY)


def kept_curves(page: PageContext) -> pd.DataFrame | None:
    """Return the rows of the decoder chosen; None before they are computed."""
    wanted = st.session_state.get(str(Key.W_CURVES_MODEL), OFFERED[0])
    folder = folder_of("curves", page.store.fingerprint)
    files = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    found = (_kept(stamp(path)) for path in files)
    match = next((kept for kept in found if kept and kept.get("model") == wanted), None)
    return None if match is None else pd.DataFrame(match["rows"])


@st.cache_resource(max_entries=16, show_spinner=False)
def _kept(file: FileStamp) -> dict[str, Any] | None:
    return read_kept(Path(file.path))


def choose_target(rows: pd.DataFrame) -> str:
    """Let the visitor choose the mean or one property."""
    targets = rows["target"].drop_duplicates().tolist()
    return str(st.selectbox("Property", targets, key=str(Key.W_CURVES_TARGET), width=220))


def show_curves(rows: pd.DataFrame, target: str, page: PageContext, save_as: str) -> None:
    """Show each curve with the line of text that reads it."""
    for curve in AXES:
        info = learning_info(rows, curve, target)
        if not info.n_points:
            continue
        figure = draw_learning(info, page.theme, page.simulated)
        alt = f"{AXES[curve][1]}: {info.n_points} points with intervals"
        charts.show(figure, page.theme, f"learning_{curve}", alt=alt, save_as=save_as)
        st.caption(
            f"{READ[curve]} {tested_text(rows, curve, target)}",
            help=f"{glossary('pearson r')}\n\n{glossary('noise ceiling')}",
        )
    st.caption(COULD_NOT)


def tested_text(rows: pd.DataFrame, curve: str, target: str) -> str:
    """Say on how many trials and concepts a curve's points were scored."""
    own = rows[rows["curve"].eq(curve) & rows["target"].eq(target)].dropna(subset=["n_trials"])
    if own.empty:
        return ""
    low, high = int(own["n_trials"].min()), int(own["n_trials"].max())
    n = f"{high:,}" if low == high else f"{low:,} to {high:,}"
    what = "averaged images" if curve == "repeats" else "trials"
    return f"Tested on {n} {what} of {int(own['n_concepts'].max()):,} concepts."


def show_export(rows: pd.DataFrame) -> None:
    """Offer all points as CSV."""
    st.download_button(
        "Learning curves (CSV)",
        rows.to_csv(index=False),
        "learning-curves.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
