import numpy as np
import pandas as pd
import pytest

from thingsviz.data.planted import ratings
from thingsviz.data.planted.concepts import PROPERTIES, archetypes, concept_table, describe
from thingsviz.data.things.ratings import read_ratings

NAMES = list(concept_table().index[:720])


def draw(seed, names=NAMES):
    rng = np.random.default_rng(seed)
    concepts = describe(names, rng)
    return concepts, ratings.true_ratings(concepts, rng)


@pytest.fixture(scope="module")
def drawn():
    return draw(0)


def column(values, name):
    return values[:, PROPERTIES.index(name)]


def test_ratings_stay_on_their_scales(drawn):
    values = drawn[1]
    assert values.shape == (720, 14)
    for name, scale in ratings.SCALES.items():
        assert column(values, name).min() > scale.low
        assert column(values, name).max() < scale.high


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("manmade", "natural", -0.8),
        ("grasp", "hold", 0.95),
        ("heavy", "size", 0.75),
        ("lives", "moves", 0.63),
    ],
)
def test_properties_go_together_as_planted(first, second, expected):
    found = []
    for seed in range(3):
        values = draw(seed)[1]
        found.append(np.corrcoef(column(values, first), column(values, second))[0, 1])
    assert np.mean(found) == pytest.approx(expected, abs=0.06)


def test_ratings_fit_the_names(drawn):
    concepts, values = drawn
    rating = pd.DataFrame(values, index=concepts.names, columns=list(PROPERTIES))
    kinds = archetypes().index[concepts.kind]
    assert rating.loc[kinds == "mammal", "lives"].min() > 4.5
    assert rating.loc[kinds == "mammal", "manmade"].max() < 4
    assert rating.loc[kinds == "tool", "manmade"].min() > 4
    assert rating.loc[kinds == "tool", "lives"].max() < 4
    assert rating.loc[kinds == "fruit", "grasp"].min() > 4.5
    assert rating.loc["elephant", "heavy"] > rating.loc["mouse", "heavy"]
    assert rating.loc["whale", "size"] > rating.loc["chipmunk", "size"]


def test_raters_scatter_as_their_sd_says(drawn):
    concepts, true = drawn
    tables = [
        ratings.rate(concepts.names, true, np.random.default_rng(seed)) for seed in range(30)
    ]
    pleasant = np.stack([table["property_pleasant_mean"] for table in tables])
    error = pleasant - column(true, "pleasant")
    expected = np.stack([table["property_pleasant_SD"] for table in tables]) / np.sqrt(37)
    assert abs(error.mean()) < 0.01
    assert error.std() == pytest.approx(np.sqrt((expected**2).mean()), rel=0.03)


def test_the_table_has_the_published_columns(drawn, tmp_path):
    concepts, true = drawn
    table = ratings.rate(concepts.names, true, np.random.default_rng(1))
    path = tmp_path / "_property-ratings.tsv"
    table.to_csv(path, sep="\t", index=False)
    read = read_ratings(path)
    assert read.warnings == []
    assert list(read.table.index) == NAMES
    assert list(table.columns[:4]) == [
        "Word",
        "uniqueID",
        "image-label_nameability_mean",
        "image-label_consistency_mean",
    ]
    assert {"property_be-moved_SD", "property_N-ratings", "size_SD"} <= set(table.columns)
    assert "image-label_nameability_SD" not in table
    assert table["property_N-ratings"].between(30, 40).all()


def test_the_spread_resembles_the_published_one(drawn, real):
    published = read_ratings(real / "property-ratings.tsv").table
    concepts, true = drawn
    planted = ratings.rate(concepts.names, true, np.random.default_rng(1))
    for name in ("lives", "heavy", "pleasant", "grasp"):
        mean, sd = f"property_{name}_mean", f"property_{name}_SD"
        assert planted[sd].median() == pytest.approx(published[sd].median(), abs=0.45)
        assert planted[mean].std() == pytest.approx(published[mean].std(), abs=0.6)


def test_a_bulk_against_its_kind_is_set_to_the_least(rng):
    _, values = draw(4, ["skateboard", "kick_scooter", "ship", "hammer", "dog"] * 8)
    assert np.isfinite(values).all()
    heavy = column(values, "heavy").reshape(8, 5).mean(0)
    assert heavy[2] > heavy[0]
