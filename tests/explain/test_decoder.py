"""A finished job as a function: the same numbers as its predictions, for any trial."""

import numpy as np
import pytest

from tests.predictions import load_predictor
from tests.trainings import TINY_FIT, TINY_VIT
from thingsviz.commands import train
from thingsviz.core.errors import JobError
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import open_dataset
from thingsviz.jobs.job_folder import create_job
from thingsviz.jobs.recipe import parse_config

RECIPES = {
    "mean": {"model": {"name": "mean"}},
    "ridge": {"rating_scale": "z"},
    "vit3d": {"model": TINY_VIT, "fit": {**TINY_FIT, "epochs": 1}},
    "raw": {"rating_scale": "raw", "standardise": "none", "targets": ["lives", "size"]},
}


@pytest.fixture(scope="module")
def jobs(tiny, tmp_path_factory):
    """One finished job of each recipe."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINGSVIZ_DATA", str(tiny))
        patch.setenv("THINGSVIZ_THREADS", "1")
        patch.setenv("THINGSVIZ_JOBS", str(tmp_path_factory.mktemp("jobs")))
        made = {}
        for name, recipe in RECIPES.items():
            made[name] = create_job(parse_config({"dataset": "tiny", "name": name, **recipe}))
            assert train.main([str(made[name].path)]) == 0
        yield made


@pytest.mark.parametrize("name", RECIPES)
def test_same_numbers_as_the_jobs_own(jobs, name):
    predict, task = load_predictor(jobs[name])
    table = jobs[name].predictions()
    single = table[table["n_averaged"] == 1]
    found = predict(single["row"].to_numpy())
    for j, target in enumerate(task.outputs):
        np.testing.assert_allclose(found[:, j], single[f"pred_{target}"], rtol=1e-4, atol=1e-4)


def test_any_trial_can_be_asked(jobs):
    predict, task = load_predictor(jobs["ridge"])
    n = task.store.shape[0]
    everything = predict(np.arange(n))
    assert everything.shape == (n, 12)
    assert np.isfinite(everything).all()
    np.testing.assert_allclose(predict(np.array([5])), everything[5:6], rtol=1e-4)
    assert predict(np.array([], int)).shape == (0, 12)


def test_an_open_store_is_used(jobs, tiny):
    store = BetaStore.open(open_dataset(tiny / "tiny"), "sub-01")
    _, task = load_predictor(jobs["ridge"], store)
    assert task.store is store


def test_an_unfinished_job_predicts_nothing(jobs):
    job = create_job(parse_config({"dataset": "tiny", "name": "fresh"}))
    with pytest.raises(JobError, match="'fresh' has no finished model yet"):
        load_predictor(job)


def test_a_job_of_other_data_predicts_nothing(jobs, tmp_path):
    job = create_job(parse_config({"dataset": "tiny", "name": "foreign"}))
    job.file("manifest.json").write_text('{"dataset_fingerprint": "f00"}')
    with pytest.raises(JobError, match="a job folder of another dataset"):
        load_predictor(job)
