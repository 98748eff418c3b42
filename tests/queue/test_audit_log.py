"""The audit log: one line an action, whatever the names, from several processes at once."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thingsviz.queue import audit_log


@pytest.fixture(autouse=True)
def jobs(tmp_path, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path))
    return tmp_path


def test_the_newest_comes_first():
    for i in range(5):
        audit_log.note("ada", "10.0.0.1", "start", f"job-{i}")
    assert [entry.what for entry in audit_log.latest(3)] == ["job-4", "job-3", "job-2"]


def test_nothing_is_there_before_the_first():
    assert audit_log.latest() == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(max_size=400), st.text(max_size=400))
def test_any_name_stays_on_its_line(user, what):
    user, what = (text.encode("utf-8", "replace").decode() for text in (user, what))
    audit_log.note(user, "", "delete", what)
    newest = audit_log.latest(1)[0]
    assert (newest.user, newest.what) == (user[:300], what[:300])


def test_months_follow_each_other(jobs):
    folder = jobs / ".audit"
    folder.mkdir()
    (folder / "2026-09.jsonl").write_text('{"time": 1, "user": "old"}\n{"time": 2, "us')
    (folder / "2026-10.jsonl").write_text(
        '{"time": 3, "user": "new", "action": "stop"}\nnonsense\n'
    )
    assert [entry.user for entry in audit_log.latest()] == ["new", "old"]


def test_lines_of_several_processes_do_not_mix(jobs):
    code = (
        "from thingsviz.queue import audit_log\n"
        "for i in range(200): audit_log.note('u' * 200, 'a' * 40, 'start', 'w' * 250)"
    )
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [process.wait() for process in running] == [0] * 4
    assert len(audit_log.latest(10_000)) == 800


def test_only_the_servers_user_can_read_it(jobs):
    audit_log.note("ada", "", "start")
    assert (jobs / ".audit").stat().st_mode & 0o077 == 0
