"""The doctor: ten lines, each ok, attention or fault, and an exit code for what stops the app."""

from __future__ import annotations

import json

import pytest

from thingsviz.commands import doctor


@pytest.fixture(autouse=True)
def no_drawing(monkeypatch):
    found = doctor.Finding("3D", "ok", "drawn elsewhere")
    monkeypatch.setitem(doctor.CHECKS, "3D", lambda: found)


def findings(capsys, code):
    assert doctor.main(["--json"]) == code
    return {row["topic"]: row for row in json.loads(capsys.readouterr().out)}


def test_a_machine_with_data_is_well(tiny_env, capsys):
    found = findings(capsys, 0)
    assert list(found) == list(doctor.CHECKS)
    assert found["data"] == {
        "topic": "data",
        "state": "ok",
        "text": "tiny: sub-01 ready",
        "advice": "",
    }


def test_the_text_has_one_line_a_topic(tiny_env, capsys):
    assert doctor.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == list(doctor.CHECKS)
    assert {line.split()[0] for line in lines} <= {"ok", "attention"}


def test_without_data_it_says_how_to_get_some(tiny_env, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("THINGSVIZ_DATA", str(tmp_path / "none"))
    row = findings(capsys, 0)["data"]
    assert row["state"] == "attention"
    assert " simulate " in row["advice"]


@pytest.mark.parametrize(
    ("name", "value", "topic"),
    [
        ("THINGSVIZ_SLOTS", "many", "engine"),
        ("THINGSVIZ_ENGINE", "slurm", "engine"),
        ("THINGSVIZ_ACCESS", "opne", "access"),
        ("THINGSVIZ_THREADS", "0", "access"),
    ],
)
def test_what_stops_the_app_is_a_fault(tiny_env, monkeypatch, capsys, name, value, topic):
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", "/nowhere")
    row = findings(capsys, 1)[topic]
    assert row["state"] == "fault"
    assert row["advice"]


def test_a_jobs_folder_that_is_no_folder_is_a_fault(tiny_env, monkeypatch, tmp_path, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "file"))
    assert findings(capsys, 1)["jobs"]["state"] == "fault"


def test_missing_and_other_versions_are_told_apart(monkeypatch):
    from packaging.requirements import Requirement

    monkeypatch.setattr(doctor, "requirements", lambda: iter([Requirement("numpy<1")]))
    assert doctor.software().state == "attention"
    monkeypatch.setattr(doctor, "requirements", lambda: iter([Requirement("no-such-package>=1")]))
    row = doctor.software()
    assert (row.state, row.advice) == ("fault", "pip install no-such-package")


def test_a_gpu_that_torch_does_not_see(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(doctor.Path, "glob", lambda path, pattern: iter(["nvidia0"]))
    assert doctor.gpu().state == "attention"
