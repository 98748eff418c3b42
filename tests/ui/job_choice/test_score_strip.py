import pytest

from tests.figures.plain import scores
from thingsviz.figures.scores.scores import ScoreQuestion, score_info
from thingsviz.ui.job_choice.score_strip import (
    interval_text,
    limits_of,
    n_text,
    p_text,
    sentence_of,
    value_text,
)


@pytest.fixture
def info():
    return score_info(scores(), "vit3d", ScoreQuestion())


def test_the_whole_strip_in_one_line(info):
    assert sentence_of(info) == (
        "Pearson r 0.35 (95 % interval 0.25 to 0.55); "
        "chance 0.00, ridge 0.45, noise ceiling 0.80, oracle 0.70; "
        "permutation p = 0.010; 240 trials of 20 concepts."
    )


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [
        (0.456, "r", "0.46"),
        (-0.456, "r", "−0.46"),
        (-0.001, "r", "0.00"),
        (None, "r", "–"),
        (0.0912345, "mse", "0.0912"),
        (12.3456, "mae", "12.3"),
        (0.54651, "confidence", "54.65\u00a0%"),
    ],
)
def test_values_as_they_are_written(value, metric, text):
    assert value_text(value, metric) == text


def test_no_small_p_is_written_as_zero():
    assert [p_text(p) for p in (None, 0.0001, 0.000999, 0.04)] == [
        "no permutation p",
        "permutation p < 0.001",
        "permutation p = 0.001",
        "permutation p = 0.040",
    ]


def test_what_is_missing_is_said(info):
    assert interval_text(info._replace(low=None)) == "no interval"
    averaged = info._replace(question=ScoreQuestion(n_averaged="mean of 12"), n_trials=100)
    assert n_text(averaged) == "100 averaged test images of 20 concepts"


def test_an_interval_that_reaches_zero_is_said_first(info):
    assert limits_of(["One brain."], info._replace(low=-0.1)) == [
        "That the decoder reads anything at all: the interval reaches zero.",
        "One brain.",
    ]


def test_of_errors_nothing_is_added(info):
    errors = info._replace(question=ScoreQuestion(metric="mse"))
    assert limits_of(["One brain."], errors._replace(low=-0.1)) == ["One brain."]


def test_only_the_sentences_of_this_part_are_told(info):
    told = [
        "With 8 concepts (test, single) a mean r below 0.14 cannot be told from chance.",
        "With 8 concepts (test, mean of 4) a mean r below 0.29 cannot be told from chance.",
        "With 8 concepts (exemplars, single) a mean r below 0.21 cannot be told from chance.",
        "One person's brain was decoded (sub-01, of three).",
    ]
    assert limits_of(told, info) == [told[0], told[3]]
    averaged = info._replace(question=ScoreQuestion(n_averaged="mean of 4"))
    assert limits_of(told, averaged) == [told[1], told[3]]
