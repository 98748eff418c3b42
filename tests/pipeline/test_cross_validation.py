"""A job with folds: each trial predicted once, nothing leaks, stopped equals not stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.trainings import TINY_FIT, TINY_VIT
from thingsviz.analysis.scores import resampling
from thingsviz.analysis.scores.folds import FoldSizes, fold_mean
from thingsviz.commands import prepare, simulate, train
from thingsviz.core.errors import JobError
from thingsviz.data.things.trials import live_rows
from thingsviz.data.trials.folds import default_choice
from thingsviz.jobs.arrays import read_arrays
from thingsviz.jobs.folds import fold_folder, fold_scores
from thingsviz.jobs.job_folder import create_job
from thingsviz.jobs.recipe import parse_config
from thingsviz.pipeline import cross_validation
from thingsviz.pipeline.tasks.registry import open_task, open_trials

SESSIONS = {"kind": "session", "folds": "each"}


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
    return root


@pytest.fixture(scope="module")
def ridge(root):
    """Leave-one-session-out of ridge, whose four folds were never stopped."""
    recipe = {"dataset": "tiny", "seed": 3, "name": "whole", "split": SESSIONS}
    job = create_job(parse_config(recipe))
    assert train.main([str(job.path)]) == 0
    return job


def test_each_trial_is_predicted_once_by_a_fold_that_did_not_see_it(ridge):
    store, trials = open_trials(ridge)
    table = ridge.predictions()
    assert sorted(table["row"]) == live_rows(trials).tolist()
    np.testing.assert_array_equal(table["fold"], table["session"])
    assert table["part"].eq("test").all()
    for number in range(1, 5):
        fold = fold_folder(ridge, number)
        task = open_task(fold, store)
        sessions = trials["session"].to_numpy()
        assert set(sessions[task.split.test]) == {number}
        seen = np.concatenate([task.split.train, task.split.validation])
        assert number not in sessions[seen]
        # what is fitted to responses is fitted to this fold's training trials alone
        scaler = read_arrays(fold.checkpoints / "scaler.safetensors")
        np.testing.assert_array_equal(scaler["fitted_rows"], task.split.train)
        assert len(fold.manifest()["test_set_touched"]) == 1
        own = fold.predictions()
        test = own[own["part"].eq("test") & own["n_averaged"].eq(1)].reset_index(drop=True)
        mine = table[table["fold"] == number].drop(columns="fold").reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, test)
    assert len(ridge.manifest()["test_set_touched"]) == 4


def test_the_score_is_the_mean_over_folds_beside_its_references(ridge):
    scores, folds = ridge.scores(), fold_scores(ridge)
    assert folds.names == ("session 1", "session 2", "session 3", "session 4")
    single = scores[scores["n_averaged"].eq("single") & scores["metric"].eq("r")]
    means = single[single["target"].eq("mean")].set_index("model")
    assert {"ridge", "chance", "mean", "ceiling", "oracle"} <= set(means.index)
    values = folds.of("ridge", "r")
    each = [fold_folder(ridge, n).scores() for n in range(1, 5)]
    for value, table in zip(values, each, strict=True):
        one = table[
            table["model"].eq("ridge")
            & table["n_averaged"].eq("single")
            & table["metric"].eq("r")
            & table["target"].eq("mean")
        ]
        assert one["value"].tolist() == [value]
    span = fold_mean(values, FoldSizes(np.array(folds.n_train), np.array(folds.n_test)))
    assert means.loc["ridge", ["value", "low", "high"]].tolist() == pytest.approx(
        [span.mean, span.low, span.high]
    )
    assert means.loc["ridge", "n_trials"] == sum(folds.n_test) == len(ridge.predictions())
    record = ridge.score_record()
    assert any("folds" in sentence for sentence in record["could_not_show"])
    # the four test images of a run are shown in every session: each fold leaks, and says so
    assert record["audit"]["shared_images"] == 4 * 8
    assert ridge.manifest()["split"]["folds"] == 4


def test_one_fold_alone_is_the_same_fold(ridge, make_job, run):
    job = make_job(name="third", split={**SESSIONS, "fold": 3})
    assert run(job)[0] == 0
    theirs = fold_folder(ridge, 3)
    pd.testing.assert_frame_equal(job.predictions(), theirs.predictions())
    pd.testing.assert_frame_equal(job.scores(), theirs.scores())


def test_it_is_no_decoder_by_itself(ridge):
    with pytest.raises(JobError):
        open_task(ridge)
    open_task(fold_folder(ridge, 1))


def test_stopped_within_the_second_fold_it_goes_on_to_the_same_end(
    ridge, make_job, monkeypatch, run
):
    job = make_job(name="stopped", split=SESSIONS)
    ran, usual = [], cross_validation.run

    def stop_at_second(reporter, task):
        ran.append(reporter.place.number)
        if ran == [1, 2]:
            job.file("stop").touch()
        usual(reporter, task)

    monkeypatch.setattr(cross_validation, "run", stop_at_second)
    assert run(job)[0] == 0
    assert job.status().state == "stopped"
    assert not job.file("scores.json").exists()
    assert run(job)[0] == 0
    assert ran == [1, 2, 2, 3, 4]
    pd.testing.assert_frame_equal(job.predictions(), ridge.predictions())
    pd.testing.assert_frame_equal(job.scores(), ridge.scores())
    assert [len(fold_folder(job, n).manifest()["test_set_touched"]) for n in range(1, 5)] == [
        1
    ] * 4


def test_killed_anywhere_it_goes_on_to_the_same_end(make_job, run, tmp_path):
    recipe = {"model": TINY_VIT, "fit": TINY_FIT, "split": {"kind": "image", "folds": 2}}
    whole, job = (make_job(name=name, **recipe) for name in ("calm", "killed"))
    assert run(whole)[0] == 0
    command = [sys.executable, "-m", "thingsviz.commands.train", str(job.path)]
    second = fold_folder(job, 2).file("metrics.jsonl")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ) as process:
        end = time.monotonic() + 120
        while not second.is_file() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert not job.is_done()
    assert fold_folder(job, 1).is_done()
    assert run(job)[0] == 0
    pd.testing.assert_frame_equal(job.predictions(), whole.predictions())


def test_progress_and_time_left_are_those_of_all_folds(make_job, monkeypatch, run):
    job = make_job(name="told", split=SESSIONS)
    said, usual = [], type(job).write_status

    def write(folder, status):
        if folder.path == job.path:
            said.append(replace(status))
        usual(folder, status)

    monkeypatch.setattr(type(job), "write_status", write)
    assert run(job)[0] == 0
    shares = [status.share for status in said]
    assert shares == sorted(shares)
    assert any("fold 2 of 4 (session 2)" in status.message for status in said)
    assert {status.n_steps for status in said if status.n_steps} == {4}
    assert max(status.epoch for status in said) == 4
    assert any(status.eta_s for status in said if status.step)
    assert said[-1].state == "done"


def test_predictions_that_are_lost_are_noticed(ridge, make_job, run):
    job = make_job(name="lost", split=SESSIONS)
    assert run(job)[0] == 0
    job.file("scores.json").unlink()
    fold = fold_folder(job, 2)
    fold.file("predictions.parquet").unlink()
    code, said = run(job)
    assert code == 2
    assert "fold-02" in said


@pytest.fixture(scope="module")
def block_design(tmp_path_factory):
    """A session of 12 runs and 8 classes, without test images."""
    root = tmp_path_factory.mktemp("runs")
    assert simulate.main([str(root / "runs"), "--preset", "runs", "--seed", "1"]) == 0
    assert prepare.main([str(root / "runs"), "--subject", "sub-01"]) == 0
    return root


@pytest.fixture
def runs(block_design, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_DATA", str(block_design))
    monkeypatch.setenv("THINGSVIZ_JOBS", str(block_design / "jobs"))
    monkeypatch.setenv("THINGSVIZ_THREADS", "1")
    monkeypatch.delenv("THINGSVIZ_DERIVATIVES", raising=False)


@pytest.mark.usefixtures("runs")
def test_a_block_design_is_decoded_leaving_one_run_out():
    """12 runs, 8 classes, chance 1 / 8: the machine names more than half."""
    model = {"name": "linear_svm", "C": 1e-4}
    split = {"kind": "run", "folds": "each"}
    recipe = {"dataset": "runs", "learns": "concepts", "model": model, "split": split}
    job = create_job(parse_config(recipe))
    _, trials = open_trials(job)
    assert default_choice(trials)[::3] == ("run", "each")
    assert train.main([str(job.path)]) == 0
    folds, scores = fold_scores(job), job.scores()
    assert len(folds.of("linear_svm", "top1")) == 12
    top1 = scores[scores["metric"].eq("top1")].set_index("model")
    assert {"linear_svm", "chance", "ridge", "prior"} <= set(top1.index)
    own = top1.loc["linear_svm"]
    assert own["low"] > 0.4 > top1.loc["chance", "high"] > top1.loc["chance", "value"] == 0.125
    assert own["p"] < 1e-4
    assert own["hits"] == pytest.approx(own["value"] * 384)
    table = job.predictions()
    assert len(table) == 384
    np.testing.assert_array_equal(table["fold"], table["run"])
    ranks = read_arrays(job.file("ranks.safetensors"))["ranks"]
    assert ranks.shape == (384, 8)
    assert json.loads(job.file("scores.json").read_text())["learnable"]["test_trials"] == 384
