import numpy as np
import pandas as pd
import pytest

from tests.data.published import CONCEPTS, write_ratings
from thingsviz.core.errors import ConfigError, DataError
from thingsviz.data.things.ratings import (
    FAMILIES,
    PROPERTIES,
    TARGETS_10,
    TARGETS_12,
    available,
    mean_column,
    rating_range,
    read_ratings,
    sd_column,
)


@pytest.fixture
def path(tmp_path):
    write_ratings(tmp_path / "ratings.tsv")
    return tmp_path / "ratings.tsv"


def edit(path, change):
    table = pd.read_csv(path, sep="\t", dtype=str)
    changed = change(table)
    (table if changed is None else changed).to_csv(path, sep="\t", index=False)


def test_published_column_names():
    assert mean_column("be-moved") == "property_be-moved_mean"
    assert sd_column("size") == "size_SD"
    assert mean_column("nameability") == "image-label_nameability_mean"
    assert len(TARGETS_10) == 10
    assert TARGETS_12[:2] == ("nameability", "consistency")


def test_unknown_property_lists_those_there_are():
    with pytest.raises(ConfigError, match="no property 'weight': choose from nameability"):
        mean_column("weight")


@pytest.mark.parametrize("prop", PROPERTIES)
def test_each_property_has_a_scale(prop):
    low, high, meaning = rating_range(prop)
    assert low < high
    assert meaning


def test_reading_keeps_all_numbers(path):
    table, warnings = read_ratings(path)
    assert tuple(table.index) == CONCEPTS
    assert table.shape == (6, 20)
    assert warnings == [
        "the ratings have no nameability and no consistency and no arousal and no size"
    ]


def test_first_round_arousal_is_arousal(path):
    edit(
        path,
        lambda t: t.assign(**{"property_arousal-v1_mean": "4", "property_arousal-v1_SD": "1"}),
    )
    table, _ = read_ratings(path)
    assert "arousal" in available(table.columns)
    assert (table[mean_column("arousal")] == 4).all()


def test_second_round_arousal_is_not_overwritten(path):
    both = {"property_arousal-v1_mean": "4", "property_arousal_mean": "2"}
    edit(path, lambda t: t.assign(**both))
    assert (read_ratings(path).table[mean_column("arousal")] == 2).all()


def test_missing_values_are_nan(path):
    edit(path, lambda t: t.assign(property_lives_SD=["n/a", "", "1", "1", "1", "1"]))
    assert (
        read_ratings(path).table["property_lives_SD"].isna().tolist() == [True] * 2 + [False] * 4
    )


def test_a_missing_property_is_refused(path):
    edit(path, lambda t: t.drop(columns="property_lives_mean"))
    with pytest.raises(DataError, match="lacks the column 'property_lives_mean'"):
        read_ratings(path)


def test_missing_concept_names_are_refused(path):
    edit(path, lambda t: t.drop(columns="uniqueID"))
    with pytest.raises(DataError, match="lacks the column 'uniqueID'"):
        read_ratings(path)


def test_text_in_numbers_is_refused(path):
    edit(path, lambda t: t.assign(property_heavy_mean=["1", "two", "3", "4", "5", "6"]))
    with pytest.raises(DataError, match=r"'two' in column 'property_heavy_mean', table row 3"):
        read_ratings(path)


def test_a_concept_rated_twice_is_refused(path):
    edit(path, lambda t: pd.concat([t, t.iloc[:1]]))
    with pytest.raises(DataError, match="rates 'dog' twice"):
        read_ratings(path)


def test_values_off_the_scale_are_a_warning(path):
    edit(path, lambda t: t.assign(property_heavy_mean=["1", "2", "9", "4", "5", "6"]))
    assert (
        "1 ratings of heavy lie outside 1 to 7 ('chicken_wire': 9)" in read_ratings(path).warnings
    )


def test_the_released_ratings_are_in_order(real):
    table, warnings = read_ratings(real / "property-ratings.tsv")
    assert len(table) == 1854
    assert warnings == ["the ratings have no nameability and no consistency"]
    assert table.loc["chicken_wire", "property_lives_mean"] == pytest.approx(1.19, abs=0.01)


def rotated(real, steps):
    """The known fault: values sorted one way, names the other."""
    table = pd.read_csv(real / "property-ratings.tsv", sep="\t").set_index("uniqueID")
    for family in FAMILIES:
        names = list(family[:3])
        table.loc[names] = np.roll(table.loc[names].to_numpy(), steps, axis=0)
    return table.reset_index()


@pytest.mark.parametrize("steps", [1, 2])
def test_all_twelve_rotated_concepts_are_named(real, tmp_path, steps):
    rotated(real, steps).to_csv(tmp_path / "r.tsv", sep="\t", index=False)
    note = read_ratings(tmp_path / "r.tsv").warnings[-1]
    assert "have changed places" in note
    for family in FAMILIES:
        assert all(name in note for name in family[:3])


def test_the_fault_shows_as_published(real):
    """In the copies with the fault chicken_wire 'lives' 6.89 of 7."""
    table = rotated(real, 1).set_index("uniqueID")
    assert table.loc["chicken_wire", "property_lives_mean"] == pytest.approx(6.89, abs=0.01)


def test_one_rotated_family_names_only_its_own(real, tmp_path):
    table = pd.read_csv(real / "property-ratings.tsv", sep="\t").set_index("uniqueID")
    names = ["crystal_ball", "crystal1", "crystal2"]
    table.loc[names] = np.roll(table.loc[names].to_numpy(), 1, axis=0)
    table.reset_index().to_csv(tmp_path / "r.tsv", sep="\t", index=False)
    assert (
        read_ratings(tmp_path / "r.tsv")
        .warnings[-1]
        .startswith("the ratings of crystal_ball, crystal1, crystal2 have changed places")
    )
