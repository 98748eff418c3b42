"""Planting and preparing from a page; nothing really runs here."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from thingsviz.core.progress import Progress
from thingsviz.data.things.layout import open_dataset
from thingsviz.queue.background_tasks import Task
from thingsviz.ui.shell import background


def task(kind="prepare", state="running", args=("x", "--subject", "sub-01"), name="t1", done=3):
    progress = Progress(done, 10, "run 3 of 10")
    message = "run 3 of 10" if state == "running" else f"it {state}"
    return Task(name, kind, tuple(args), 0.0, state, progress, message)


@pytest.fixture
def world(monkeypatch):
    """The tasks there are, and the commands that were started."""
    here = {"tasks": [], "started": []}
    monkeypatch.setattr(background, "tasks", lambda: here["tasks"])
    monkeypatch.setattr(
        "thingsviz.ui.actions.begin_task", lambda kind, args: here["started"].append((kind, *args))
    )
    return here


def page():
    from thingsviz.ui.shell.background import show_tasks

    show_tasks()


def test_the_newest_preparation_of_a_subject_counts(world, tiny_env):
    dataset = open_dataset("tiny")
    root = str(dataset.root)
    world["tasks"] = [
        task(args=("elsewhere", "--subject", "sub-01"), name="a"),
        task(args=(root, "--subject", "sub-02"), name="b"),
        task(args=(root, "--subject", "sub-01"), name="c", state="failed"),
        task(args=(root, "--subject", "sub-01"), name="d"),
    ]
    found = background.last_prepare(dataset, "sub-01")
    assert found is not None
    assert found.id == "c"


def test_preparing_starts_the_command_of_the_subject(world, tiny_env):
    dataset = open_dataset("tiny")
    background.start_prepare(dataset, "sub-01", "--table-only")
    expected = ("prepare", str(dataset.root), "--subject", "sub-01", "--table-only")
    assert world["started"] == [expected]


def test_what_runs_has_a_bar_and_a_stop_button(world):
    world["tasks"] = [task(args=("/data/de_mo", "--subject", "sub-01"))]
    app = AppTest.from_function(page).run()
    assert not app.exception
    bar = app.get("progress")[0].proto
    assert (bar.value, bar.text) == (30, r"Preparing de\_mo\: run 3 of 10")
    assert [button.label for button in app.button] == ["Stop"]


def test_a_stop_button_stops_its_task(world, monkeypatch):
    stopped = []
    monkeypatch.setattr("thingsviz.ui.actions.end_task", stopped.append)
    world["tasks"] = [task()]
    AppTest.from_function(page).run().button[0].click().run()
    assert stopped == ["t1"]


def test_without_tasks_there_is_nothing_to_see(world):
    app = AppTest.from_function(page).run()
    assert not app.exception
    assert len(app.get("progress")) == 0


def test_the_demo_is_prepared_once_it_is_planted(world, tmp_path, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_DATA", str(tmp_path))
    folder = str(tmp_path / "demo")
    app = AppTest.from_function(page)
    app.session_state["prepare_next"] = folder
    world["tasks"] = [task("simulate", args=(folder,))]
    app.run()
    assert world["started"] == []
    world["tasks"] = [task("simulate", "done", args=(folder,))]
    app.run()
    assert world["started"] == [("prepare", folder, "--subject", "sub-01")]
    assert "prepare_next" not in app.session_state
    app.run()
    assert len(world["started"]) == 1


def test_after_a_planting_that_failed_nothing_is_prepared(world, tmp_path, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_DATA", str(tmp_path))
    folder = str(tmp_path / "demo")
    app = AppTest.from_function(page)
    app.session_state["prepare_next"] = folder
    world["tasks"] = [task("simulate", "failed", args=(folder,))]
    app.run()
    assert world["started"] == []
    assert "prepare_next" not in app.session_state
