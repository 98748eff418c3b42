"""Making maps from the page: in a process of its own, with a bar, and it can be stopped."""

from __future__ import annotations

import psutil
import streamlit as st

from models.base.work import NetworkWork
from models.cost.estimate import work_of
from models.transformer.config import TransformerConfig
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.explain.map_files import MapSet
from thingsviz.explain.map_methods import METHODS, MapSizes
from thingsviz.queue.background_tasks import Task, tasks
from thingsviz.ui import actions
from thingsviz.ui.attention.data import current_fingerprint
from thingsviz.ui.attention.regions import pick_name
from thingsviz.ui.shell.frame import PageContext, guard, plain
from thingsviz.ui.shell.task_bar import stop_button

EVERY_S = 1.5
STOPPED = "maps: interrupted"  # the last words of the command then


def ready(page: PageContext, maps: MapSet) -> bool:
    """Say whether the maps are there; else offer to make them, or show how far that is."""
    task, store = newest(maps), page.store
    if task is not None and task.state == "running":
        st.fragment(follow, run_every=EVERY_S)(maps)
        return bool(_fresh(maps, store)) and bool(maps.facts().get("truth") is not None)
    if _fresh(maps, store):
        return True
    if was_stopped(task):
        st.info("Making these maps was stopped before one was there.", icon=":material/info:")
    elif task is not None and task.state == "failed":
        st.error(plain(task.message), icon=":material/error:")
    _offer(page, maps, stale=bool(maps.methods()))
    return False


def was_stopped(task: Task | None) -> bool:
    """Whether somebody stopped the making, which is no failure."""
    return task is not None and task.state == "failed" and STOPPED in task.message


def _fresh(maps: MapSet, store: BetaStore) -> bool:
    """Whether there are maps, all of the weights and data as they are now."""
    kept = maps.facts().get("fingerprint")
    return bool(maps.methods()) and kept == current_fingerprint(maps.job, store)


def _offer(page: PageContext, maps: MapSet, *, stale: bool) -> None:
    single = maps.part.startswith("row-")
    sentence = (
        "These maps were made with other weights or data: make them again."
        if stale
        else "There are no maps of these trials yet."
    )
    time = "seconds" if single else "minutes; the app stays usable"
    st.info(
        f"{sentence} Making them takes {time}. {plain(memory_words(maps, page.store))}",
        icon=":material/info:",
    )
    regions = pick_name(page, "Regions that are left out, one after the other")
    offer_button(maps, "Make the maps", regions)


def offer_button(maps: MapSet, label: str, regions: str = "") -> None:
    """Offer to make all maps of a set anew; `regions` names a parcellation of the visitor's."""
    task = newest(maps)
    if task is not None and task.state == "running":
        return
    refused = plain(actions.refusal())
    clicked = st.button(
        label,
        icon=":material/play_arrow:",
        type="primary",
        disabled=bool(refused),
        help=refused or None,
    )
    if clicked:
        with guard():
            start(maps, regions)
            st.rerun()


def memory_words(maps: MapSet, store: BetaStore) -> str:
    """Say how much memory the costliest method takes, and how much is free."""
    model = maps.job.config().model
    sizes = MapSizes(store.shape[1])
    methods = [method for method in METHODS.values() if method.needs != "attention"]
    if isinstance(model, TransformerConfig):
        work = work_of(model, store.mask)
        assert isinstance(work, NetworkWork)
        sizes = MapSizes(store.shape[1], work.n_tokens, model.n_heads, model.n_layers)
        methods = list(METHODS.values())
    worst = max(methods, key=lambda method: method.peak_bytes(sizes))
    needed, free = worst.peak_bytes(sizes), psutil.virtual_memory().available
    words = (
        f"They need at most about {needed / 2**30:.1f} GB of memory beside the model "
        f"({worst.title}); {free / 2**30:.1f} GB are free, and they can be stopped."
    )
    if needed > 0.8 * free:
        words += " That is too little: methods that do not fit are refused before they start."
    return words


def start(maps: MapSet, regions: str = "") -> Task:
    """Start making all maps of a set; those of many trials are judged too.

    `regions`: a parcellation beside the data, by name, whose regions are left out one by one.
    """
    judge = () if maps.part.startswith("row-") else ("--judge",)
    return _begin(maps, *judge, *(("--regions", regions) if regions else ()))


def start_permuted(maps: MapSet) -> Task:
    """Start training the network on permuted labels and comparing its maps."""
    return _begin(maps, "--permuted")


def start_epochs(maps: MapSet, method: str) -> Task:
    """Start making a method's map of each epoch whose weights were kept."""
    return _begin(maps, "--epochs", "--methods", method)


def _begin(maps: MapSet, *more: str) -> Task:
    first = [str(maps.job.path), "--part", maps.part, "--target", maps.target]
    return actions.begin_task("maps", [*first, *more])


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
