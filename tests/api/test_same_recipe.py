"""One recipe gives one set of predictions: as estimator, tv.train, job, command line and form."""

import json

import numpy as np
import pytest

import thingsviz as tv
from thingsviz.api.work import recipe_of
from thingsviz.commands import train as command
from thingsviz.data.things.ratings import mean_column
from thingsviz.jobs.job_folder import create_job
from thingsviz.jobs.recipe import dump_config, parse_config
from thingsviz.pipeline.tasks.registry import open_task
from thingsviz.ui.training.job_form import recipe_of as form_recipe

TARGETS = ["heavy", "lives", "manmade"]
SMALL = {
    "patch_size": (6, 7, 5),
    "embed_dim": 16,
    "n_heads": 2,
    "n_layers": 1,
    "tokens": "brain",
}
FIT = {"epochs": 2, "batches_per_epoch": 3, "batch_size": 8, "device": "cpu"}


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    import torch

    monkeypatch.setenv("THINGSVIZ_THREADS", "1")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def predicted(job, rows) -> np.ndarray:
    table = job.predictions
    table = table[(table["part"] == "test") & (table["n_averaged"] == 1)].set_index("row")
    return table.loc[rows, [f"pred_{t}" for t in TARGETS]].to_numpy()


def by_command(recipe: dict) -> tv.Job:
    """Train as the command line and the queue do: from a folder with the recipe as JSON."""
    folder = create_job(parse_config(json.loads(json.dumps(recipe))))
    assert command.main([str(folder.path)]) == 0
    return tv.Job(folder.name)


def learned(sub, split, job) -> tuple[np.ndarray, object]:
    """Ratings (n_trials, n_targets) on the scale on which the job trained, and the scale."""
    task = open_task(job.folder)
    return task.answers, task.scale


@pytest.mark.parametrize("name", ["Ridge", "ConceptDecoder", "EncodingInversion", "Mean"])
def test_linear_decoders_are_the_same_bit_for_bit(name, sub, split):
    estimator = getattr(tv.models, name)()
    job = tv.train(estimator, sub, split, targets=TARGETS)
    again = by_command(dump_config(job.recipe))
    rows = split.test
    assert predicted(job, rows).tobytes() == predicted(again, rows).tobytes()
    X, (Y, scale) = sub.responses(split), learned(sub, split, job)
    estimator.fit(X[split.train], Y[split.train], groups=split.groups)
    alone = scale.to_ratings(estimator.predict(X[rows])).astype("f4").astype(float)
    assert predicted(job, rows).tobytes() == alone.tobytes()


def test_networks_are_the_same_for_a_seed(sub, split):
    network = tv.models.ViT3D(mask=sub.mask, **SMALL, **FIT)
    job = tv.train(network, sub, split, targets=TARGETS)
    again = by_command(dump_config(job.recipe))
    rows = split.test
    assert np.array_equal(predicted(job, rows), predicted(again, rows))
    X, (Y, scale) = sub.responses(split), learned(sub, split, job)
    fitting = np.concatenate([split.train, split.validation])
    held = np.isin(fitting, split.validation)
    network.fit(X[fitting], Y[fitting], sub.concepts[fitting], validation=held)
    alone = scale.to_ratings(network.predict(X[rows])).astype("f4")
    assert np.array_equal(predicted(job, rows), alone.astype(float))


def test_another_scale_of_ratings_changes_only_the_rounding(sub, split):
    job = tv.train("ridge", sub, split, targets=TARGETS)
    X = sub.responses(split)
    Y = sub.trials[[mean_column(t) for t in TARGETS]].to_numpy("f4")
    ridge = tv.models.Ridge().fit(X[split.train], Y[split.train], groups=split.groups)
    difference = predicted(job, split.test) - ridge.predict(X[split.test])
    assert np.abs(difference).max() < 1e-4


@pytest.mark.parametrize("name", ["Ridge", "ViT3D"])
def test_the_page_s_form_writes_the_same_recipe(name, sub, split):
    estimator = getattr(tv.models, name)()
    ours = recipe_of(estimator, sub, split, name="same", targets=TARGETS)
    fit = getattr(estimator, "fit_config", None)
    form = {
        "name": "same",
        "dataset": "tiny",
        "subject": "sub-01",
        "seed": split.seed,
        "learns": "ratings",
        "targets": TARGETS,
        "rating_scale": "unit",
        "split": {"kind": split.kind, "fractions": split.fractions},
        "model": {"name": estimator.model_name},
        "fit": {} if fit is None else fit.model_dump(),
    }
    assert form_recipe(form) == ours


def test_a_linear_classifier_names_the_same_classes(sub):
    split = sub.split("test_images")
    job = tv.train(tv.models.LDA(), sub, split, learns="concepts")
    X = sub.responses(split)
    lda = tv.models.LDA().fit(X[split.train], sub.concepts[split.train])
    table = job.predictions.query("part == 'test' and n_averaged == 1").set_index("row")
    assert table.loc[split.test, "top_1"].tolist() == lda.predict(X[split.test]).tolist()


def test_folds_by_hand_are_those_of_a_job(sub):
    folds = sub.folds("session")
    job = tv.train("ridge", sub, folds, targets=TARGETS)
    assert job.folds["fold"].tolist() == list(folds.names) == [f"session {n}" for n in range(1, 5)]
    assert job.folds["n_test"].tolist() == [len(split.test) for split in folds]
    table = job.predictions.set_index("row")
    for split in folds:
        X = sub.responses(split)
        ridge = tv.models.Ridge().fit(
            X[split.train], sub.ratings(TARGETS)[split.train], groups=split.groups
        )
        by_job = table.loc[split.test, [f"pred_{t}" for t in TARGETS]].to_numpy()
        assert np.abs(by_job - ridge.predict(X[split.test])).max() < 1e-4
    tested = np.concatenate([test for _, test in folds.pairs])
    assert len(np.unique(tested)) == len(tested)
    assert not any(np.intersect1d(*pair).size for pair in folds.pairs)
    one = tv.train("ridge", sub, folds[1], targets=TARGETS)
    assert len(one.predictions.query("part == 'test'")) == len(folds[1].test)
    assert one.folds.empty
