"""Job folders: making, finding, states while a process lives and after it died."""

import fcntl
import json
import os
import subprocess
import sys
import time

import pandas as pd
import pytest

from thingsviz.core.errors import ConfigError, JobError
from thingsviz.core.locks import is_locked, try_lock
from thingsviz.jobs.job_folder import create_job, jobs_root, list_jobs, merge, open_job
from thingsviz.jobs.recipe import parse_config
from thingsviz.jobs.run_folder import RunStatus


@pytest.fixture
def root(tmp_path, monkeypatch):
    path = tmp_path / "jobs und mehr"
    monkeypatch.setenv("THINGSVIZ_JOBS", str(path))
    return path


@pytest.fixture
def job(root):
    return create_job(parse_config({"dataset": "demo", "name": "first"}))


def test_default_root_is_beside_the_package(monkeypatch):
    monkeypatch.delenv("THINGSVIZ_JOBS", raising=False)
    assert jobs_root().name == "checkpoints"
    assert (jobs_root().parent / "thingsviz").is_dir()


def test_a_job_keeps_its_recipe(job):
    assert job.config() == parse_config({"dataset": "demo", "name": "first"})
    assert open_job("first").config() == job.config()


def test_taken_names_get_numbers(root):
    config = parse_config({"dataset": "demo", "name": "same"})
    assert [create_job(config).name for _ in range(3)] == ["same", "same-2", "same-3"]


def test_long_names_keep_room_for_numbers(root):
    config = parse_config({"dataset": "demo", "name": "x" * 80})
    names = [create_job(config).name for _ in range(2)]
    assert names[1] == "x" * 74 + "-2"
    assert open_job(names[1]).config() == config


def test_jobs_are_listed_newest_first(root):
    assert list_jobs() == []
    for age, name in enumerate(["old", "new"]):
        job = create_job(parse_config({"dataset": "demo", "name": name}))
        os.utime(job.file("config.json"), (1000 + age, 1000 + age))
    (root / ".references").mkdir()
    (root / "stray").mkdir()
    assert [job.name for job in list_jobs()] == ["new", "old"]


@pytest.mark.parametrize("name", ["../first", "/etc", "..", "", "first/../first", "nobody"])
def test_only_jobs_of_the_root_open(job, name):
    with pytest.raises(JobError, match=r"cannot be a folder|there is no job"):
        open_job(name)


def test_a_fresh_job_has_nothing_yet(job):
    assert job.status().message == "not started yet"
    assert job.metrics() == ([], 0)
    assert job.predictions() is None
    assert job.scores() is None
    assert job.could_not_show() == []
    assert job.manifest() == {}
    assert job.log_tail() == ""
    assert not job.is_alive()
    assert not job.is_done()


def test_status_there_and_back(job):
    job.write_status(RunStatus("failed", epoch=2, n_epochs=4, step=9, n_steps=18, message="oh"))
    status = job.status()
    assert (status.state, status.epoch, status.step, status.message) == ("failed", 2, 9, "oh")
    assert status.share == 0.5
    assert abs(status.updated_at - time.time()) < 5


@pytest.mark.parametrize(
    ("status", "share"),
    [
        (RunStatus("done", step=3, n_steps=9), 1),
        (RunStatus("running"), 0),
        (RunStatus("running", step=20, n_steps=10), 1),
    ],
)
def test_share(status, share):
    assert status.share == share


@pytest.mark.parametrize("state", ["queued", "running", "stopping"])
def test_a_job_whose_lock_is_free_does_not_run(job, state):
    job.write_status(RunStatus(state, eta_s=20))
    status = job.status()
    assert status.state == "stopped"
    assert status.message == "the process ended without a word"
    assert status.eta_s is None


@pytest.mark.parametrize("state", ["done", "failed", "stopped"])
def test_an_ending_stays(job, state):
    job.write_status(RunStatus(state, message="x"))
    assert job.status().state == state


def test_a_held_lock_means_alive(job):
    handle = try_lock(job.file("lock"))
    job.write_status(RunStatus("running"))
    assert job.is_alive()
    assert job.status().state == "running"
    job.file("stop").touch()
    assert job.status().state == "stopping"
    os.close(handle)
    assert job.status().state == "stopped"


def test_the_kernel_frees_the_lock_of_a_killed_process(job):
    code = (
        "import sys, time; from pathlib import Path;"
        "from thingsviz.core.locks import try_lock;"
        "try_lock(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(job.file("lock"))], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        assert job.is_alive()
        assert try_lock(job.file("lock"), patience_s=0.05) is None
        process.kill()
    assert not job.is_alive()


def test_asking_does_not_keep_a_starter_out(job):
    """A page that only looks holds a shared lock for an instant: the starter waits for it."""
    path = job.file("lock")
    path.touch()
    handle = os.open(path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_SH)
    assert try_lock(path, patience_s=0) is None
    os.close(handle)
    taken = try_lock(path)
    assert taken is not None
    os.close(taken)


def test_no_lock_file_is_not_locked(tmp_path):
    assert not is_locked(tmp_path / "lock")


def test_scores_and_predictions_are_tables(job):
    rows = [{"model": "ridge", "value": 0.4, "low": None}]
    job.file("scores.json").write_text(json.dumps({"rows": rows, "could_not_show": ["this."]}))
    assert job.scores().to_dict("records")[0]["model"] == "ridge"
    assert job.could_not_show() == ["this."]
    frame = pd.DataFrame({"row": [1], "pred_lives": [2.5]})
    frame.to_parquet(job.file("predictions.parquet"))
    pd.testing.assert_frame_equal(job.predictions(), frame)


def test_damaged_files_are_one_sentence(job):
    job.file("predictions.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(JobError, match="cannot be read as parquet"):
        job.predictions()
    job.file("status.json").write_text("{")
    with pytest.raises(JobError, match=r"status\.json should hold"):
        job.status()
    job.file("config.json").write_text('{"dataset": "x", "models": 1}')
    with pytest.raises(ConfigError, match=r"config\.json\.models is not a setting"):
        job.config()
    job.file("config.json").unlink()
    with pytest.raises(JobError, match="a job folder needs the recipe"):
        job.config()


def test_status_of_a_newer_version_is_read_as_far_as_known(job):
    job.file("status.json").write_text('{"state": "done", "colour": "blue"}')
    assert job.status().state == "done"


def test_log_tail_reads_the_end_only(job):
    job.file("log.txt").write_text("\n".join(f"line {k}" for k in range(10_000)) + "\n")
    assert job.log_tail(2) == "line 9998\nline 9999"


def test_rows_of_a_resumed_job_replace_the_old_ones():
    old = [{"kind": "step", "step": 4, "x": 1}, {"kind": "step", "step": 8, "x": 1}]
    new = [{"kind": "step", "step": 8, "x": 2}, {"kind": "epoch", "step": 8}]
    assert merge(old, new) == [
        {"kind": "step", "step": 4, "x": 1},
        {"kind": "step", "step": 8, "x": 2},
        {"kind": "epoch", "step": 8},
    ]


def test_a_root_that_cannot_be_made_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "file" / "jobs"))
    with pytest.raises(JobError, match="no job can be made in"):
        create_job(parse_config({"dataset": "demo"}))


def test_a_full_disk_leaves_no_half_job(root, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("thingsviz.core.json_files.write_sealed", full)
    with pytest.raises(JobError, match="no space is left"):
        create_job(parse_config({"dataset": "demo", "name": "x"}))
    assert list(root.iterdir()) == []
