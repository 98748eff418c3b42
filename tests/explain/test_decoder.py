"""A finished job as a function: the same numbers as its predictions, for any trial."""

import numpy as np
import pytest

from tests.trainings import TINY_FIT, TINY_VIT
from thingsviz.commands import train
from thingsviz.core.errors import JobError
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import open_dataset
from thingsviz.explain.predictor import load_predictor
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
    predict = load_predictor(jobs[name])
    table = jobs[name].predictions()
    single = table[table["n_averaged"] == 1]
    found = predict(single["row"].to_numpy())
    for j, target in enumerate(predict.targets):
        np.testing.assert_allclose(found[:, j], single[f"pred_{target}"], rtol=1e-4, atol=1e-4)


def test_any_trial_can_be_asked(jobs):
    predict = load_predictor(jobs["ridge"])
    n = predict.material.store.shape[0]
    everything = predict(np.arange(n))
    assert everything.shape == (n, 12)
    assert np.isfinite(everything).all()
    np.testing.assert_allclose(predict([5]), everything[5:6], rtol=1e-4)
    assert predict([]).shape == (0, 12)


def test_a_table_has_names(jobs):
    table = load_predictor(jobs["raw"]).table([3, 4])
    assert list(table.columns) == ["lives", "size"]
    assert list(table.index) == [3, 4]


def test_an_open_store_is_used(jobs, tiny):
    store = BetaStore.open(open_dataset(tiny / "tiny"), "sub-01")
    predict = load_predictor(jobs["ridge"], store)
    assert predict.material.store is store
    assert load_predictor(jobs["ridge"].path, store)([0]).shape == (1, 12)


def test_it_knows_what_was_trained_on(jobs):
    predict = load_predictor(jobs["ridge"])
    split = predict.material.split
    assert predict.part_of(int(split.train[0])) == "train"
    assert predict.part_of(int(split.test[0])) == "test"
    assert predict.part_of(int(split.extra["exemplars"][0])) == "exemplars"
    catch = np.flatnonzero(predict.material.store.trials["trial_type"] == "catch")[0]
    assert predict.part_of(int(catch)) == "unused"


@pytest.mark.parametrize("rows", [[-1], [10_000], [0, 176]])
def test_trials_that_do_not_exist(jobs, rows):
    with pytest.raises(IndexError, match="rows must lie in 0 to 175"):
        load_predictor(jobs["mean"])(rows)


def test_an_unfinished_job_predicts_nothing(jobs):
    job = create_job(parse_config({"dataset": "tiny", "name": "fresh"}))
    with pytest.raises(JobError, match="'fresh' has no finished model yet"):
        load_predictor(job)


def test_a_job_of_other_data_predicts_nothing(jobs, tmp_path):
    job = create_job(parse_config({"dataset": "tiny", "name": "foreign"}))
    job.file("manifest.json").write_text('{"dataset_fingerprint": "f00"}')
    with pytest.raises(JobError, match="a job folder of another dataset"):
        load_predictor(job)
