"""Records that somebody has edited: what cannot be is said in a sentence, wherever it is read."""

import json

import pytest

from thingsviz.core.errors import JobError
from thingsviz.jobs.job_folder import METRIC, JobFolder
from thingsviz.pipeline.resource_usage import spent
from thingsviz.queue.background_tasks import tasks, tasks_root
from thingsviz.studies.study_folder import StudyFolder


def write(folder, name, data):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(data))


STATUSES = [
    {"state": ["done"]},
    {"state": "asleep"},
    {"state": None},
    {"step": "7"},
    {"step": -1},
    {"n_steps": 1.5},
    {"epoch": True},
    {"n_steps": 10**400},
    {"eta_s": "soon"},
    {"started_at": 1e300},
    {"message": 3},
]


@pytest.mark.parametrize("data", STATUSES)
def test_a_status_that_cannot_be(tmp_path, data):
    write(tmp_path, "status.json", data)
    with pytest.raises(JobError) as error:
        JobFolder(tmp_path).status()
    (field,) = data
    assert f"status.json: {field} should be" in str(error.value)
    assert str(error.value).endswith("mend or delete it")


@pytest.mark.parametrize("data", [{"state": {}}, {"phase": 1}, {"updated_at": []}])
def test_a_status_of_a_study_that_cannot_be(tmp_path, data):
    write(tmp_path, "status.json", data)
    with pytest.raises(JobError, match="should be"):
        StudyFolder(tmp_path).status()


@pytest.mark.parametrize("data", [{"rows": "ab"}, {"rows": [1]}, {"differences": {"a": [1]}}])
def test_scores_that_are_no_table(tmp_path, data):
    write(tmp_path, "scores.json", data)
    with pytest.raises(JobError, match="should be"):
        JobFolder(tmp_path).scores(), JobFolder(tmp_path).differences()


def test_sentences_that_are_none(tmp_path):
    write(tmp_path, "scores.json", {"could_not_show": [1]})
    with pytest.raises(JobError, match="could_not_show"):
        JobFolder(tmp_path).could_not_show()


def test_rows_of_metrics_that_are_none_are_left_out(tmp_path):
    rows = [{"step": 1, "kind": "step"}, {"step": []}, {"kind": {}}, {"step": 2, "x": []}]
    (tmp_path / "metrics.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert JobFolder(tmp_path).metrics()[0] == [rows[0], rows[3]]


@pytest.mark.parametrize("name", ["fit_seconds", "peak_bytes", "n_parameters"])
def test_costs_that_are_no_numbers(tmp_path, name):
    write(tmp_path, "manifest.json", {name: "many"})
    with pytest.raises(JobError, match=name):
        spent(JobFolder(tmp_path))


@pytest.mark.parametrize("data", [{"args": 3}, {"started_at": None}, {"pid": "x"}, {"kind": []}])
def test_a_damaged_task_has_failed_and_holds_up_no_page(tmp_path, monkeypatch, data):
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path))
    (tasks_root() / "one").mkdir(parents=True)
    (tasks_root() / "two").mkdir()
    write(tasks_root() / "one", "task.json", {"kind": "simulate", **data})
    write(tasks_root() / "two", "task.json", {"kind": "simulate", "args": ["a"]})
    two, one = tasks()
    assert (two.kind, two.args) == ("simulate", ("a",))
    assert one.state == "failed"
    assert "task.json" in one.message


@pytest.mark.parametrize("value", [0, 1, -2.5, 2**53])
def test_numbers(value):
    assert METRIC.fits({"time": value})


@pytest.mark.parametrize("value", [True, "1", None, float("nan"), float("inf"), 2**54, [1]])
def test_what_is_no_number(value):
    assert not METRIC.fits({"time": value})
