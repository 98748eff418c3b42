"""A tab that nobody sees asks the server for nothing, and is up to date when it is seen again."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from tests.browser.tabs import Window
from tests.ui.made_jobs import made_job
from thingsviz.core.locks import try_lock

# longer than the 2 s between two looks of every page at what runs, and a busy machine's delay
LONG_S = 7.0


@pytest.fixture
def window(tmp_path):
    opened = Window(tmp_path / "profile")
    yield opened
    opened.close()


@pytest.fixture
def alive(start_app, tiny, tmp_path, monkeypatch):
    """An app with a job that seems to run: its lock is held here."""
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "jobs"))
    job = made_job("alive", dataset="tiny")
    handle = try_lock(job.file("lock"))
    job.write_status(replace(job.status(), state="running", message="first word"))
    yield start_app(tiny, tmp_path / "jobs"), job
    os.close(handle)


@pytest.mark.parametrize("page", ["train?job=alive", "jobs"])
def test_a_hidden_tab_rests_and_catches_up(window, alive, page):
    app, job = alive
    seen = window.open()
    seen.go(f"{app.url}/{page}")
    seen.wait("document.body.innerText.includes('first word')")
    assert seen.listen(LONG_S) >= 2  # it follows the job

    other = window.open()
    seen.wait("document.hidden")
    seen.listen(1)  # what was on its way
    job.write_status(replace(job.status(), message="second word"))
    assert seen.listen(LONG_S) == 0
    assert "second word" not in seen.evaluate("document.body.innerText")

    seen.show()
    seen.wait("!document.hidden")
    seen.wait("document.body.innerText.includes('second word')", 20)
    assert other.evaluate("document.hidden")


def test_intervals_that_end_while_hidden_stay_ended(window, alive):
    app, _ = alive
    tab = window.open()
    tab.go(f"{app.url}/jobs")
    tab.wait("document.readyState === 'complete'")
    tab.evaluate("window.n = [0, 0, 0]; window.a = setInterval(() => n[0]++, 1000)")
    tab.evaluate(
        "window.b = setInterval((by) => (n[1] += by), 1000, 5); setInterval(() => n[2]++, 200)"
    )
    window.open()
    tab.wait(
        "document.hidden && n[2] > 12"
    )  # short ones go on, as slowly as the browser lets them
    tab.evaluate("clearInterval(a); window.kept = n.slice()")
    tab.show()
    tab.wait("!document.hidden")
    tab.wait("n[1] > kept[1]")
    assert tab.evaluate("n[0] === kept[0] && (n[1] - kept[1]) % 5 === 0")
