"""What a recipe turns into, and what is refused before anything is computed."""

import json

import numpy as np
import pytest

from thingsviz.core.errors import ConfigError, DataError, JobError
from thingsviz.data.things.ratings import mean_column
from thingsviz.jobs.recipe import dump_config, parse_config
from thingsviz.pipeline.fit import fit_data
from thingsviz.pipeline.tasks.registry import open_task


@pytest.fixture
def material(make_job):
    return open_task(make_job())


def test_ratings_are_those_of_the_trials_table(material):
    assert material.ratings.shape == (material.store.shape[0], 12)
    lives = material.config.targets.index("lives")
    table = material.store.trials[mean_column("lives")].to_numpy(float)
    np.testing.assert_array_equal(material.ratings[:, lives], table)
    assert np.isnan(material.rating_sd[:, 0]).all()  # nameability has no SD in the release
    assert np.isnan(material.n_raters[:, 0]).all()
    assert (material.n_raters[material.split.train, 2:] > 5).all()


def test_trained_ratings_are_unit_scaled(material):
    rows = material.split.train
    assert material.answers[rows].min() >= 0
    assert material.answers[rows].max() <= 1
    np.testing.assert_allclose(
        material.scale.to_ratings(material.answers[rows]),
        material.ratings[rows],
        atol=1e-5,
    )


def test_no_part_holds_an_unrated_trial_or_a_trial_of_another(material):
    seen = np.concatenate([material.split.train, *material.parts.values()])
    assert len(np.unique(seen)) == len(seen)
    assert np.isfinite(material.ratings[seen]).all()
    test = set(material.concepts[material.parts["test"]])
    assert not test & set(material.concepts[material.split.train])
    assert test == set(material.concepts[material.parts["exemplars"]])


def test_z_scoring_is_fitted_on_training_trials_and_kept(make_job):
    job = make_job()
    material = open_task(job)
    first = material.responses.batch(material.split.test[:3])
    assert set(material.scaler.fitted_rows) == set(material.split.train)
    kept = open_task(job)
    assert (job.checkpoints / "scaler.safetensors").is_file()
    np.testing.assert_array_equal(kept.responses.batch(material.split.test[:3]), first)
    assert kept.scaler.as_json() == material.scaler.as_json()


def test_z_scoring_of_other_trials_is_refused(make_job):
    """A scaler that has seen test trials is a leak that is noticed."""
    leaky = make_job(split={"kind": "trial"})
    assert open_task(leaky).scaler is not None
    job = make_job()
    job.checkpoints.mkdir()
    source = leaky.checkpoints / "scaler.safetensors"
    (job.checkpoints / "scaler.safetensors").write_bytes(source.read_bytes())
    with pytest.raises(DataError, match=r"z-scoring was fitted on .* trials outside the training"):
        _ = open_task(job).scaler


def test_without_z_scoring_responses_are_as_stored(make_job):
    material = open_task(make_job(standardise="none"))
    row = int(material.split.test[0])
    np.testing.assert_array_equal(
        material.responses.batch(np.array([row]))[0], material.store.vector(row)
    )


class AskedTrials:
    """Responses that remember which trials were asked for."""

    def __init__(self, inner):
        self.inner, self.shape, self.asked = inner, inner.shape, set()

    def batch(self, rows):
        self.asked |= set(rows.tolist())
        return self.inner.batch(rows)

    def blocks(self, rows, width):
        self.asked |= set(rows.tolist())
        return self.inner.blocks(rows, width)


@pytest.mark.parametrize("learns", ["ratings", "concepts"])
def test_voxels_are_scored_on_training_trials_alone(make_job, learns):
    model = {"name": "vit3d" if learns == "ratings" else "lda"}
    task = open_task(make_job(learns=learns, split={"kind": "test_images"}, model=model))
    trials = AskedTrials(task.responses)
    scores = task.voxel_scores(trials)
    assert scores.shape == (task.store.shape[1],)
    assert trials.asked == set(task.split.train.tolist())


def test_epochs_are_judged_by_the_validation_part(material):
    data, split = fit_data(material), material.split
    np.testing.assert_array_equal(data.train, split.train)
    np.testing.assert_array_equal(data.validation, split.validation)


def test_the_split_is_drawn_once(make_job):
    job = make_job()
    first = open_task(job)
    again = open_task(job)
    assert again.split_hash == first.split_hash
    np.testing.assert_array_equal(again.split.train, first.split.train)
    other = open_task(make_job(split={"seed": 11}))
    assert other.split_hash != first.split_hash


def test_a_split_of_other_data_is_refused(make_job):
    job = make_job()
    open_task(job)
    split = json.loads(job.file("split.json").read_text())
    split["test"].append(100_000)
    del split["crc32"]  # as somebody who edits the file by hand has to
    job.file("split.json").write_text(json.dumps(split))
    with pytest.raises(JobError, match="names trials that these data do not have"):
        open_task(job)


def test_a_path_is_as_good_as_a_name(make_job, tiny, monkeypatch):
    job = make_job(dataset=str(tiny / "tiny"))
    monkeypatch.setenv("THINGSVIZ_DATA", "/nowhere")
    assert open_task(job).dataset.name == "tiny"


@pytest.mark.parametrize(
    ("recipe", "error", "sentence"),
    [
        ({"dataset": "tinny"}, DataError, "there is no dataset 'tinny' in .*those there: tiny"),
        ({"dataset": "/no/where"}, DataError, "folder '/no/where' does not exist"),
        ({"dataset": "../tiny"}, DataError, "does not exist"),
        ({"subject": "sub-09"}, DataError, "sub-09 of 'tiny' is missing"),
        ({"subject": "../x"}, DataError, "is not a label like 'sub-01'"),
        ({"targets": ["lives", "shiny"]}, ConfigError, "have no shiny: choose targets from"),
    ],
)
def test_what_is_not_there_is_said(make_job, recipe, error, sentence):
    with pytest.raises(error, match=sentence):
        open_task(make_job(**recipe))


def test_a_job_folder_of_another_dataset(make_job):
    job = make_job()
    job.file("manifest.json").write_text('{"dataset_fingerprint": "0123456789abcdef"}')
    with pytest.raises(JobError, match=r"a job folder of another dataset: .* 0123456789ab"):
        open_task(job)


def test_a_broken_store_is_said(tiny_copy, make_job, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_DATA", str(tiny_copy))
    betas = tiny_copy / "tiny" / "derivatives" / "thingsviz" / "sub-01" / "betas.npy"
    betas.write_bytes(betas.read_bytes()[:-2])
    with pytest.raises(DataError, match=r"is broken .*prepare"):
        open_task(make_job())


def test_recipes_of_paths_with_spaces(tiny_copy, make_job):
    (tiny_copy / "tiny").rename(tiny_copy / "ein Gehirn ü")
    job = make_job(dataset=str(tiny_copy / "ein Gehirn ü"))
    assert parse_config(dump_config(job.config())) == job.config()
    assert open_task(job).dataset.name == "ein Gehirn ü"
