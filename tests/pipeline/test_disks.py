"""Disks that are full or read-only, folders that go, clocks that jump, two who start one job."""

import multiprocessing
import os
import shutil
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from tests.trainings import TINY_FIT, TINY_VIT
from thingsviz.commands import prepare, tune
from thingsviz.data.store.state import store_state
from thingsviz.data.things.layout import open_dataset
from thingsviz.jobs.job_folder import JobFolder, create_job
from thingsviz.jobs.recipe import parse_config
from thingsviz.jobs.weights import best_file
from thingsviz.queue import submit
from thingsviz.queue.database import Queue, queue_folder
from thingsviz.queue.reporter import Reporter
from thingsviz.studies.config import parse_study
from thingsviz.studies.study_folder import create_study

SMALL_FIT = {**TINY_FIT, "epochs": 2, "batches_per_epoch": 3}
RECIPE = {"dataset": "tiny", "seed": 3, "model": TINY_VIT, "fit": SMALL_FIT}
CANDIDATE = {**RECIPE, "role": "candidate", "study": "s"}


class Disk:
    """A file system in memory, of 64 MB."""

    def __init__(self, path):
        self.path = path

    def remount(self, options):
        subprocess.run(["mount", "-o", f"remount,{options}", str(self.path)], check=True)

    def fill(self):
        with (self.path / "filler").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(self.path).free)

    def free(self):
        (self.path / "filler").unlink()


@pytest.fixture
def disk(tmp_path, tiny_env, monkeypatch):
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be mounted here: that needs the rights of root")
    monkeypatch.setenv("THINGSVIZ_JOBS", str(path))
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=False)


def new(**recipe):
    return create_job(parse_config({**CANDIDATE, "name": "job", **recipe}))


@pytest.fixture
def at(monkeypatch):
    """Let something happen just before a row of metrics is written: the first of its kind."""

    def when(kind, act):
        said, report = [], Reporter.report

        def hooked(reporter, row):
            if row["kind"] == kind and not said:
                said.append(row)
                act()
            report(reporter, row)

        monkeypatch.setattr(Reporter, "report", hooked)

    return when


def result(job):
    rows = [{k: v for k, v in row.items() if k != "time"} for row in job.metrics()[0]]
    return rows, {k: v.tobytes() for k, v in load_file(best_file(job)).items()}


@pytest.mark.parametrize("kind", ["step", "epoch"])
def test_a_full_disk_under_metrics_or_checkpoint(disk, at, run, kind):
    """A new file has no room at the first row; the state after an epoch has none at its end."""
    whole = new(name="whole")
    assert run(whole) == (0, "")
    expected = result(whole)
    job = new()
    at(kind, disk.fill)
    code, words = run(job)
    assert (code, words) == (
        2,
        f"no space is left to write in {job.path}: free some, then start it again",
    )
    assert job.status().state in {"failed", "stopped"}
    assert job.manifest()["seed"] == 3
    assert not list(job.checkpoints.glob("*.tmp"))
    disk.free()
    assert run(job) == (0, "")
    assert result(job) == expected


def test_a_full_disk_under_prepare(disk, tiny, capsys):
    derived = disk.path / "derived"
    disk.fill()
    command = [str(tiny / "tiny"), "--derivatives", str(derived)]
    assert prepare.main(command) == 2
    assert "is full: free space there" in capsys.readouterr().err
    assert store_state(open_dataset(tiny / "tiny", derived), "sub-01").state == "raw"
    disk.free()
    assert prepare.main([*command, "--verify"]) == 0


def test_a_full_disk_under_a_study(disk, at, capsys):
    space = {"fit.learning_rate": {"kind": "float", "low": 1e-4, "high": 1e-2, "log": True}}
    recipe = {"name": "s", "base": RECIPE, "space": space, "n_candidates": 2}
    folder = create_study(parse_study({**recipe, "controls": [], "final": False}))
    at("epoch", disk.fill)
    assert tune.main([str(folder.path)]) == 2
    assert "no space is left to write in" in capsys.readouterr().err
    assert folder.status().state in {"failed", "stopped"}
    disk.free()
    assert tune.main([str(folder.path)]) == 0
    assert folder.status().state == "done"
    assert "done" in capsys.readouterr().out


def test_a_read_only_disk(disk, run):
    job = new()
    disk.remount("ro")
    code, words = run(job)
    assert code == 2
    assert words.endswith("may not be written: set THINGSVIZ_JOBS to a folder of yours")
    with pytest.raises(submit.JobError, match=r"may not be written: set THINGSVIZ_JOBS"):
        submit.start(job)
    disk.remount("rw")
    assert run(job) == (0, "")


def test_a_folder_that_is_deleted_under_its_job(tiny_env, at, run):
    job = new()
    at("epoch", lambda: shutil.rmtree(job.path))
    code, words = run(job)
    assert (code, words) == (2, f"{job.path} was deleted while it ran: nothing is left of it")
    assert not job.path.exists()


def test_a_clock_that_is_set_back(tiny_env, at, run, monkeypatch):
    now = time.time
    job = new()
    at("epoch", lambda: monkeypatch.setattr(time, "time", lambda: now() - 7200))
    assert run(job) == (0, "")
    status = job.status()
    assert status.state == "done"
    assert status.updated_at < status.started_at
    steps = [row["step"] for row in job.metrics()[0] if row["kind"] == "step"]
    assert steps == sorted(set(steps))


def begin(path, barrier):
    barrier.wait()
    submit.start(JobFolder(Path(path)))


def test_two_apps_that_start_one_job(tiny_env, monkeypatch):
    monkeypatch.setattr(submit, "tend", lambda: None)
    context = multiprocessing.get_context("fork")
    for number in range(5):
        job, barrier = new(name=f"j{number}"), context.Barrier(2)
        apps = [context.Process(target=begin, args=(str(job.path), barrier)) for _ in range(2)]
        for app in apps:
            app.start()
        for app in apps:
            app.join()
        assert [app.exitcode for app in apps] == [0, 0]
    with closing(Queue(queue_folder())) as queue:
        assert sorted(queue.line()) == [f"j{number}" for number in range(5)]
