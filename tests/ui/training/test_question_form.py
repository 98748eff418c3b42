from typing import get_args

import pytest
from streamlit.testing.v1 import AppTest

from thingsviz.core.errors import ConfigError
from thingsviz.data.things.ratings import TARGETS_10, TARGETS_12
from thingsviz.jobs.recipe import RatingScale, SplitKind
from thingsviz.ui.training.form_fields import form_key
from thingsviz.ui.training.question_form import SCALES, SPLITS, folds_of, shares_of


def test_every_split_and_scale_has_its_sentence():
    assert set(SPLITS) == set(get_args(SplitKind))
    assert set(SCALES) == set(get_args(RatingScale))
    assert all(c.sentence.endswith(".") for c in [*SPLITS.values(), *SCALES.values()])


@pytest.mark.parametrize("text", ["0.8 / 0.1 / 0.1", "8:1:1", "80, 10, 10", ".8;.1;.1"])
def test_shares_are_brought_to_a_sum_of_one(text):
    assert shares_of(text) == pytest.approx((0.8, 0.1, 0.1))


def test_the_report_s_second_split():
    assert shares_of("7:1:2") == pytest.approx((0.7, 0.1, 0.2))


@pytest.mark.parametrize(
    "text", ["", "0.8 / 0.2", "a/b/c", "0/1/1", "1/-1/1", "nan/1/1", "inf/1/1"]
)
def test_other_shares_are_refused_in_a_sentence(text):
    with pytest.raises(ConfigError, match="should be three numbers for training, validation"):
        shares_of(text)


def form(available):
    import streamlit as st

    from thingsviz.ui.training.question_form import question_form

    faults = []
    st.session_state["answer"] = question_form(available, faults)
    st.session_state["faults"] = faults


def shown(available):
    return AppTest.from_function(form, kwargs={"available": list(available)}).run()


def test_twelve_properties_on_unseen_concepts_are_the_start():
    app = shown([*TARGETS_12, "size"])
    assert app.session_state["answer"] == {
        "learns": "ratings",
        "targets": list(TARGETS_12),
        "rating_scale": "unit",
        "split": {"kind": "unseen_concepts", "fractions": (0.8, 0.1, 0.1)},
    }
    assert app.session_state["faults"] == []


def test_ratings_without_nameability_offer_ten():
    app = shown([*TARGETS_10, "size"])
    assert app.session_state["answer"]["targets"] == list(TARGETS_10)


def test_an_own_choice_of_nothing_is_a_fault_and_loses_nothing():
    app = shown([*TARGETS_12, "size"])
    app.session_state[form_key("question", "targets")] = "own"
    app.run()
    assert app.session_state["answer"]["targets"] == list(TARGETS_12[:4])
    app.multiselect(key=form_key("question", "own_targets")).set_value([]).run()
    assert app.session_state["faults"] == [
        "No property is chosen: choose at least one to predict."
    ]
    app.multiselect(key=form_key("question", "own_targets")).set_value(["size"]).run()
    assert app.session_state["answer"]["targets"] == ["size"]


def test_classes_ask_for_no_properties():
    app = shown(TARGETS_12)
    app.selectbox(key=form_key("question", "learns")).set_value("concepts").run()
    answer = app.session_state["answer"]
    assert answer["learns"] == "concepts"
    assert set(answer) == {"learns", "split"}
    app.selectbox(key=form_key("question", "learns")).set_value("ratings").run()
    assert app.session_state["answer"]["targets"] == list(TARGETS_12)


def test_the_sentence_of_the_chosen_split_is_on_the_page():
    app = shown(TARGETS_12)
    app.selectbox(key=form_key("question", "kind")).set_value("trial").run()
    assert app.session_state["answer"]["split"]["kind"] == "trial"
    assert any("recognition" in caption.value for caption in app.caption)


@pytest.mark.parametrize(
    ("text", "folds"), [("one split", None), ("leave one out", "each"), ("7", 7), (" 12 ", 12)]
)
def test_folds_are_read(text, folds):
    assert folds_of(text) == folds


@pytest.mark.parametrize("text", ["1", "201", "many", "", "-3", "2.5"])
def test_other_folds_are_refused(text):
    with pytest.raises(ConfigError):
        folds_of(text)


def test_folds_go_into_the_recipe_and_only_where_they_can():
    app = shown([*TARGETS_12])
    kind, folds = form_key("question", "kind"), form_key("question", "folds")
    assert app.selectbox(key=folds).disabled
    app.selectbox(key=kind).set_value("run").run()
    app.selectbox(key=folds).set_value("leave one out").run()
    assert app.session_state["answer"]["split"]["folds"] == "each"
    app.selectbox(key=kind).set_value("image").run()
    assert "folds" not in app.session_state["answer"]["split"]
    app.selectbox(key=folds).set_value("5").run()
    assert app.session_state["answer"]["split"]["folds"] == 5
    app.selectbox(key=kind).set_value("test_images").run()
    assert "folds" not in app.session_state["answer"]["split"]
