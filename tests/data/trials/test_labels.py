"""Label maps: the four published layouts, the rule for several categories, an order that stays."""

import numpy as np
import pandas as pd
import pytest

from thingsviz.core.errors import ConfigError, DataError
from thingsviz.data.prepare.build import build_store, publish
from thingsviz.data.things.categories import (
    category_file,
    most_specific,
    order_doubts,
    read_categories,
)
from thingsviz.data.things.layout import Dataset
from thingsviz.data.things.ratings import read_ratings
from thingsviz.data.things.trials import read_trials
from thingsviz.data.trials.labels import LabelMap, carry_over, label_file, label_map, made

CONCEPTS = ["aardvark", "bat1", "bat2", "hot-air_balloon", "ice_cream"]
WANTED = {"aardvark": ["animal", "mammal"], "bat1": ["animal"], "bat2": ["toy"]}


def written(tmp_path, text, name="table.tsv"):
    path = tmp_path / name
    path.write_text(text)
    return path


WIDE = "uniqueID\tWord\tanimal\tmammal\ttoy\n"
LAYOUTS = {
    "ids": WIDE + "aardvark\taardvark\t1\t1\t0\nbat1\tbat\t1\t0\t0\nbat2\tbat\t0\t0\t1\n",
    "long": "category\tuniqueID\tWord\nanimal\taardvark\ta\nmammal\taardvark\ta\n"
    "animal\tbat1\tbat\ntoy\tbat2\tbat\n",
    "words": "Word\tDefinition (from WordNet, Google, or Wikipedia)\tanimal\tmammal\ttoy\n"
    "aardvark\tan animal\t1\t1\t\nbat\tof the night\t1\t\t\nbat\tof the pitch\t\t\t1\n"
    "Ice Cream\tsweet\t\t\t\n\t\t2\t1\t1\n",
    "bare": "animal\tmammal\ttoy\n1\t1\t0\n1\t0\t0\n0\t0\t1\n0\t0\t0\n0\t0\t0\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_published_layouts_say_the_same(layout, tmp_path):
    assert read_categories(written(tmp_path, LAYOUTS[layout]), CONCEPTS) == WANTED


@pytest.mark.parametrize("layout", LAYOUTS)
def test_only_a_matrix_without_names_leaves_doubts(layout, tmp_path):
    path = written(tmp_path, LAYOUTS[layout])
    found = order_doubts(path, ["camera_lens", "camera1", "camera2", "cat"])
    assert len(found) == (layout == "bare")
    assert order_doubts(path, ["ant", "bat", "cat"]) == []


def test_concepts_that_copies_sort_differently_are_named(tmp_path):
    path = written(tmp_path, LAYOUTS["bare"])
    concepts = ["camera_lens", "camera1", "camera2", "cat"]
    (text,) = order_doubts(path, concepts)
    assert "copies differ about camera1, camera2, camera_lens: these may" in text
    assert order_doubts(path, sorted(concepts)) == [text]
    (text,) = order_doubts(path, ["cat", "ant"])
    assert "not sorted by name" in text


def test_the_authors_ratings_are_sorted_as_known(real, tmp_path):
    rated = [str(n) for n in read_ratings(real / "property-ratings.tsv").table.index]
    (text,) = order_doubts(written(tmp_path, LAYOUTS["bare"]), rated)
    for family in ("camera", "chicken", "crystal", "pepper"):
        assert f"{family}1, {family}2, {family}_" in text
    assert text.count("1, ") == 4


def test_a_concept_gets_its_smallest_category():
    assert most_specific(WANTED) == {"aardvark": "mammal", "bat1": "animal", "bat2": "toy"}
    assert most_specific({"a": ["y", "x"], "b": []}) == {"a": "x"}  # equal sizes: by name


def test_the_authors_table_is_read(real):
    rated = list(read_ratings(real / "property-ratings.tsv").table.index)
    found = read_categories(real / "Categories_final_20200131.tsv", rated)
    assert len({c for own in found.values() for c in own}) == 53
    assert len(found) == 1854 - 406  # concepts that the authors put nowhere
    assert found["aardvark"] == ["animal", "mammal"]
    assert "vehicle" in found["hot-air_balloon"]
    assert "animal" in found["bat1"]
    assert "animal" not in found["bat2"]
    chosen = most_specific(found)
    assert chosen["aardvark"] == "mammal"
    assert len(set(found) - set(rated)) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (WIDE + "aardvark\taardvark\t1\tyes\t0\n", "'yes' in column 'mammal' should be 1"),
        (WIDE + "unicorn\tunicorn\t1\t1\t0\n", "names none of the rated concepts"),
        ("animal\ttoy\n1\t0\n", "1 rows where the ratings have 5 concepts"),
        ("category\tWord\nanimal\tcat\n", "lacks the column 'uniqueID'"),
        ("", "is empty"),
    ],
)
def test_a_wrong_table_is_one_sentence(text, words, tmp_path):
    with pytest.raises(DataError, match=words):
        read_categories(written(tmp_path, text), CONCEPTS)


def test_a_missing_table_says_where_it_belongs(tmp_path):
    with pytest.raises(DataError, match=r"no 27 categories.*category27_manual\.tsv"):
        category_file(Dataset(tmp_path), "categories27")


def test_labels_survive_saving(tmp_path):
    found = made({"dog": "animal", "cat": "animal", "oak": "plant"})
    found.save(tmp_path / "labels_x.tsv")
    assert LabelMap.load(tmp_path / "labels_x.tsv") == found
    text = (tmp_path / "labels_x.tsv").read_text()
    assert text.startswith("index\tlabel\tconcepts\tcrc32\n0\tanimal\tcat,dog\t")
    assert "\n1\tplant\toak\t" in text
    concepts = np.array(["oak", "cat", "", "stone"])
    assert found.classes_of(concepts).tolist() == [1, 0, -1, -1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("index\tlabel\tconcepts\n1\ta\tb\n", "indices should run from 0"),
        ("index\tlabel\tconcepts\n0\ta\tb\n1\ta\tc\n", "label twice"),
        ("index\tlabel\n0\ta\n", "lacks the column 'concepts'"),
    ],
)
def test_a_damaged_label_file_is_one_sentence(text, words, tmp_path):
    with pytest.raises(DataError, match=words):
        LabelMap.load(written(tmp_path, text))


@pytest.mark.parametrize(("old", "new"), [("dog", "dof"), ("plant", "plane"), ("oak", "oa,k")])
def test_a_changed_letter_in_labels_is_found(old, new, tmp_path):
    path = tmp_path / "labels_x.tsv"
    made({"dog": "animal", "cat": "animal", "oak": "plant"}).save(path)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DataError, match="its checksums do not fit"):
        LabelMap.load(path)


def test_a_damaged_name_of_the_checksums_takes_none_away(tmp_path):
    path = tmp_path / "labels_x.tsv"
    made({"dog": "animal", "cat": "animal", "oak": "plant"}).save(path)
    path.write_text(path.read_text().replace("crc32", "crc36").replace("dog", "dof"))
    with pytest.raises(DataError, match="its checksums do not fit"):
        LabelMap.load(path)


def test_labels_of_an_earlier_version_are_read(tmp_path):
    path = written(tmp_path, "index\tlabel\tconcepts\n0\tanimal\tcat,dog\n1\tplant\toak\n")
    assert LabelMap.load(path) == made({"dog": "animal", "cat": "animal", "oak": "plant"})


def test_known_labels_keep_their_place():
    assert made({"a": "x", "b": "a"}, ["x", "gone"]).names == ("x", "gone", "a")


@pytest.mark.parametrize("task", ["concepts", "categories27", "categories53"])
def test_planted_data_have_every_task(task, tiny_copy):
    dataset = Dataset(tiny_copy / "tiny")
    trials = read_trials(dataset.store_dir("sub-01"))
    first = label_map(dataset, "sub-01", task, trials)
    path = label_file(dataset, "sub-01", task)
    assert LabelMap.load(path) == first
    shown = trials.loc[trials["trial_type"] != "catch", "concept"].unique()
    assert set(first.of_concept) == set(shown)
    assert (first.classes_of(shown) >= 0).all()
    stamp = path.stat().st_mtime_ns
    assert label_map(dataset, "sub-01", task, trials) == first
    assert path.stat().st_mtime_ns == stamp  # written once


def test_maps_go_with_a_store_that_is_made_anew(little, tmp_path):
    build_store(little, "sub-01")
    store = little.store_dir("sub-01")
    trials = read_trials(store)
    usual = label_map(little, "sub-01", "concepts", trials)
    other = made(usual.of_concept and {c: c for c in usual.names}, usual.names[::-1])
    other.save(label_file(little, "sub-01", "concepts"))
    new = tmp_path / "new"
    new.mkdir()
    publish(new, store)
    assert LabelMap.load(label_file(little, "sub-01", "concepts")).names == usual.names[::-1]
    carry_over(tmp_path / "nowhere", new.parent)  # nothing to carry is no error


def test_a_concept_added_later_goes_to_the_end(little):
    build_store(little, "sub-01")
    trials = read_trials(little.store_dir("sub-01"))
    before = label_map(little, "sub-01", "concepts", trials)
    more = pd.concat([trials, trials.tail(1).assign(concept="aaa", trial_type="train")])
    after = label_map(little, "sub-01", "concepts", more)
    assert after.names == (*before.names, "aaa")


def test_an_unknown_task_is_refused(little):
    with pytest.raises(ConfigError, match="choose from concepts"):
        label_file(little, "sub-01", "animals")
