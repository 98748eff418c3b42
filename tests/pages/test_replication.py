"""'Replicate the original study' on the pages: offered, followed, stopped, read."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from thingsviz.core.progress import Progress
from thingsviz.queue.background_tasks import Task
from thingsviz.ui.compare import replication_view

PAGES = Path(__file__).parents[2] / "pages"


@pytest.fixture
def started(monkeypatch):
    """What would have been started."""
    found = []
    monkeypatch.setattr("thingsviz.ui.actions.begin_task", lambda *args: found.append(args))
    return found


@pytest.fixture
def page(tiny_env):
    st.cache_data.clear()
    st.cache_resource.clear()

    def visit(name="compare.py") -> AppTest:
        app = AppTest.from_file(PAGES / name, default_timeout=60).run()
        assert not app.exception, app.exception
        return app

    return visit


def button(app, label):
    return next(b for b in app.button if b.label == label)


@pytest.mark.parametrize("name", ["compare.py", "train.py"])
def test_one_click_starts_the_run(page, started, tiny_env, name):
    app = page(name)
    button(app, "Run the original study's settings again").click().run()
    assert not app.exception
    out = str(tiny_env / ".reports" / "tiny-sub-01")
    assert started == [
        ("replicate", [out, "--dataset", "tiny", "--subject", "sub-01", "--minutes", "20"])
    ]


def test_the_minutes_are_the_visitors(page, started):
    app = page()
    next(n for n in app.number_input if n.label == "Minutes in all").set_value(45).run()
    button(app, "Run the original study's settings again").click().run()
    assert started[0][1][-2:] == ["--minutes", "45"]


def a_task(page_out, state, message):
    progress = Progress(30, 100, message)
    return Task("t1", "replicate", (page_out, "--dataset", "tiny"), 0.0, state, progress, message)


def test_a_run_is_followed_and_can_be_stopped(page, tiny_env, monkeypatch):
    stopped = []
    out = str(tiny_env / ".reports" / "tiny-sub-01")
    task = a_task(out, "running", "3 of 13: Transformer · 4 min 10 s left")
    monkeypatch.setattr(replication_view, "tasks", lambda: [task])
    monkeypatch.setattr("thingsviz.ui.actions.end_task", stopped.append)
    app = page()
    assert any("4 min 10 s left" in p.proto.text for p in app.get("progress"))
    assert all(b.label != "Run the original study's settings again" for b in app.button)
    button(app, "Stop").click().run()
    assert stopped == ["t1"]


def test_a_run_that_ended_early_says_why(page, tiny_env, monkeypatch):
    out = str(tiny_env / ".reports" / "tiny-sub-01")
    monkeypatch.setattr(
        replication_view, "tasks", lambda: [a_task(out, "failed", "no space is left")]
    )
    app = page()
    assert [w.value for w in app.warning] == ["The last run ended early\\: no space is left"]


def test_the_document_can_be_had_and_read(page, tiny_env):
    folder = tiny_env / ".reports" / "tiny-sub-01"
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("<p>the document</p>")
    app = page()
    assert "The document (HTML)" in {b.label for b in app.get("download_button")}
    assert not app.get("iframe")
    next(t for t in app.toggle if t.label == "Read it here").set_value(True).run()
    assert not app.exception
    assert app.get("iframe")[0].proto.src.startswith("data:text/html;base64,")
