"""The training command with linear models: what it leaves behind, and what it never does twice."""

import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from thingsviz.analysis.scores.metrics import confidence, mse, pearson
from thingsviz.commands import train
from thingsviz.core.json_files import sealed
from thingsviz.jobs.job_folder import JobFolder, jobs_root
from thingsviz.pipeline import run as stages

FILES = {
    *("config.json", "status.json", "metrics.jsonl", "lock", "split.json", "checkpoints"),
    *("predictions.parquet", "scores.json", "manifest.json"),
}


@pytest.fixture
def done(make_job, run):
    """A finished ridge."""
    job = make_job(name="ridge")
    assert run(job) == (0, "")
    return job


def test_a_done_job_has_all_files(done):
    assert {path.name for path in done.path.iterdir()} == FILES
    assert {p.name for p in done.checkpoints.iterdir()} == {
        "best.safetensors",
        "scaler.safetensors",
    }
    status = done.status()
    assert (status.state, status.share) == ("done", 1)
    assert re.fullmatch(r"done in \d+ s", status.message)
    assert {p.name for p in jobs_root().iterdir()} == {"ridge", ".references"}


def test_metrics_of_a_linear_model_are_one_row(done):
    (row,), _ = done.metrics()
    assert row["kind"] == "epoch"
    assert 0 < row["train_loss"] < row["validation_loss"]


def test_scores_are_those_of_the_predictions(done):
    table = done.predictions()
    keys = ["model", "part", "n_averaged", "target", "metric"]
    scores = done.scores().set_index(keys)["value"].sort_index()
    for n, words in ((1, "single"), (4, "mean of 4")):
        frame = table[(table["part"] == "test") & (table["n_averaged"] == n)]
        true, predicted = frame[["true_lives"]], frame[["pred_lives"]]
        found = scores["ridge", "test", words, "lives"]
        assert found["r"] == pytest.approx(pearson(true, predicted)[0])
        assert found["mse"] == pytest.approx(mse(true, predicted)[0])
        assert found["mse_unit"] == pytest.approx(found["mse"] / 36)
        expected = confidence(predicted, true, frame[["sd_lives"]])[0]
        assert found["confidence"] == pytest.approx(expected)


def test_every_reference_stands_beside_the_model(done):
    scores = done.scores()
    of_ratings = scores[~scores["metric"].str.startswith("top")]
    assert set(of_ratings["model"]) == {"ridge", "chance", "mean", "ceiling", "oracle"}
    keys = ["model", "part", "n_averaged", "target", "metric"]
    assert not scores.duplicated(keys).any()


def test_what_could_not_be_shown_is_said(done):
    sentences = done.could_not_show()
    assert any("SIMULATED" in s for s in sentences)
    assert any("8 concepts" in s and "cannot be told from chance" in s for s in sentences)
    record = json.loads(done.file("scores.json").read_text())
    lives = record["constant_confidence"]["test"]["lives"]
    closed = 2 / np.pi * np.arctan(1 / lives["rho"])
    assert lives["constant_confidence"] == pytest.approx(closed, abs=1e-3)
    assert record["audit"]["shared_concepts"] == 0


def test_differences_from_the_references(done, make_job, run):
    differences = done.differences()
    assert set(differences["versus"]) == {"mean"}
    keys = ["part", "n_averaged", "target", "metric"]
    found = differences.set_index(keys)["difference"].sort_index()
    scores = done.scores().set_index(["model", *keys])["value"].sort_index()
    place = ("test", "single", "lives", "mse")
    expected = scores["ridge", *place] - scores["mean", *place]
    assert found[place] == pytest.approx(expected)
    mean = make_job(model={"name": "mean"})
    assert run(mean) == (0, "")
    assert set(mean.differences()["versus"]) == {"ridge"}
    assert any(re.match(r"It is (worse|not shown) .* ridge", s) for s in mean.could_not_show())


def test_manifest_says_what_made_the_result(done):
    manifest = done.manifest()
    assert manifest["versions"]["torch"].startswith("2.")
    assert manifest["dataset"] == "tiny"
    assert manifest["simulated"] is True
    assert len(manifest["dataset_fingerprint"]) >= 16
    assert manifest["seed"] == 3
    assert manifest["threads"] >= 1
    assert manifest["scaler"]["fitted_trials"] == manifest["split"]["n_train"]
    assert len(manifest["test_set_touched"]) == 1
    assert len(manifest["starts"]) == 1


def test_a_done_job_does_not_touch_the_test_again(done, run, monkeypatch):
    before = {path: path.read_bytes() for path in done.path.rglob("*") if path.is_file()}

    def never(*_):
        raise AssertionError

    monkeypatch.setattr(stages, "run", never)
    code, words = run(done)
    assert (code, words) == (0, "ridge is done: nothing is left to do")
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("lost", ["scores.json", "predictions.parquet"])
def test_killed_between_the_stages(done, run, lost):
    """What was predicted is not predicted again; what was lost is made anew, and that is noted."""
    scores = done.scores()
    done.file(lost).unlink()
    done.file("scores.json").unlink(missing_ok=True)
    status = json.loads(done.file("status.json").read_text())
    done.file("status.json").write_text(json.dumps(sealed({**status, "state": "running"})))
    assert done.status().state == "stopped"
    assert run(done) == (0, "")
    pd.testing.assert_frame_equal(done.scores(), scores)
    touched = 1 if lost == "scores.json" else 2
    assert len(done.manifest()["test_set_touched"]) == touched


def test_the_same_recipe_gives_the_same_numbers(done, make_job, run):
    other = make_job(name="again")
    assert run(other) == (0, "")
    for name in ("best.safetensors", "scaler.safetensors"):
        one, two = load_file(done.checkpoints / name), load_file(other.checkpoints / name)
        assert all(np.array_equal(one[key], two[key]) for key in one)
    pd.testing.assert_frame_equal(done.predictions(), other.predictions())
    pd.testing.assert_frame_equal(done.scores(), other.scores())


@pytest.mark.parametrize("scale", ["unit", "raw", "z"])
def test_predictions_are_on_the_raters_scale_whatever_is_trained(make_job, run, scale):
    job = make_job(rating_scale=scale, targets=["lives", "size"], name=scale)
    assert run(job) == (0, "")
    table = job.predictions()
    for target, low, high in (("lives", 1, 7), ("size", 0, 520)):
        assert table[f"true_{target}"].between(low, high).all()
        guess = table[f"pred_{target}"]
        assert low - 2 < guess.mean() < high
        spread = table[f"true_{target}"].std()
        assert abs(guess.mean() - table[f"true_{target}"].mean()) < 2 * spread


def test_the_mean_job_has_no_second_mean_row(make_job, run):
    job = make_job(model={"name": "mean"})
    assert run(job) == (0, "")
    rows = job.scores()
    one = rows[(rows["model"] == "mean") & (rows["target"] == "lives") & (rows["metric"] == "mse")]
    assert len(one) == 3
    of_ratings = rows[~rows["metric"].str.startswith("top")]
    assert set(of_ratings["model"]) == {"mean", "chance", "ridge", "ceiling", "oracle"}
    guess = job.predictions()["pred_lives"]
    assert guess.max() - guess.min() < 1e-6


@pytest.mark.parametrize("kind", ["trial", "image", "concept", "session", "test_images"])
def test_every_split_trains(make_job, run, kind):
    job = make_job(
        model={"name": "mean"},
        targets=["lives", "heavy"],
        split={"kind": kind, "fractions": [0.5, 0.25, 0.25]},
    )
    assert run(job) == (0, "")
    assert {"validation", "test"} <= set(job.predictions()["part"])
    said = " ".join(job.could_not_show())
    assert ("also seen in training" in said) == (kind != "concept")


def test_the_command_itself(make_job, tiny_env):
    job = make_job(model={"name": "mean"})
    command = [sys.executable, "-m", "thingsviz.commands.train", str(job.path)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert found.returncode == 0, found.stderr
    assert "done in" in found.stdout
    assert found.stderr == ""


def test_a_new_job_is_begun_with_a_dataset(tiny_env, capsys):
    words = ["--dataset", "tiny", "--model", "mean", "--set", "split.kind=image", "--name", "m"]
    assert train.main(words) == 0
    job = JobFolder(tiny_env / "m")
    assert job.status().state == "done"
    assert (job.config().model.name, job.config().split.kind) == ("mean", "image")
    assert str(job.path) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "begin a new one with --dataset NAME"),
        (["x", "--dataset", "tiny"], "begin a new one with --dataset NAME"),
        (["--dataset", "nowhere"], "nowhere"),
        (["--dataset", "tiny", "--model", "rigde"], "did you mean 'ridge'?"),
        (["--dataset", "tiny", "--set", "fit.epochs"], "give KEY=VALUE"),
        (["--dataset", "tiny", "--set", "model.name.x=1"], "give KEY=VALUE"),
        (["--dataset", "tiny", "--set", "fit.epochs=many"], "epochs"),
    ],
)
def test_a_wrong_new_job_is_one_sentence_and_leaves_no_folder(tiny_env, capsys, words, said):
    assert train.main(words) == 2
    assert said in capsys.readouterr().err
    assert not list(tiny_env.glob("[a-z]*"))
