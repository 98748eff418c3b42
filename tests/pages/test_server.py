"""The Server page: for administrators only, well and unwell, with jobs that failed."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from thingsviz.core import json_files
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.run_folder import RunStatus
from thingsviz.queue import audit_log


@pytest.fixture
def visit(tmp_path, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "jobs"))
    monkeypatch.setenv("THINGSVIZ_DATA", str(tmp_path / "data"))

    def go():
        app = AppTest.from_file("../../pages/server.py", default_timeout=60).run()
        assert not app.exception
        return app

    return go


def texts(app) -> str:
    return "\n".join(one.value for one in (*app.markdown, *app.caption, *app.error, *app.success))


def test_a_new_server_is_well_and_says_what_is_not_there_yet(visit):
    shown = texts(visit())
    assert "All is well" in shown
    assert "None has failed." in shown
    assert "Nobody has started or changed anything yet." in shown
    assert "people on this machine only" in shown


def test_what_failed_and_who_did_what_is_listed(visit, tmp_path):
    folder = tmp_path / "jobs" / "bad"
    folder.mkdir(parents=True)
    json_files.write_sealed(folder / "config.json", {"model": {"name": "ridge"}})
    JobFolder(folder).write_status(RunStatus("failed", message="no space is left"))
    audit_log.note("ada@lab.example", "10.0.0.1", "start", "bad")
    tables = [frame.value for frame in visit().dataframe]
    failed = next(t for t in tables if "Why" in t)
    assert list(failed["Why"]) == ["no space is left"]
    people = next(t for t in tables if "Who" in t)
    assert list(people["Who"]) == ["ada@lab.example"]


def test_a_wrong_setting_is_one_sentence(visit, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_SLOTS", "many")
    app = visit()
    assert len(app.error) == 1
    assert "number of trainings that may run at a time" in app.error[0].value


def test_others_are_told_whom_to_ask(visit, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_ACCESS", "open")
    app = visit()
    assert [e.value for e in app.error] == [
        "anonymous may start trainings and change their own\\: "
        "ask the administrator for the role 'administer'"
    ]
    assert not app.metric
    assert not app.dataframe
