import numpy as np
import pytest
from fontTools.ttLib import TTFont

from thingsviz.core.errors import DataError
from thingsviz.data.planted.concepts import (
    PROPERTIES,
    archetypes,
    choose_names,
    concept_table,
    describe,
)
from thingsviz.data.planted.pictures import font_file
from thingsviz.data.planted.presets import PRESETS
from thingsviz.data.things.ratings import PROPERTIES as KNOWN_PROPERTIES


def test_there_are_names_for_the_largest_preset():
    assert len(concept_table()) >= PRESETS["full"].n_concepts
    assert concept_table().index.is_unique


def test_names_are_safe_in_paths_and_survive_the_image_name():
    assert concept_table().index.str.fullmatch(r"[a-z][a-z0-9_-]*").all()
    assert not concept_table().index.str.contains(r"_\d+[a-z]*$").any()


def test_each_kind_is_known_and_each_glyph_is_in_the_font():
    table = concept_table()
    assert set(table["kind"]) == set(archetypes().index)
    font = TTFont(font_file()).getBestCmap()
    assert all(ord(glyph) in font for glyph in table["glyph"])


def test_the_demo_has_a_glyph_of_its_own_for_each_concept_and_all_kinds():
    demo = concept_table().iloc[: PRESETS["demo"].n_concepts]
    assert demo["glyph"].is_unique
    assert demo["kind"].value_counts().min() >= 6
    assert demo["kind"].nunique() == len(archetypes())


def test_archetypes_score_all_properties():
    assert archetypes().shape == (20, 14)
    assert sorted(PROPERTIES) == sorted(KNOWN_PROPERTIES)
    assert archetypes().abs().to_numpy().max() == 3


def test_unknown_names_get_a_kind_by_chance(rng):
    concepts = describe(["dog", "quark"], rng)
    assert archetypes().index[concepts.kind[0]] == "mammal"
    assert concepts.known.tolist() == [True, False]
    assert np.isnan(concepts.bulk[1])
    kinds = {int(describe(["quark"], np.random.default_rng(n)).kind[0]) for n in range(40)}
    assert len(kinds) > 5


def test_candidates_that_the_table_knows_come_first(rng):
    candidates = ["dog", "quark", "apple", "gluon"]
    assert choose_names(rng, 2, candidates) == ["apple", "dog"]
    assert set(choose_names(rng, 3, candidates)) > {"apple", "dog"}


def test_too_few_names_are_refused(rng):
    with pytest.raises(DataError, match="3 concepts are needed, 2 names are there"):
        choose_names(rng, 3, ["dog", "cat"])
