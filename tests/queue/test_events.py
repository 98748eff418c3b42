"""What an operator reads of a training and its supervisor, with THINGSVIZ_LOG=json."""

from __future__ import annotations

import json

import pytest

from thingsviz.commands import supervisor
from thingsviz.core import log
from thingsviz.jobs.about import write_about


@pytest.fixture(autouse=True)
def _json(monkeypatch):
    monkeypatch.setenv("THINGSVIZ_LOG", "json")
    kept = (log.OURS.handlers, log.OURS.propagate, log.OURS.level)
    yield
    log.OURS.handlers, log.OURS.propagate = kept[:2]
    log.OURS.setLevel(kept[2])


def rows(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_a_training_tells_its_way_with_its_name_and_owner(make_job, run):
    job = make_job(name="told", model={"name": "mean"})
    write_about(job, owner="ada")
    code, said = run(job)
    told = rows(said)
    assert code == 0
    assert {(row["where"], row["job"], row["who"]) for row in told} == {("worker", "told", "ada")}
    assert told[-1]["event"].startswith("done: ")
    job.file("log.txt").write_text(said + "\n")
    assert job.log_tail(1).split(" ", 1)[1].startswith("done: ")


def test_without_the_setting_a_jobs_log_is_for_people(make_job, run, monkeypatch):
    monkeypatch.delenv("THINGSVIZ_LOG")
    _, said = run(make_job(model={"name": "mean"}))
    assert not rows(said)


def test_a_supervisor_tells_when_it_begins_and_goes(tiny_env, capfd):
    assert supervisor.main([str(tiny_env), "--idle", "0"]) == 0
    told = rows(capfd.readouterr().err)
    assert [row["where"] for row in told] == ["supervisor"] * 2
    assert told[0]["jobs"] == str(tiny_env)
    assert told[1]["event"] == "the supervisor goes: no work left"
