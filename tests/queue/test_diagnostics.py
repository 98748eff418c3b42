"""What an administrator is shown, and that no secret leaves the server in the bundle."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from thingsviz.core import json_files
from thingsviz.jobs.index import JobIndex
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.run_folder import RunStatus
from thingsviz.queue import diagnostics


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "jobs"))
    monkeypatch.setenv("THINGSVIZ_DATA", str(tmp_path / "data"))
    for name, state in (("good", "done"), ("bad", "failed")):
        folder = tmp_path / "jobs" / name
        folder.mkdir(parents=True)
        json_files.write_sealed(folder / "config.json", {"model": {"name": "ridge"}})
        JobFolder(folder).write_status(RunStatus(state, message="no space is left"))
        (folder / "log.txt").write_text("x\n" * 100 + "password = hunter2\nlast words\n")
    return tmp_path / "jobs"


@pytest.fixture
def entries(jobs):
    return JobIndex(jobs).refresh()


def test_only_what_failed_is_listed(entries):
    assert [entry.name for entry in diagnostics.failing(entries)] == ["bad"]


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("THINGSVIZ_SLOTS", "2", "2"),
        ("THINGSVIZ_STUDY_STORAGE", "postgresql://ada:hunter2@db/x", "postgresql://(hidden)@db/x"),
        ("STREAMLIT_SERVER_COOKIE_SECRET", "hunter2", "(hidden)"),
        ("THINGSVIZ_API_KEY", "hunter2", "(hidden)"),
    ],
)
def test_settings_show_no_secret(name, value, shown):
    assert diagnostics.settings({name: value, "HOME": "/root"}) == {name: shown}


def test_the_bundle_tells_all_but_secrets(entries, monkeypatch):
    monkeypatch.setenv("STREAMLIT_SERVER_COOKIE_SECRET", "hunter2")
    monkeypatch.setenv("THINGSVIZ_STUDY_STORAGE", "postgresql://ada:hunter2@db/x")
    with zipfile.ZipFile(io.BytesIO(diagnostics.bundle(entries))) as file:
        texts = {name: file.read(name).decode() for name in file.namelist()}
    assert sorted(texts) == ["logs/bad.txt", "server.json", "versions.txt"]
    assert "hunter2" not in "".join(texts.values())
    facts = json.loads(texts["server.json"])
    assert facts["failing"] == {"bad": "no space is left"}
    assert facts["engine"]["engine"] == "local"
    assert "last words" in texts["logs/bad.txt"]
    assert len(texts["logs/bad.txt"].splitlines()) == diagnostics.LOG_LINES
    assert "torch==2.13.0" in texts["versions.txt"]


def test_a_wrong_limit_is_said_and_not_raised(jobs, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_SLOTS", "many")
    assert "THINGSVIZ_SLOTS" in diagnostics.engine_state()["fault"]


def test_folders_that_are_not_made_yet_have_a_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "a" / "b"))
    monkeypatch.setenv("THINGSVIZ_DATA", str(tmp_path / "c"))
    assert all(0 < disk.free <= disk.total for disk in diagnostics.disks())
    assert diagnostics.queue_rows() == []


def test_the_machine_is_measured():
    now = diagnostics.machine()
    assert 0 < now.memory_free < now.memory_total
    assert now.process_memory > 10_000_000
