"""Planting and preparing as seen from a page: start, progress, stop, and what comes after."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from thingsviz.data.things.layout import Dataset, datasets_root
from thingsviz.queue.background_tasks import Task, tasks
from thingsviz.ui import actions
from thingsviz.ui.caches import dataset_cache
from thingsviz.ui.shell import ui_state
from thingsviz.ui.shell.frame import guard, plain
from thingsviz.ui.shell.task_bar import stop_button
from thingsviz.ui.shell.ui_state import Key

DEMO = "demo"
EVERY_S = 1.0
DOING = {"simulate": "Planting", "prepare": "Preparing", "maps": "Making maps of"}


def start_demo() -> None:
    """Plant the demo subject; `follow` prepares it when that is done."""
    folder = datasets_root() / DEMO
    with guard():
        actions.begin_task(
            "simulate", [str(folder), "--preset", "demo", "--seed", "1", "--if-missing"]
        )
        ui_state.put(Key.PREPARE_NEXT, str(folder))


def start_prepare(dataset: Dataset, subject: str, *more: str) -> None:
    """Prepare a subject in the background."""
    with guard():
        actions.begin_task("prepare", [str(dataset.root), "--subject", subject, *more])


def running() -> list[Task]:
    """Return the tasks under way, the newest first."""
    return [task for task in tasks() if task.state == "running"]


def last_prepare(dataset: Dataset, subject: str) -> Task | None:
    """Return the newest preparation of a subject, if it is still remembered."""
    of_it = (t for t in tasks() if t.kind == "prepare" and t.args[:1] == (str(dataset.root),))
    return next((t for t in of_it if subject in t.args), None)


def last_plant() -> Task | None:
    """Return the newest planting of the demo subject, if it is still remembered."""
    folder = str(datasets_root() / DEMO)
    return next((t for t in tasks() if t.kind == "simulate" and t.args[:1] == (folder,)), None)


def show_tasks() -> None:
    """Show what is under way, and keep looking while there is something."""
    busy = bool(running()) or ui_state.get(Key.PREPARE_NEXT) is not None
    st.fragment(follow, run_every=EVERY_S if busy else None)()


def follow() -> None:
    """Show the bars; draw the whole page anew when a task has ended."""
    now = running()
    for task in now:
        _bar(task)
    ids = sorted(task.id for task in now)
    before = ui_state.get(Key.TASKS_SEEN, [])
    ui_state.put(Key.TASKS_SEEN, ids)
    if set(before) - set(ids) or _prepare_planted():
        dataset_cache.forget_folders()
        st.rerun()


def _bar(task: Task) -> None:
    what = DOING.get(task.kind, task.kind.replace("_", " ").capitalize())
    done, total, _ = task.progress
    with st.container(horizontal=True, vertical_alignment="center"):
        share = min(done / total, 1.0) if total else 0.0
        name = Path(task.args[0]).name if task.args else ""
        st.progress(share, text=plain(f"{what} {name}: {task.message}"))
        stop_button(task, f"stop_{task.id}")


def _prepare_planted() -> bool:
    """Prepare the demo that this visitor asked for, once it is planted; True when begun."""
    folder = ui_state.get(Key.PREPARE_NEXT)
    if folder is None or any(task.kind == "simulate" for task in running()):
        return False
    ui_state.forget(Key.PREPARE_NEXT)
    planted = last_plant()
    if planted is None or planted.state != "done":
        return False
    start_prepare(Dataset(Path(folder)), "sub-01")
    return True
