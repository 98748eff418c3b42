import pytest
from hypothesis import given
from hypothesis import strategies as st

from thingsviz.data.things.image_names import base_name, concept_of, exemplar_number, is_catch

CONCEPTS = st.from_regex(r"[a-z][a-z0-9_]{0,20}[a-z0-9]", fullmatch=True)


@pytest.mark.parametrize(
    ("name", "concept"),
    [
        ("dog/dog_12s.jpg", "dog"),
        ("ferris/ferris_wheel_20s.jpg", "ferris_wheel"),
        ("sim/sim_card_13s.jpg", "sim_card"),
        ("hula/hula_hoop_16s.jpg", "hula_hoop"),
        ("mosquito/mosquito_net_13s.jpg", "mosquito_net"),
        ("chicken1/chicken1_01b.jpg", "chicken1"),
        ("bat2/bat2_07n.jpg", "bat2"),
        ("t-shirt/t-shirt_03s.jpg", "t-shirt"),
        ("dog_plus.jpg", "dog_plus"),
        ("folder\\dog_01b.jpg", "dog"),
    ],
)
def test_the_concept_comes_from_the_file_name(name, concept):
    assert concept_of(name) == concept


@pytest.mark.parametrize("name", ["catch008.jpg", "catch/catch117.jpg", "Catch1.png"])
def test_catch_pictures_have_no_concept(name):
    assert is_catch(name)
    assert concept_of(name) is None


@pytest.mark.parametrize("name", ["catcher/catcher_01b.jpg", "catch_basin/catch_basin_01b.jpg"])
def test_concepts_that_begin_with_catch_are_concepts(name):
    assert not is_catch(name)


@given(CONCEPTS, CONCEPTS, st.integers(1, 99), st.sampled_from("bsn"))
def test_any_folder_any_concept(folder, concept, number, source):
    name = f"{folder}/{concept}_{number:02d}{source}.jpg"
    assert base_name(name) == name.split("/")[1]
    assert concept_of(name) == concept
    assert exemplar_number(name) == number


@given(st.text(max_size=60))
def test_any_text_is_answered(text):
    concept_of(text)
    assert exemplar_number(text) >= 0
