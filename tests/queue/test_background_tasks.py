"""Background tasks of the Home page: running, done, failed, interrupted, forgotten."""

import signal
import time

import pytest

from thingsviz.core.errors import JobError
from thingsviz.core.json_files import read_json
from thingsviz.core.progress import Progress, silent
from thingsviz.queue import background_tasks


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "jobs"))
    return tmp_path


def end_of(task, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = next(t for t in background_tasks.tasks() if t.id == task.id)
        if found.state != "running":
            return found
        time.sleep(0.05)
    raise TimeoutError(task)


def test_a_task_runs_beside_us_and_tells_how_far_it_is(root):
    started = time.monotonic()
    task = background_tasks.start_task(
        "simulate", [str(root / "tiny"), "--preset", "tiny", "--seed", "3"]
    )
    assert time.monotonic() - started < 1
    assert (task.kind, task.state) == ("simulate", "running")
    ended = end_of(task)
    assert ended.state == "done", ended
    assert ended.progress.done == ended.progress.total > 0
    assert (root / "tiny" / "dataset_description.json").is_file()


def test_a_failed_task_says_why_in_one_sentence(root):
    ended = end_of(
        background_tasks.start_task("prepare", [str(root / "nowhere"), "--subject", "sub-01"])
    )
    assert ended.state == "failed"
    assert "nowhere" in ended.message
    assert "\n" not in ended.message


@pytest.mark.parametrize("app_hears", [signal.default_int_handler, signal.SIG_IGN])
def test_a_task_can_be_interrupted(root, app_hears):
    """Also where the app was started by a script's `streamlit run app.py &`, which ignores it."""
    before = signal.signal(signal.SIGINT, app_hears)
    try:
        task = background_tasks.start_task("simulate", [str(root / "demo"), "--preset", "demo"])
    finally:
        signal.signal(signal.SIGINT, before)
    folder = background_tasks.tasks_root() / task.id
    end = time.monotonic() + 60
    while not (folder / "progress.json").exists() and time.monotonic() < end:
        time.sleep(0.05)
    background_tasks.stop_task(task.id)
    ended = end_of(task)
    assert ended.state == "failed"
    assert "interrupted" in ended.message
    assert not (root / "demo" / "dataset_description.json").exists()


def test_stopping_a_task_that_is_over_harms_nobody(root):
    task = background_tasks.start_task("prepare", [str(root / "nowhere")])
    end_of(task)
    background_tasks.stop_task(task.id)
    background_tasks.stop_task("../../etc")


def test_only_known_commands_are_run():
    with pytest.raises(JobError, match="'rm' is not one of simulate, prepare"):
        background_tasks.start_task("rm", ["-rf"])


def test_a_task_that_died_without_a_word_has_failed(root):
    folder = background_tasks.tasks_root() / "20250101-000000-plant-abcd"
    folder.mkdir(parents=True)
    (folder / "task.json").write_text(
        '{"kind": "simulate", "args": [], "started_at": 1, "pid": 1}'
    )
    (folder / "progress.json").write_text('{"done": 3, "total": 9, "mess')
    (task,) = background_tasks.tasks()
    assert (task.state, task.message) == ("failed", "the process ended without a word")
    assert task.progress == Progress(0, 0, "")


def test_old_tasks_are_forgotten(root, monkeypatch):
    monkeypatch.setattr(background_tasks, "KEPT", 3)
    for number in range(5):
        folder = background_tasks.tasks_root() / f"2025010{number}-000000-plant-abcd"
        folder.mkdir(parents=True)
        (folder / "task.json").write_text('{"kind": "simulate"}')
    newest = background_tasks.start_task("prepare", [str(root / "nowhere")])
    names = [task.id for task in background_tasks.tasks()]
    assert len(names) == 3
    assert names[0] == newest.id
    end_of(newest)


def test_progress_is_written_now_and_then_and_at_the_end(root):
    path = root / "progress.json"
    report = background_tasks.progress_file(path, every_s=60)
    report(Progress(1, 3, "one"))
    report(Progress(2, 3, "two"))
    assert read_json(path)["message"] == "one"
    report(Progress(3, 3, "three"))
    assert read_json(path)["done"] == 3


def test_no_file_no_progress():
    assert background_tasks.progress_file(None) is silent
