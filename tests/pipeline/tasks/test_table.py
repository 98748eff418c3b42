"""The table of predictions: parts, repeats averaged, scales."""

import numpy as np
import pandas as pd
import pytest

from thingsviz.analysis.scores.metrics import pearson
from thingsviz.pipeline.tasks.ratings import scored_parts
from thingsviz.pipeline.tasks.registry import open_task
from thingsviz.pipeline.tasks.table import PartValues, mean_of_repeats


@pytest.fixture
def material(make_job):
    return open_task(make_job(targets=["nameability", "lives"]))


@pytest.fixture
def table(material):
    """Predictions of a decoder that says a known number for each trial."""

    def predict(rows):
        return np.column_stack([rows, rows * 10.0]).astype("f4")

    return material.predict(predict, material.config.model).table


def test_columns(table):
    keys = ["row", "session", "run", "trial", "part", "n_averaged", "concept", "image_filename"]
    values = ["true_nameability", "pred_nameability", "true_lives", "pred_lives", "sd_lives"]
    assert list(table.columns) == [*keys, *values, "rank"]


def test_each_trial_has_its_own_row(material, table):
    single = table[table["n_averaged"] == 1]
    for name, rows in material.parts.items():
        part = single[single["part"] == name]
        np.testing.assert_array_equal(part["row"], rows)
        np.testing.assert_array_equal(part["pred_lives"], rows * 10.0)
        np.testing.assert_array_equal(part["true_lives"], material.ratings[rows, 1])
        keys = material.store.trials.iloc[rows]
        np.testing.assert_array_equal(part["image_filename"], keys["image_filename"])
        np.testing.assert_array_equal(part["trial"], keys["trial"])
    assert "train" not in set(table["part"])


def test_repeats_of_an_image_are_averaged(table):
    averaged = table[table["n_averaged"] > 1]
    assert set(averaged["part"]) == {"test"}
    single = table[(table["part"] == "test") & (table["n_averaged"] == 1)]
    assert set(averaged["n_averaged"]) == {4}
    assert len(averaged) == single["image_filename"].nunique()
    for _, row in averaged.iterrows():
        repeats = single[single["image_filename"] == row["image_filename"]]
        assert row["pred_lives"] == pytest.approx(repeats["pred_lives"].mean())
        assert row["true_lives"] == repeats["true_lives"].iloc[0]
        assert row["session"] == repeats["session"].min()


def test_an_image_seen_once_has_no_mean():
    trials = pd.DataFrame(
        {
            "session": [2, 1, 1],
            "run": [1, 1, 1],
            "trial": [1, 1, 2],
            "image_filename": ["a", "a", "b"],
        }
    )
    single = PartValues("test", np.arange(3), np.array([[1.0], [3.0], [9.0]]), np.ones(3, int))
    part, rows, values, counts = mean_of_repeats(single, trials)
    assert (part, rows.tolist(), values.tolist(), counts.tolist()) == ("test", [1], [[2.0]], [2])


def test_what_is_scored(material, table):
    scored = {(s.where.part, s.where.n_averaged): s for s in scored_parts(table, ["lives"])}
    assert set(scored) == {("test", "single"), ("test", "mean of 4"), ("exemplars", "single")}
    single = scored["test", "single"]
    rows = material.split.test
    np.testing.assert_array_equal(single.rows, rows)
    expected = pearson(material.ratings[rows, 1:], rows[:, None] * 10.0)
    np.testing.assert_allclose(pearson(single.data.true, single.data.predicted), expected)
    np.testing.assert_array_equal(single.data.sd[:, 0], material.rating_sd[rows, 1])
    assert set(single.data.concepts) == set(scored["test", "mean of 4"].data.concepts)


def test_uneven_repeats_are_named(table):
    uneven = table.copy()
    at = uneven.index[uneven["n_averaged"] > 1][0]
    uneven.loc[at, "n_averaged"] = 2
    names = {s.where.n_averaged for s in scored_parts(uneven, ["lives"])}
    assert "mean of 2 to 4" in names
