"""Making maps from the page: in a process of its own, with a bar, and it can be stopped."""

from __future__ import annotations

import streamlit as st

from thingsviz.data.betas import BetaStore
from thingsviz.jobs.map_files import MapSet
from thingsviz.jobs.tasks import Task, tasks
from thingsviz.ui import actions
from thingsviz.ui.attention_data import current_fingerprint
from thingsviz.ui.frame import guard, plain
from thingsviz.ui.task_bar import stop_button

EVERY_S = 1.5


def ready(maps: MapSet, store: BetaStore) -> bool:
    """Say whether the maps are there; else offer to make them, or show how far that is."""
    task = newest(maps)
    if task is not None and task.state == "running":
        st.fragment(follow, run_every=EVERY_S)(maps)
        return bool(_fresh(maps, store)) and bool(maps.facts().get("truth") is not None)
    if _fresh(maps, store):
        return True
    if task is not None and task.state == "failed":
        st.error(plain(task.message), icon=":material/error:")
    _offer(maps, stale=bool(maps.methods()))
    return False


def _fresh(maps: MapSet, store: BetaStore) -> bool:
    """Whether there are maps, all of the weights and data as they are now."""
    kept = maps.facts().get("fingerprint")
    return bool(maps.methods()) and kept == current_fingerprint(maps.job, store)


def _offer(maps: MapSet, *, stale: bool) -> None:
    single = maps.part.startswith("row-")
    sentence = (
        "These maps were made with other weights or data: make them again."
        if stale
        else "There are no maps of these trials yet."
    )
    time = "seconds" if single else "minutes; the app stays usable"
    st.info(f"{sentence} Making them takes {time}.", icon=":material/info:")
    refused = plain(actions.refusal())
    clicked = st.button(
        "Make the maps",
        icon=":material/play_arrow:",
        type="primary",
        disabled=bool(refused),
        help=refused or None,
    )
    if clicked:
        with guard():
            start(maps)
            st.rerun()


def start(maps: MapSet, *more: str) -> Task:
    """Start making all maps of a set; those of many trials are judged too."""
    arguments = [str(maps.job.path), "--part", maps.part, "--target", maps.target]
    judge = [] if more or maps.part.startswith("row-") else ["--judge"]
    return actions.begin_task("maps", [*arguments, *judge, *more])


def newest(maps: MapSet) -> Task | None:
    """Return the newest making of these maps that is remembered."""
    wanted = (str(maps.job.path), "--part", maps.part, "--target", maps.target)
    return next((t for t in tasks() if t.kind == "maps" and t.args[:5] == wanted), None)


def follow(maps: MapSet) -> None:
    """Show the bar; draw the page anew at the end."""
    task = newest(maps)
    if task is None or task.state != "running":
        st.rerun()
    done, total, _ = task.progress
    with st.container(horizontal=True, vertical_alignment="center"):
        share = min(done / total, 1.0) if total else 0.0
        st.progress(share, text=plain(f"Making the maps: {task.message}"))
        stop_button(task, f"stop_{task.id}")
