"""Reference rows: computed once, by one process, and right."""

import fcntl
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd
import pytest

from models.linear.config import MeanConfig
from thingsviz.analysis.scores.metrics import pearson
from thingsviz.core.errors import JobError
from thingsviz.pipeline import references
from thingsviz.pipeline.reference_cache import cache_folder, oracle_table
from thingsviz.pipeline.references import fit_and_predict, reference_scores
from thingsviz.pipeline.tasks.ratings import scored_parts
from thingsviz.pipeline.tasks.registry import open_task
from thingsviz.queue.reporter import StoppedError


def silent(_):
    pass


@pytest.fixture
def material(make_job):
    return open_task(make_job())


def rows_of(material):
    rows = pd.DataFrame(reference_scores(material, material.responses, silent).rows)
    return rows.set_index(["model", "part", "n_averaged", "target", "metric"]).sort_index()


def test_every_reference_has_a_row(material):
    rows = rows_of(material)
    assert rows.index.is_unique
    for place in (("test", "single"), ("test", "mean of 4"), ("exemplars", "single")):
        for model in ("mean", "ridge", "ceiling", "oracle"):
            assert rows.index.isin([(model, *place, "lives", "r")]).sum() == 1, (model, place)
    value = rows["value"]
    test = ("test", "single", "mean")
    assert np.isnan(value["mean", *test, "r"])
    assert value["ridge", *test, "mse"] < value["mean", *test, "mse"]
    assert value["oracle", *test, "r"] > value["ridge", *test, "r"] > 0
    assert value["oracle", *test, "r"] < value["ceiling", *test, "r"] < 1


def test_predictions_are_on_the_raters_own_scales(make_job):
    """Learned from 0 to 1, a constant guess is the mean of the raters' answers."""
    task = open_task(make_job(rating_scale="unit"))
    table = fit_and_predict(task, task.responses, MeanConfig()).table
    expected = task.ratings[task.split.train].mean(0)
    guess = table[[f"pred_{target}" for target in task.config.targets]]
    np.testing.assert_allclose(guess, np.tile(expected, (len(table), 1)), rtol=1e-5)


def test_oracle_row_is_the_planted_oracles_r(material):
    path = material.dataset.planted_dir("sub-01") / "oracle.parquet"
    known = pd.read_parquet(path)
    trials = material.store.trials.iloc[material.split.test]
    found = trials.merge(known[known["n_averaged"] == 1], on=["session", "run", "trial"])
    plain = pearson(found[["property_lives_mean"]], found[["pred_lives"]])[0]
    value = rows_of(material)["value"]["oracle", "test", "single", "lives", "r"]
    assert value == pytest.approx(plain)


def test_measured_data_have_no_oracle(tiny_copy, make_job, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_DATA", str(tiny_copy))
    material = open_task(make_job())
    (material.dataset.planted_dir("sub-01") / "oracle.parquet").unlink()
    assert set(rows_of(material).index.get_level_values("model")) == {"mean", "ridge", "ceiling"}


def test_ridge_row_is_a_ridge_fitted_here(material):
    from models.linear.config import RidgeConfig

    frame = fit_and_predict(material, material.responses, RidgeConfig()).table
    scored = next(scored_parts(frame, material.config.targets))
    plain = pearson(scored.data.true, scored.data.predicted)
    value = rows_of(material)["value"]
    for j, target in enumerate(material.config.targets):
        assert value["ridge", "test", "single", target, "r"] == pytest.approx(plain[j])


def test_computed_once(material, monkeypatch):
    first = rows_of(material)

    def never(*_):
        raise AssertionError

    monkeypatch.setattr(references, "_compute", never)
    pd.testing.assert_frame_equal(rows_of(material), first)


@pytest.mark.parametrize(
    "other",
    [
        {"targets": ["lives"]},
        {"rating_scale": "raw"},
        {"standardise": "none"},
        {"split": {"kind": "trial"}},
        {"split": {"seed": 9}},
    ],
)
def test_another_question_has_another_answer(make_job, material, other):
    assert cache_folder(open_task(make_job(**other))) != cache_folder(material)


def test_the_model_of_a_job_does_not_matter(make_job, material):
    assert cache_folder(open_task(make_job(model={"name": "mean"}))) == cache_folder(material)


def test_a_stop_leaves_nothing_half_made(material):
    class Stopping:
        shape = material.responses.shape

        def batch(self, rows):
            raise StoppedError

        def blocks(self, rows, width):
            raise StoppedError

    with pytest.raises(StoppedError):
        reference_scores(material, Stopping(), silent)
    folder = cache_folder(material)
    assert [p.name for p in folder.parent.iterdir()] == [f"{folder.name}.lock"]
    assert len(rows_of(material)) > 0


def test_who_waits_for_another_job_hears_of_a_stop(material):
    rows_of(material)
    path = cache_folder(material).with_suffix(".lock")
    said, asked = [], []

    def check():
        asked.append(1)
        if len(asked) == 3:
            raise StoppedError

    with path.open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StoppedError):
            reference_scores(material, material.responses, said.append, check)
    assert said == ["waiting for the reference rows that another job computes"]
    assert len(rows_of(material)) > 0


def _share(*shared):
    """Give a worker what only its start can carry."""
    SHARED[:] = shared


SHARED = []


def _compute_in_process(job):
    counter, both = SHARED
    plain = references._compute

    def counted(*args):
        with counter.get_lock():
            counter.value += 1
        time.sleep(0.3)
        return plain(*args)

    references._compute = counted
    material = open_task(job)
    both.wait(120)
    return len(reference_scores(material, material.responses, silent).rows)


def test_one_computes_when_several_start(make_job):
    """In a pool, whose workers' errors and deaths are the test's: it never waits for the dead."""
    job = make_job(targets=["lives"])
    _ = open_task(job).scaler
    context = multiprocessing.get_context("spawn")
    counter, both = context.Value("i", 0), context.Barrier(2)
    pool = ProcessPoolExecutor(2, context, initializer=_share, initargs=(counter, both))
    with pool:
        works = [pool.submit(_compute_in_process, job) for _ in range(2)]
        lengths = {work.result() for work in works}
    assert counter.value == 1
    assert len(lengths) == 1


@pytest.mark.parametrize("name", ["oracle.parquet", "oracle.json"])
def test_a_damaged_oracle_is_said(tiny_copy, make_job, monkeypatch, name):
    monkeypatch.setenv("THINGSVIZ_DATA", str(tiny_copy))
    material = open_task(make_job())
    path = material.dataset.planted_dir("sub-01") / name
    assert oracle_table(material.dataset, "sub-01") is not None
    path.chmod(0o644)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw if name == "oracle.parquet" else b"[]")
    with pytest.raises(JobError, match=r"oracle\.(parquet|json)"):
        oracle_table(material.dataset, "sub-01")
