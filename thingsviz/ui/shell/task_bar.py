"""A piece of long work on a page: its button, its bar while it runs, its sentence if it failed."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from thingsviz.queue.background_tasks import Task, tasks
from thingsviz.ui import actions
from thingsviz.ui.shell.frame import guard, plain

EVERY_S = 1.0


def task_bar(kind: str, args: Sequence[str], label: str, why: str) -> None:
    """Show the newest task of this kind with these first arguments; a button starts one."""
    found = newest(kind, args)
    running = found is not None and found.state == "running"
    st.fragment(_bar, run_every=EVERY_S if running else None)(kind, tuple(args), label, why)


def newest(kind: str, args: Sequence[str]) -> Task | None:
    """Return the newest task that was started with exactly these arguments."""
    return next((t for t in tasks() if t.kind == kind and t.args == tuple(args)), None)


def _bar(kind: str, args: tuple[str, ...], label: str, why: str) -> None:
    task = newest(kind, args)
    if task is not None and task.state == "running":
        _running(task, label)
        st.session_state[f"task_{kind}"] = task.id
        return
    if task is not None and st.session_state.pop(f"task_{kind}", None) == task.id:
        st.rerun()  # it has just ended: the page shows its result
    if task is not None and task.state == "failed":
        st.error(plain(f"It ended early: {task.message}"), icon=":material/error:")
    refused = plain(actions.refusal())
    clicked = st.button(
        label,
        icon=":material/play_arrow:",
        help=refused or why,
        key=f"w_start_{kind}",
        disabled=bool(refused),
    )
    if clicked:
        with guard():
            actions.begin_task(kind, args)
            st.rerun()


def _running(task: Task, label: str) -> None:
    done, total, _ = task.progress
    with st.container(horizontal=True, vertical_alignment="center"):
        share = min(done / total, 1.0) if total else 0.0
        st.progress(share, text=plain(f"{label}: {task.message}"))
        stop_button(task, f"w_stop_{task.id}")


def stop_button(task: Task, key: str) -> None:
    """Offer to interrupt a task to whoever may."""
    refused = plain(actions.task_refusal(task.id))
    st.button(
        "Stop",
        key=key,
        on_click=_end,
        args=(task.id,),
        help=refused or None,
        disabled=bool(refused),
    )


def _end(task_id: str) -> None:
    with guard():
        actions.end_task(task_id)
