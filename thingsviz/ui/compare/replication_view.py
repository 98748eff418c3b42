"""The replication on a page: the one click, its progress, and the document to read."""

from __future__ import annotations

import base64
from pathlib import Path

import streamlit as st

from thingsviz.jobs.job_folder import jobs_root
from thingsviz.queue.background_tasks import Task, tasks
from thingsviz.ui import actions
from thingsviz.ui.caches.dataset_cache import stamp
from thingsviz.ui.shell import ui_state
from thingsviz.ui.shell.frame import PageContext, guard, plain
from thingsviz.ui.shell.task_bar import stop_button
from thingsviz.ui.shell.ui_state import Key

KIND = "replicate"
REPORTS = ".reports"
MINUTES = 20
EVERY_S = 1.5
HEIGHT = 700
WORDS = (
    "Trains the original study's own decoders on this subject with the original study's own "
    "settings, one after the other: the 3-D vision transformer, the transformer with a CNN and "
    "with Optuna, the three classifiers, and ridge and the concept-level decoder beside them. It "
    "ends as a document that shows every number of the original study beside ours, beside chance, "
    "the mean, ridge and the noise ceiling, and says what each of them means. On a processor "
    "without a GPU the whole would take days: the trainings are cut to the time below, and each "
    "row says by how much."
)


def out_folder(page: PageContext) -> Path:
    """Return where this subject's document is written."""
    return jobs_root() / REPORTS / f"{page.dataset.name}-{page.subject}"


def task_of(page: PageContext) -> Task | None:
    """Return the newest run for this subject, if it is still remembered."""
    out = str(out_folder(page))
    return next((t for t in tasks() if t.kind == KIND and t.args[:1] == (out,)), None)


def show_again(page: PageContext) -> None:
    """Offer the run, follow it, and hand out its document; nothing where no data are."""
    if page.kept is None:
        return
    task = task_of(page)
    running = task is not None and task.state == "running"
    told = task is not None and task.state in {"running", "failed"}
    with st.expander("Replicate the original study", icon=":material/history:", expanded=told):
        st.markdown(WORDS)
        with guard():
            if running:
                st.fragment(_follow, run_every=EVERY_S)(page)
            else:
                _offer(page, task)
        _document(page)


def _offer(page: PageContext, last: Task | None) -> None:
    if last is not None and last.state == "failed":
        st.warning(plain(f"The last run ended early: {last.message}"), icon=":material/error:")
    refused = plain(actions.refusal())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        minutes = st.number_input(
            "Minutes in all",
            min_value=2,
            max_value=10_000,
            value=MINUTES,
            step=5,
            key=str(Key.W_AGAIN_MINUTES),
            width=160,
            help="About so long on an idle machine. Trainings that are done are not repeated: a "
            "second click goes on where a stopped run ended.",
        )
        st.button(
            "Run the original study's settings again",
            icon=":material/play_arrow:",
            key="w_again_start",
            on_click=start,
            args=(page, int(minutes)),
            disabled=bool(refused),
            help=refused or None,
        )


def start(page: PageContext, minutes: int) -> None:
    """Start the run in the background."""
    with guard():
        out = str(out_folder(page))
        args = [out, "--dataset", page.dataset.name, "--subject", page.subject]
        actions.begin_task(KIND, [*args, "--minutes", str(minutes)])


def _follow(page: PageContext) -> None:
    task = task_of(page)
    if task is None or task.state != "running":
        st.rerun(scope="app")
    done, total, _ = task.progress
    share = min(done / total, 1.0) if total else 0.0
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(share, text=plain(task.message))
        stop_button(task, "w_again_stop")
    seen = stamp(out_folder(page) / "report.html").mtime_ns
    if ui_state.get(Key.AGAIN_SEEN) != seen:
        ui_state.put(Key.AGAIN_SEEN, seen)
        st.rerun(scope="app")


def _document(page: PageContext) -> None:
    """Offer the document as a file, and to read here; it grows while trainings run."""
    path = out_folder(page) / "report.html"
    if not path.is_file():
        return
    text = _text(str(path), stamp(path).mtime_ns)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "The document (HTML)",
            text,
            f"the-report-again-{page.dataset.name}-{page.subject}.html",
            "text/html",
            icon=":material/download:",
            on_click="ignore",
            help="One file with all figures in it; it opens in any browser, also offline.",
        )
        shown = st.toggle("Read it here", key=str(Key.W_AGAIN_READ))
    if shown:
        # as an address of its own the document has no access to the app
        inside = "data:text/html;base64," + base64.b64encode(text.encode()).decode()
        st.iframe(
            inside, height=HEIGHT, alt="The document: the original study's numbers beside ours"
        )


@st.cache_data(max_entries=8, show_spinner=False)
def _text(path: str, mtime_ns: int) -> str:
    return Path(path).read_text(encoding="utf-8")
