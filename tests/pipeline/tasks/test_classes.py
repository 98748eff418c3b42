"""Jobs that learn classes: from the command line to hits beside their references."""

import numpy as np
import pytest

from tests.predictions import load_predictor
from tests.trainings import TINY_FIT, TINY_VIT
from thingsviz.analysis.scores import resampling
from thingsviz.core.errors import ConfigError, DataError, JobError
from thingsviz.data.things.ratings import mean_column
from thingsviz.data.trials.labels import LabelMap
from thingsviz.jobs.recipe import dump_config, parse_config
from thingsviz.pipeline.tasks.base import Predicted
from thingsviz.pipeline.tasks.classes import RANKS, scored_classes
from thingsviz.pipeline.tasks.registry import open_task

FIT = {
    "epochs": 2,
    "batches_per_epoch": None,
    "batch_size": 16,
    "learning_rate": 1e-3,
    "optimiser": "adam",
    "precision": "float32",
}
PROTOCOL = {"kind": "test_images"}


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch):
    monkeypatch.setattr(resampling, "N_DRAWS", 60)


@pytest.fixture
def classify(make_job, run):
    """Train a classifier of the tiny subject to its end."""

    def call(name="lda", learns="concepts", **recipe):
        recipe = {"name": name, "model": {"name": name}, "learns": learns, **recipe}
        recipe.setdefault("split", PROTOCOL)
        job = make_job(**recipe)
        assert run(job) == (0, "")
        return job

    return call


def rows_of(job, metric="top10", n_averaged="single"):
    table = job.scores()
    wanted = table["metric"].eq(metric) & table["n_averaged"].eq(n_averaged)
    return table[wanted & table["part"].eq("test")].set_index("model")


def test_a_network_learns_concepts(classify):
    job = classify("logistic", fit=FIT)
    table = job.predictions()
    single = table[table["part"].eq("test") & table["n_averaged"].eq(1)]
    assert {"true_class", "rank", "p_true", "top_1", "top_20"} <= set(table)
    hit = single["rank"].eq(1)
    assert (single.loc[hit, "top_1"] == single.loc[hit, "true_class"]).all()
    assert single["p_true"].between(0, 1).all()
    rows = rows_of(job)
    assert set(rows.index) == {"logistic", "chance", "prior", "ridge", "identification"}
    assert rows.loc["logistic", "hits"] == single["rank"].le(10).sum()
    assert rows.loc["logistic", "value"] == pytest.approx(single["rank"].le(10).mean())
    assert rows.loc["chance", "value"] == pytest.approx(10 / 32)
    epochs = [row for row in job.metrics()[0] if row["kind"] == "epoch"]
    assert {"validation_top1", "validation_top10", "validation_loss"} <= set(epochs[-1])
    assert job.manifest()["learns"] == "concepts"


def test_a_transformer_learns_categories_too(classify):
    job = classify("vit3d", "categories27", model=TINY_VIT, fit=TINY_FIT)
    table = job.predictions()
    assert table["p_true"].between(0, 1).all()
    assert {"vit3d", "ridge", "prior", "chance"} <= set(rows_of(job, "top1").index)


def test_planted_concepts_are_found(classify):
    rows = rows_of(classify("lda"))
    for name in ("lda", "ridge", "identification"):
        assert rows.loc[name, "p"] < 0.05
        assert rows.loc[name, "value"] > rows.loc["chance", "value"]


@pytest.mark.parametrize("learns", ["categories27", "categories53"])
def test_categories_are_learned_with_unseen_concepts(learns, classify):
    job = classify("multinomial_ridge", learns, split={"kind": "unseen_concepts"})
    names = LabelMap.load(job.file("labels.tsv")).names
    assert set(job.predictions()["true_class"]) <= set(names)
    rows = rows_of(job, "top1")
    assert "identification" in rows.index
    assert rows.loc["multinomial_ridge", "value"] == rows.loc["ridge", "value"]  # the same model
    assert job.scores()["n_trials"].gt(0).all()


def test_doubts_about_the_classes_are_said_first(classify, monkeypatch):
    monkeypatch.setattr("thingsviz.pipeline.tasks.labels.label_doubts", lambda *_: ["rows moved"])
    job = classify("lda", "categories27")
    assert job.could_not_show()[0] == "Whether the classes are right: rows moved."


def test_identification_names_unseen_concepts(classify):
    job = classify("identification", split={"kind": "unseen_concepts"})
    rows = rows_of(job)
    assert rows.loc["identification", "value"] > rows.loc["prior", "value"]
    assert any(s.startswith("Only 0 of 32 test trials (0 %)") for s in job.could_not_show())


def test_test_trials_are_looked_at_once(classify, run):
    job = classify("lda")
    before = job.file("predictions.parquet").stat().st_mtime_ns
    job.file("scores.json").unlink()
    assert run(job)[0] == 0
    assert job.file("predictions.parquet").stat().st_mtime_ns == before
    assert len(job.manifest()["test_set_touched"]) == 1
    assert set(rows_of(job).index) >= {"lda", "ridge", "prior"}


def test_averages_come_from_averaged_scores(classify):
    job = classify("lda")
    material = open_task(job)
    predict, task = load_predictor(job)
    table = material.kept(job).table
    mean = table[table["n_averaged"].gt(1)].iloc[0]
    same = table[table["n_averaged"].eq(1) & table["image_filename"].eq(mean["image_filename"])]
    assert mean["n_averaged"] == len(same)
    scores = predict(same["row"].to_numpy()).mean(0)
    assert mean["top_1"] == material.outputs[int(scores.argmax())]
    assert task.outputs == material.outputs


def test_guesses_are_paired_with_those_of_the_references(classify):
    job = classify("lda")
    table = job.differences()
    assert set(table["versus"]) == {"ridge", "identification"}
    at = table["part"].eq("test") & table["n_averaged"].eq("single") & table["metric"].eq("top10")
    found = table[at].set_index("versus")["difference"]
    value = rows_of(job)["value"]
    for name in ("ridge", "identification"):
        assert found[name] == pytest.approx(value["lda"] - value[name])
    not_better = table[at & table["low"].le(0)]["versus"]
    said = [s for s in job.could_not_show() if "(test, single): the Top-10" in s]
    assert len(said) == len(not_better)
    ridge = classify("multinomial_ridge")
    assert set(ridge.differences()["versus"]) == {"identification"}


def test_curves_hold_every_k(classify):
    from thingsviz.core import json_files

    record = json_files.read_json(classify("lda").file("scores.json"))
    own = [curve for curve in record["curves"] if curve["model"] == "lda"]
    assert len(own[0]["hits"]) == record["n_classes"] == 32
    assert {c["model"] for c in record["curves"]} == {"lda", "prior", "ridge", "identification"}


def test_profiles_are_the_concepts_ratings(make_job):
    job = make_job(
        learns="concepts", model={"name": "lda"}, split=PROTOCOL, targets=["lives", "heavy"]
    )
    material = open_task(job)
    found = material.profiles()
    row = int(material.split.train[0])
    trial = material.store.trials.iloc[row]
    rated = [trial[mean_column(target)] for target in ("lives", "heavy")]
    np.testing.assert_allclose(found[material.classes[row]], rated, rtol=1e-5)


def test_labels_stay_those_of_the_first_start(make_job):
    job = make_job(learns="concepts", model={"name": "lda"}, split=PROTOCOL)
    first = open_task(job).labels
    other = LabelMap(first.names[::-1], {c: 31 - i for c, i in first.of_concept.items()})
    other.save(job.file("labels.tsv"))
    assert open_task(job).outputs == first.names[::-1]


def test_trials_without_a_class_are_left_out(make_job):
    job = make_job(learns="categories53", model={"name": "lda"}, split=PROTOCOL)
    full = open_task(job)
    dropped = next(c for c in full.labels.of_concept)
    kept = {c: i for c, i in full.labels.of_concept.items() if c != dropped}
    LabelMap(full.labels.names, kept).save(job.file("labels.tsv"))
    job.file("split.json").unlink()
    split = open_task(job).split
    rows = np.concatenate([split.train, split.validation, split.test])
    assert dropped not in full.concepts[rows]
    assert len(rows) < sum(map(len, (full.split.train, full.split.validation, full.split.test)))


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({"split": {"kind": "unseen_concepts"}}, "use the split test_images or image"),
        ({"split": {"kind": "concept"}}, "tests concepts that were never trained"),
        ({"model": {"name": "ridge"}}, "'ridge' cannot learn concepts: choose from vit3d"),
        ({"learns": "ratings"}, "'lda' cannot learn ratings: choose from"),
        ({"model": {"name": "mlp"}, "fit": {"loss": "mse"}}, "does not fit learns 'concepts'"),
        (
            {"learns": "ratings", "model": {"name": "mlp"}, "fit": {"loss": "cross_entropy"}},
            "use mse or huber",
        ),
        (
            {"model": {"name": "mlp"}, "fit": {"target_weights": "rating_sd"}},
            "is for ratings",
        ),
        ({"learns": "words"}, "learns"),
    ],
)
def test_recipes_that_cannot_work_are_one_sentence(recipe, words):
    base = {"dataset": "tiny", "learns": "concepts", "model": {"name": "lda"}, "split": PROTOCOL}
    with pytest.raises(ConfigError, match=words) as caught:
        parse_config(base | recipe)
    assert "\n" not in str(caught.value)


def test_a_class_recipe_survives_json():
    config = parse_config(
        {
            "dataset": "tiny",
            "learns": "concepts",
            "model": {"name": "mlp"},
            "split": PROTOCOL,
            "seed": 4,
        }
    )
    assert (config.fit.loss, config.fit.seed) == ("cross_entropy", 4)
    assert parse_config(dump_config(config)) == config


def test_one_class_is_refused(make_job, run):
    job = make_job(learns="concepts", model={"name": "lda"}, split=PROTOCOL)
    LabelMap(("all",), dict.fromkeys(open_task(job).labels.of_concept, 0)).save(
        job.file("labels.tsv")
    )
    job.file("split.json").unlink()
    code, said = run(job)
    assert code == 2
    assert "the training part shows 1 of 1 classes" in said


def test_no_labelled_test_trial_is_refused(make_job):
    job = make_job(learns="concepts", model={"name": "lda"}, split={"kind": "test_images"})
    material = open_task(job)
    test = set(material.concepts[material.split.test])
    kept = {c: i for c, i in material.labels.of_concept.items() if c not in test}
    LabelMap(material.outputs, kept).save(job.file("labels.tsv"))
    job.file("split.json").unlink()
    with pytest.raises((ConfigError, DataError), match="test"):
        open_task(job)


def test_no_categories_is_one_sentence(tiny_copy, make_job, run, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_DATA", str(tiny_copy))
    for path in (tiny_copy / "tiny" / "image" / "03_category-level").iterdir():
        path.unlink()
    for path in (tiny_copy / "tiny").glob("derivatives/thingsviz/sub-01/labels_*"):
        path.unlink()
    code, said = run(make_job(learns="categories53", model={"name": "lda"}))
    assert code == 2
    assert "no 53 categories: put the published file at" in said


def test_ranks_of_other_predictions_are_refused(classify):
    job = classify("lda")
    found = open_task(job).kept(job)
    with pytest.raises(JobError):
        list(scored_classes(Predicted(found.table, found.ranks[:-1]), ("a",), "lda"))
    assert RANKS == "ranks.safetensors"
