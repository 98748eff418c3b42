"""A small transformer and a ridge trained on the tiny planted subject, once for the room."""

from __future__ import annotations

import pytest

from tests.trainings import TINY_FIT, TINY_VIT
from thingsviz.analysis.scores import resampling
from thingsviz.commands import train
from thingsviz.explain.decoder import open_decoder
from thingsviz.jobs.job_folder import create_job
from thingsviz.jobs.recipe import parse_config

RECIPES = {
    "pooled": {"model": TINY_VIT, "fit": TINY_FIT},
    "cls": {
        "model": {**TINY_VIT, "pooling": "cls", "start": "random", "n_layers": 2},
        "fit": {**TINY_FIT, "epochs": 1},
    },
    "classes": {
        "model": TINY_VIT,
        "learns": "categories27",
        "fit": {**TINY_FIT, "epochs": 1},
        "split": {"kind": "test_images"},
    },
    "ridge": {"model": {"name": "ridge", "n_selected_voxels": 500}},
}


@pytest.fixture(scope="package")
def jobs(tiny, tmp_path_factory):
    """Finished jobs by name; their folders may get maps, their weights stay."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINGSVIZ_DATA", str(tiny))
        patch.setenv("THINGSVIZ_JOBS", str(tmp_path_factory.mktemp("jobs")))
        patch.setenv("THINGSVIZ_THREADS", "1")
        patch.setattr(resampling, "N_DRAWS", 100)
        made = {}
        for name, recipe in RECIPES.items():
            made[name] = create_job(parse_config({"dataset": "tiny", "name": name, **recipe}))
            assert train.main([str(made[name].path)]) == 0
        yield made


@pytest.fixture(scope="package")
def decoders(jobs):
    return {name: open_decoder(job) for name, job in jobs.items()}
