"""A server reads all job folders before anybody comes, and comes up whatever fails there."""

from __future__ import annotations

import importlib
import logging
import threading

import pytest

from tests import loops
from tests.ui.made_jobs import made_job
from thingsviz.core import log
from thingsviz.ui.caches import job_index
from thingsviz.ui.job_choice import filters
from thingsviz.ui.server import startup


@pytest.fixture
def told(caplog, monkeypatch):
    monkeypatch.setattr(log.OURS, "propagate", True)
    caplog.set_level(logging.INFO, "thingsviz")
    return caplog


def test_the_first_visit_finds_all_jobs_read(tiny_env, told):
    for name in ("one", "two"):
        made_job(name)
    startup.warm()
    index = job_index.index(str(tiny_env))
    assert index.n_read == 2
    assert told.records[-1].facts["jobs"] == 2
    assert {entry.name for entry in filters.all_jobs()} == {"one", "two"}


def test_scores_of_a_list_are_read_newest_first(tiny_env, monkeypatch):
    for name, state in (("old", "done"), ("failed", "failed"), ("new", "done")):
        made_job(name, state)
    entries, read = filters.all_jobs(), []
    monkeypatch.setattr(
        "thingsviz.ui.job_choice.job_list.line_of", lambda entry: read.append(entry.name)
    )
    startup.read_headlines(entries)
    assert read == [entry.name for entry in entries if entry.name != "failed"]
    monkeypatch.setattr(startup, "HEADLINES", 1)
    startup.read_headlines(entries)
    assert read[2:] == read[:1]


def test_what_fails_is_told_and_no_more(told, monkeypatch):
    def broken():
        raise OSError("the disk is gone")

    monkeypatch.setattr(filters, "all_jobs", broken)
    startup.warm()
    assert "could not be warmed" in told.text
    assert "the disk is gone" in told.text


def test_the_server_does_not_wait_for_it(monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    def slow():
        begun.set()
        go_on.wait(20)

    monkeypatch.setattr(startup, "warm", slow)

    async def serve():
        async with startup.lifespan(None):
            assert begun.wait(20)
            return "answers"

    assert loops.run(serve()) == "answers"
    go_on.set()


def test_an_error_of_a_page_is_told_with_its_traceback(told):
    try:
        raise KeyError("nothing")
    except KeyError as error:
        startup.tell(error)
    assert "a page's script failed" in told.text
    assert "KeyError" in told.text


def test_warming_declares_no_component(monkeypatch):
    """Streamlit would not serve what is declared outside of a page's run."""
    from thingsviz.ui.shell import component

    declared = []
    monkeypatch.setattr(
        component.components, "declare_component", lambda *words: declared.append(words)
    )
    importlib.reload(component)
    assert not declared
    component.viewer()
    assert [words[0] for words in declared] == ["viewer"]
    component.viewer.cache_clear()
