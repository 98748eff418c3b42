"""Interrupted equals uninterrupted: stopped or killed anywhere, the end is the same."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from tests.trainings import TINY_FIT, TINY_VIT
from thingsviz.analysis.scores import resampling
from thingsviz.commands import train
from thingsviz.jobs import weights
from thingsviz.jobs.job_folder import JobFolder, create_job
from thingsviz.jobs.recipe import parse_config
from thingsviz.pipeline import fit
from thingsviz.queue import submit
from thingsviz.queue.reporter import Reporter


def essence(job: JobFolder) -> list[dict]:
    """Metrics without the time of day."""
    rows, _ = job.metrics()
    return [{key: value for key, value in row.items() if key != "time"} for row in rows]


def assert_same(job: JobFolder, whole: JobFolder):
    assert job.status().state == "done"
    assert essence(job) == essence(whole)
    one, two = (load_file(weights.best_file(j)) for j in (job, whole))
    assert one.keys() == two.keys()
    for name in one:
        assert np.array_equal(one[name], two[name]), name
    pd.testing.assert_frame_equal(job.predictions(), whole.predictions())
    pd.testing.assert_frame_equal(job.scores(), whole.scores())
    assert len(job.manifest()["test_set_touched"]) == 1


@pytest.fixture(scope="module")
def root(tiny, tmp_path_factory):
    """One folder of jobs for all tests here, so that reference rows are computed once."""
    with pytest.MonkeyPatch.context() as patch:
        jobs = tmp_path_factory.mktemp("jobs")
        patch.setenv("THINGSVIZ_DATA", str(tiny))
        patch.setenv("THINGSVIZ_JOBS", str(jobs))
        patch.setenv("THINGSVIZ_THREADS", "1")
        patch.setattr(resampling, "N_DRAWS", 100)
        patch.delenv("THINGSVIZ_DERIVATIVES", raising=False)
        yield jobs


@pytest.fixture
def tiny_env(root):
    """Let make_job and make_vit use that folder."""
    return root


@pytest.fixture(scope="module")
def whole(root):
    """The same training without interruption."""
    recipe = {"dataset": "tiny", "seed": 3, "name": "whole", "model": TINY_VIT, "fit": TINY_FIT}
    job = create_job(parse_config(recipe))
    assert train.main([str(job.path)]) == 0
    return job


def test_a_network_trains(whole):
    rows, _ = whole.metrics()
    assert [row["epoch"] for row in rows if row["kind"] == "epoch"] == [1, 2, 3]
    assert [row["step"] for row in rows if row["kind"] == "step"] == list(range(1, 16))
    status = whole.status()
    assert (status.epoch, status.n_epochs, status.step, status.n_steps) == (3, 3, 15, 15)
    manifest = whole.manifest()
    assert 1 <= manifest["best_epoch"] <= 3
    assert [p.name for p in whole.checkpoints.glob("state-*")] == []
    assert set(whole.scores()["model"]) == {
        "vit3d",
        "chance",
        "prior",
        "mean",
        "ridge",
        "ceiling",
        "oracle",
    }


@pytest.mark.parametrize("step", [1, 4, 5, 6, 15])
def test_stopped_between_any_two_batches(make_vit, run, whole, monkeypatch, step):
    """A stop after step k writes a state; the resumed job ends bit for bit as the whole one."""
    job = make_vit()
    plain = Reporter.report

    def report(self, row):
        plain(self, row)
        if row["step"] == step and row["kind"] == "step":
            self.job.file("stop").touch()

    with monkeypatch.context() as patch:
        patch.setattr(Reporter, "report", report)
        code, words = run(job)
    assert (code, words) == (0, f"{job.name} was stopped; start it again to resume")
    assert job.status().state == "stopped"
    assert not job.file("stop").exists()
    assert job.predictions() is None
    assert "test_set_touched" not in job.manifest()
    assert run(job) == (0, "")
    assert_same(job, whole)
    assert len(job.manifest()["starts"]) == 2


class KilledError(BaseException):
    """As good as SIGKILL for what is on the disk: nothing is caught, nothing is written."""


@pytest.mark.parametrize("row_number", [1, 6, 7, 12, 18])
def test_killed_after_any_row(make_vit, run, whole, monkeypatch, row_number):
    """Rows after the last state are dropped and written again, none is doubled or lost."""
    job = make_vit()
    plain, seen = Reporter.report, []

    def report(self, row):
        plain(self, row)
        seen.append(row)
        if len(seen) == row_number:
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(Reporter, "report", report)
        with pytest.raises(KilledError):
            run(job)
    with job.file("metrics.jsonl").open("ab") as file:
        file.write(b'{"kind": "step", "st')
    assert job.status().message == "the process ended without a word"
    assert run(job) == (0, "")
    assert_same(job, whole)


@pytest.mark.slow
def test_killed_again_and_again_from_outside(make_vit, whole):
    """SIGKILL of the real process at random moments, five times, then to the end."""
    job = make_vit()
    rng = np.random.default_rng(8)
    command = [sys.executable, "-m", "thingsviz.commands.train", str(job.path)]
    for kill in range(5):
        begun = time.time()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # The first moments are spent on imports: wait until it works on something.
        while process.poll() is None and (job.status().started_at or 0) < begun:
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 2.5) * (0.3 + 0.3 * kill))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not list(job.path.glob("*.part")) or job.status().state != "done"
    found = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert found.returncode == 0, found.stderr
    assert job.status().state == "done"
    assert essence(job) == essence(whole)
    one, two = (load_file(weights.best_file(j)) for j in (job, whole))
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_sigterm_is_a_stop(make_vit):
    job = make_vit(epochs=200)
    submit.start(job)
    end = time.monotonic() + 100
    while job.status().step < 3 and time.monotonic() < end:
        time.sleep(0.05)
    state = json.loads(job.file("manifest.json").read_text())
    assert state["starts"]
    pid = next(p for p in _pids_of(job))
    os.kill(pid, signal.SIGTERM)
    while job.is_alive() and time.monotonic() < end:
        time.sleep(0.05)
    assert job.status().state == "stopped", job.log_tail()
    assert len(list(job.checkpoints.glob("state-*"))) >= 1


def test_the_page_can_stop_and_resume(make_vit):
    job = make_vit(epochs=200)
    submit.start(job)
    end = time.monotonic() + 100
    while job.status().step < 3 and time.monotonic() < end:
        time.sleep(0.05)
    submit.stop(job)
    while job.is_alive() and time.monotonic() < end:
        time.sleep(0.05)
    status = job.status()
    assert (status.state, status.message) == ("stopped", "stopped on request; it can be resumed")
    at = status.step
    submit.start(job)
    while job.status().step <= at and time.monotonic() < end:
        time.sleep(0.05)
    assert job.status().step > at
    submit.stop(job)
    while job.is_alive() and time.monotonic() < end:
        time.sleep(0.05)
    steps = [row["step"] for row in essence(job) if row["kind"] == "step"]
    assert steps == list(range(1, steps[-1] + 1))


def _pids_of(job: JobFolder):
    import psutil

    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if str(job.path) in command:
            yield process.pid


def stop_at(monkeypatch, run, job, step):
    plain = Reporter.report

    def report(self, row):
        plain(self, row)
        if row["step"] == step:
            self.job.file("stop").touch()

    with monkeypatch.context() as patch:
        patch.setattr(Reporter, "report", report)
        assert run(job)[0] == 0


def test_a_damaged_state_falls_back_to_the_one_before(make_vit, run, whole, monkeypatch):
    job = make_vit()
    stop_at(monkeypatch, run, job, 12)
    newest, older = weights.states(job)
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    assert older < newest
    assert run(job) == (0, "")
    assert_same(job, whole)


def test_only_damaged_states_are_refused_in_one_sentence(make_vit, run, monkeypatch):
    job = make_vit()
    stop_at(monkeypatch, run, job, 12)
    for path in weights.states(job):
        path.write_bytes(b"nonsense")
    code, words = run(job)
    assert code == 2
    assert "is not a checkpoint or was cut short" in words
    assert "\n" not in words
    assert (job.status().state, job.status().message) == ("failed", words)


def test_other_settings_than_the_states_are_refused(make_vit, run, monkeypatch):
    job = make_vit()
    stop_at(monkeypatch, run, job, 4)
    recipe = json.loads(job.file("config.json").read_text())
    del recipe["crc32"]
    recipe["fit"]["learning_rate"] = 0.5
    job.file("config.json").write_text(json.dumps(recipe))
    code, words = run(job)
    assert code == 2
    assert "learning_rate" in words


def test_only_two_states_are_kept(make_vit, run, monkeypatch):
    job = make_vit()
    stop_at(monkeypatch, run, job, 14)
    assert len(weights.states(job)) == 2


def test_early_stopping_ends_a_job(make_vit, run):
    job = make_vit(epochs=40, early_stopping=1, learning_rate=0.05)
    assert run(job) == (0, "")
    epochs = [row for row in essence(job) if row["kind"] == "epoch"]
    assert len(epochs) < 40
    assert job.manifest()["epochs"] == len(epochs)
    assert job.status().share == 1


def test_a_diverging_training_is_one_sentence(make_vit, run, monkeypatch):
    monkeypatch.setattr(
        "models.training.losses.loss_of", lambda config, guess, *rest: guess.sum() * np.nan
    )
    job = make_vit()
    code, words = run(job)
    assert code == 2
    assert "the loss became nan in epoch 1, batch 1" in words
    assert job.status().message == words


def test_threads_of_the_first_start_stay(make_vit, run, monkeypatch):
    job = make_vit()
    stop_at(monkeypatch, run, job, 4)
    first = job.manifest()["threads"]
    monkeypatch.setattr("thingsviz.pipeline.run.default_threads", lambda: first + 3)
    assert fit.default_threads() >= 1
    assert run(job) == (0, "")
    assert job.manifest()["threads"] == first


def test_best_tokens_are_chosen_from_training_trials(make_job, run):
    job = make_job(model={**TINY_VIT, "n_selected_tokens": 7}, fit={**TINY_FIT, "epochs": 1})
    assert run(job) == (0, "")
    kept = load_file(weights.best_file(job))
    assert any(7 in array.shape for array in kept.values())
