"""What may be compared, and the one sentence where it may not."""

import re
import shutil

import pytest

from tests.finished_jobs import (
    class_table,
    finished,
    folder,
    naming_scores,
    naming_table,
    ratings_table,
)
from thingsviz.core.errors import JobError
from thingsviz.reports.comparable import aligned, comparable, naming, read_finished, why_not


@pytest.fixture(autouse=True)
def jobs(tmp_path, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path))


def test_another_model_or_seed_on_the_same_trials_is_comparable():
    one = finished("one")
    for more in ({"seed": 4}, {"model": {"name": "ridge"}}, {"rating_scale": "z"}):
        assert why_not(one, finished("two", ratings_table(seed=2), **more)) is None


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"split": {"kind": "trial"}}, "split by trial, the other's by unseen concepts"),
        ({"targets": ["heavy", "lives"]}, r"other properties \(not grasp, size\)"),
        ({"targets": ["heavy", "lives", "grasp", "size", "moves"]}, r"\(also moves\)"),
        ({"table": ratings_table(n_concepts=19)}, "it was tested on other trials"),
        ({"learns": "concepts", "table": class_table()}, "it learned concepts, the other ratings"),
    ],
)
def test_why_not_in_one_sentence(other, words):
    found = why_not(finished("one"), finished("two", **other))
    assert found.startswith("'two' cannot be compared with 'one': ")
    assert re.search(words, found), found
    assert "\n" not in found


def naming_job(name="rater", n_choices=20, **more):
    """A rating job that names one of some concepts, on the trials of `class_table`."""
    table = naming_table()
    single = table[table["n_averaged"] == 1].reset_index(drop=True)
    job = finished(name, single, **more)
    return job._replace(scores=naming_scores(job.model, n_choices))


def class_job(name="classes", n_choices=20):
    """A classifier of concepts on the same trials."""
    job = finished(name, class_table(), learns="concepts")
    return job._replace(scores=naming_scores(job.model, n_choices))


def test_ratings_and_classes_are_compared_by_the_concepts_that_both_name():
    assert why_not(naming_job(), class_job()) is None
    assert why_not(class_job(), naming_job()) is None
    others = [class_job(), naming_job(), naming_job("fewer", targets=["heavy", "lives"])]
    group = comparable(others)
    assert [job.name for job in group.jobs] == ["classes", "rater", "fewer"]
    assert naming(group.jobs)
    assert not naming(others[1:])


@pytest.mark.parametrize(
    ("first", "other", "words"),
    [
        (naming_job(), class_job(n_choices=18), "one of 18 concepts, the other of 20"),
        (finished("old"), class_job(), "learned concepts, the other ratings; train 'old' again"),
        (
            finished("one", targets=["heavy"]),
            class_job(),
            "the other ratings, and one property alone names no concept",
        ),
        (
            naming_job(),
            class_job()._replace(predictions=class_table(n_concepts=19)),
            "tested on other trials",
        ),
    ],
)
def test_where_one_of_them_cannot_name_the_reason_is_told(first, other, words):
    assert words in why_not(first, other)


def test_of_those_that_fit_the_ones_that_name_nothing_are_left_out_beside_a_classifier():
    table = class_job().predictions
    mute = finished("mute", naming_job().predictions.drop(columns="rank"))
    group = comparable([naming_job(), mute, class_job()._replace(predictions=table)])
    assert [job.name for job in group.jobs] == ["rater", "classes"]
    assert group.refused == ("'mute' cannot be compared with a classifier: it names no concepts",)


def test_other_data_of_the_same_name_are_other_data():
    other = finished("two")._replace(fingerprint="0" * 64)
    assert "other contents (00000000, the other's ffffffff)" in why_not(finished("one"), other)
    other = finished("two", dataset="mine")._replace(fingerprint="0" * 64)
    found = why_not(finished("one"), other)
    assert "trained on other data (mine, sub-01; the other on demo, sub-01)" in found


def test_the_order_of_trials_and_of_properties_does_not_matter():
    table = ratings_table(seed=3).sample(frac=1, random_state=0)
    other = finished("two", table, targets=["size", "grasp", "lives", "heavy"])
    assert why_not(finished("one"), other) is None
    frames = aligned([finished("one"), other], "test", averaged=False)
    assert frames[0]["row"].tolist() == frames[1]["row"].tolist() == list(range(60))
    assert len(aligned([finished("one"), other], "test", averaged=True)[0]) == 20


def test_those_that_differ_are_left_out_and_the_others_stay():
    jobs = [finished("a"), finished("b", split={"kind": "trial"}), finished("c")]
    group = comparable(jobs)
    assert [job.name for job in group.jobs] == ["a", "c"]
    assert len(group.refused) == 1
    assert comparable([]) == ((), ())


def test_predictions_of_other_trials_are_one_sentence():
    with pytest.raises(JobError, match="'two' are of other trials than those of 'one'"):
        aligned([finished("one"), finished("two", ratings_table(n_concepts=9))], "test", False)


def test_a_job_is_read_from_its_folder():
    job = read_finished(folder("here"))
    assert (job.name, job.model, job.learns) == ("here", "vit3d", "ratings")
    assert job.fingerprint == "f" * 64


def test_a_deleted_job_is_one_sentence():

    job = folder("gone")
    shutil.rmtree(job.path)
    with pytest.raises(JobError, match="'gone' is not there any more: it was deleted"):
        read_finished(job)


def test_a_job_without_predictions_is_one_sentence():
    job = folder("early")
    job.file("predictions.parquet").unlink()
    with pytest.raises(JobError, match="before it has predicted its test: it is done"):
        read_finished(job)
