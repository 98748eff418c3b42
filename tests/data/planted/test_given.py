import numpy as np
import pandas as pd
import pytest

from thingsviz.core.errors import DataError
from thingsviz.data.planted import ratings
from thingsviz.data.planted.concepts import PROPERTIES, archetypes, concept_table, describe
from thingsviz.data.planted.given import GivenRatings, nearest_kind, plant_given

NAMES = list(concept_table().index[:40])


@pytest.fixture
def concepts(rng):
    return describe(NAMES, rng)


@pytest.fixture
def file(tmp_path, concepts, rng):
    true = ratings.true_ratings(concepts, rng)
    table = ratings.rate(NAMES, true, rng).rename(
        columns=lambda c: c.replace("property_arousal_", "property_arousal-v1_")
    )
    path = tmp_path / "ratings.tsv"
    table.drop(columns=["Word", *table.filter(like="image-label")]).to_csv(
        path, sep="\t", index=False
    )
    return path


def test_given_ratings_are_the_truth_and_only_the_lacking_are_simulated(file, concepts, rng):
    given = GivenRatings.read(file)
    assert given.lacking == ["nameability", "consistency"]
    simulated = ratings.true_ratings(concepts, rng)
    rated = plant_given(concepts, simulated, given)
    published = pd.read_csv(file, sep="\t").set_index("uniqueID").loc[NAMES]
    lives = rated.ratings[:, PROPERTIES.index("lives")]
    np.testing.assert_array_equal(lives, published["property_lives_mean"])
    arousal = rated.ratings[:, PROPERTIES.index("arousal")]
    np.testing.assert_array_equal(arousal, published["property_arousal-v1_mean"])
    np.testing.assert_array_equal(rated.ratings[:, -2:], simulated[:, -2:])
    table = rated.table.set_index("uniqueID")
    np.testing.assert_allclose(table["property_lives_SD"], published["property_lives_SD"])
    np.testing.assert_array_equal(table["property_N-ratings"], published["property_N-ratings"])


def test_a_concept_without_a_row_is_refused(file, rng):
    concepts = describe(["dog", "quark"], rng)
    with pytest.raises(DataError, match="no row for 1 concepts of the design, 'quark' first"):
        plant_given(concepts, np.ones((2, 14)), GivenRatings.read(file))


def test_a_missing_number_is_refused(file, concepts):
    table = pd.read_csv(file, sep="\t")
    table.loc[3, "property_heavy_mean"] = np.nan
    table.to_csv(file, sep="\t", index=False)
    with pytest.raises(DataError, match="'property_heavy_mean' has no number for"):
        plant_given(concepts, np.ones((40, 14)), GivenRatings.read(file))


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "shopping.tsv"
    path.write_text("what\thow many\nmilk\t2\n")
    with pytest.raises(DataError, match="uniqueID"):
        GivenRatings.read(path)


def test_an_unknown_name_gets_the_kind_its_ratings_speak_for(file):
    scores = archetypes().to_numpy(float)
    np.testing.assert_array_equal(nearest_kind(scores), np.arange(20))


def test_the_published_ratings_can_be_planted(real, rng):
    given = GivenRatings.read(real / "property-ratings.tsv")
    names = ["aardvark", "abacus", "chicken_wire"]
    rated = plant_given(describe(names, rng), np.ones((3, 14)), given)
    assert rated.ratings[0, PROPERTIES.index("lives")] == 6.8421
