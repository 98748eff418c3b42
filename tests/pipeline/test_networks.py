"""Trainings of the other networks through the command: what only a whole job can get wrong."""

import json

import numpy as np
import pytest

from tests.trainings import TINY_FIT, TINY_VIT

CNN = {
    "name": "cnn_vit",
    "patch_size": [3, 7, 5],
    "first_channels": 4,
    "last_channels": 4,
    "embed_dim": 16,
    "n_layers": 1,
    "n_heads": 2,
}
WARM = TINY_VIT | {"start": "linear"}
FIT = TINY_FIT | {"target_weights": "rating_sd", "repeat_mixing": 0.5, "noise_sd": 0.1}


def epochs_of(job):
    rows = map(json.loads, job.file("metrics.jsonl").read_text().splitlines())
    return [row for row in rows if row["kind"] == "epoch"]


@pytest.mark.parametrize("model", [CNN, CNN | {"scales": "both", "first_patch_size": [6, 7, 5]}])
def test_a_cnn_before_the_transformer_trains_and_predicts(make_job, run, model):
    job = make_job(name="cnn", model=model, fit=FIT | {"epochs": 1, "batches_per_epoch": 2})
    assert run(job) == (0, "")
    guess = job.predictions().filter(like="pred_").to_numpy()
    assert np.isfinite(guess).all()
    assert guess.std(0).min() > 0


def test_a_warm_start_is_validated_before_its_first_step(make_job, run):
    job = make_job(name="warm", model=WARM, fit=FIT)
    assert run(job) == (0, "")
    epochs = epochs_of(job)
    assert [row["epoch"] for row in epochs] == [0, 1, 2, 3]
    assert (epochs[0]["step"], epochs[0]["train_loss"], epochs[0]["best"]) == (0, None, True)
    best = job.manifest()["best_epoch"]
    assert best == min(epochs, key=lambda row: row["validation_loss"])["epoch"]
    assert job.status().step == 15


def test_a_patch_that_does_not_divide_the_cnns_map_is_one_sentence(make_job, run):
    job = make_job(name="cnn", model=CNN | {"patch_size": [6, 11, 6]}, fit=TINY_FIT)
    code, said = run(job)
    assert code == 2
    assert "patch_size (6, 11, 6) does not divide (6, 7, 5): axis 1 leaves 7 places" in said
    assert "the CNN's last map of a volume (24, 28, 20)" in said
