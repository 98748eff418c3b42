"""Trainings on the tiny planted subject that the tests of several rooms start."""

from __future__ import annotations

import pytest

from thingsviz.analysis.scores import resampling
from thingsviz.commands import train
from thingsviz.jobs.job_folder import JobFolder, create_job
from thingsviz.jobs.recipe import parse_config

# Trains in about 2 s: five steps an epoch on 84 trials of 5,800 voxels.
TINY_VIT = {
    "name": "vit3d",
    "patch_size": [6, 7, 5],
    "tokens": "brain",
    "patch_embedding": "local",
    "embed_dim": 16,
    "n_layers": 1,
    "n_heads": 2,
    "dropout": 0.1,
    "input_dropout": 0.1,
    "pooling": "sum",
    "final_norm": False,
    "start": "mean",
}
TINY_FIT = {"epochs": 3, "batches_per_epoch": 5, "batch_size": 16, "precision": "float32"}


@pytest.fixture
def small_training(monkeypatch):
    """One thread a worker, and few draws of concepts, at which nobody here looks."""
    monkeypatch.setenv("THINGSVIZ_THREADS", "1")
    monkeypatch.setattr(resampling, "N_DRAWS", 100)


@pytest.fixture
def make_job(tiny_env):
    """Make a job folder on the tiny dataset."""

    def make(**recipe) -> JobFolder:
        return create_job(parse_config({"dataset": "tiny", "seed": 3, **recipe}))

    return make


@pytest.fixture
def make_vit(make_job):
    """Make a job folder of a small transformer."""

    def make(**fit) -> JobFolder:
        return make_job(name="vit", model=TINY_VIT, fit={**TINY_FIT, **fit})

    return make


@pytest.fixture
def run(capfd):
    """Run the training command in this process; exit code and what it said on stderr."""

    def call(job) -> tuple[int, str]:
        capfd.readouterr()
        code = train.main([str(getattr(job, "path", job))])
        return code, capfd.readouterr().err.strip()

    return call
