import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.figures.plain import scores
from thingsviz.core.typography import finite
from thingsviz.figures.scores.scores import (
    Reference,
    ScoreInfo,
    ScoreQuestion,
    draw_score,
    label_levels,
    score_info,
    span,
)


def test_info_has_the_score_and_its_references():
    assert score_info(scores(), "vit3d", ScoreQuestion()) == ScoreInfo(
        model="vit3d",
        question=ScoreQuestion("test", "single", "mean", "r"),
        value=0.35,
        low=pytest.approx(0.25),
        high=pytest.approx(0.55),
        p=0.01,
        n_trials=240,
        n_concepts=20,
        references=(
            Reference("chance", "chance", "baseline", 0.0),
            Reference("ridge", "ridge", "baseline", pytest.approx(0.45)),
            Reference("ceiling", "noise ceiling", "limit", 0.8),
            Reference("oracle", "oracle", "limit", 0.7),
        ),
    )


def test_a_ridge_is_not_its_own_reference():
    info = score_info(scores(), "ridge", ScoreQuestion())
    assert [r.model for r in info.references] == ["chance", "ceiling", "oracle"]
    assert (info.low, info.high, info.p) == (None, None, None)
    assert info.reference("oracle") == 0.7
    assert info.reference("ridge") is None


@pytest.mark.parametrize(
    ("model", "question"),
    [
        ("vit3d", ScoreQuestion(part="validation")),
        ("vit3d", ScoreQuestion(n_averaged="mean of 12")),
        ("vit3d", ScoreQuestion(metric="confidence")),
        ("cnn", ScoreQuestion()),
        ("mean", ScoreQuestion()),
    ],
)
def test_what_the_table_does_not_hold_is_none(model, question):
    assert score_info(scores(), model, question) is None


@pytest.mark.parametrize("value", [None, math.nan, math.inf, "text", np.float64("nan")])
def test_what_is_not_a_number_is_none(value):
    assert finite(value) is None


def test_numbers_of_numpy_are_numbers():
    assert (finite(np.int64(3)), finite(np.float32(0.5)), finite(2)) == (3.0, 0.5, 2.0)


def test_the_axis_holds_everything():
    low, high = span(score_info(scores(), "vit3d", ScoreQuestion()))
    assert low < 0
    assert high > 0.8


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_picture_has_a_tick_for_each_reference_and_one_dot(theme):
    figure = draw_score(score_info(scores(), "vit3d", ScoreQuestion()), theme)
    assert [t.name for t in figure.data] == ["chance", "ridge", "noise ceiling", "oracle", "vit3d"]
    assert figure.layout.title.text == "Pearson r: vit3d among its references"
    assert figure.layout.xaxis.title.text == "Pearson r"
    dot = figure.data[-1]
    assert dot.error_x.array == pytest.approx([0.2])
    assert dot.error_x.arrayminus == pytest.approx([0.1])


def test_names_of_neighbours_do_not_cover_each_other():
    close = tuple(Reference(str(i), "noise ceiling", "limit", 0.4 + i / 1000) for i in range(4))
    info = ScoreInfo("m", ScoreQuestion(), 0.3, None, None, None, 1, 1, close)
    assert label_levels(info) == (0, 1, 2, 3)
    far = tuple(r._replace(value=i / 3) for i, r in enumerate(close))
    assert label_levels(info._replace(references=far)) == (0, 0, 0, 0)


VALUES = some.floats(-1, 1).map(lambda v: round(v, 3))


@given(
    VALUES,
    some.lists(some.tuples(some.sampled_from(["ridge", "noise ceiling"]), VALUES), max_size=6),
)
def test_nothing_is_cut_off_and_no_name_covers_another(value, beside):
    references = tuple(Reference(str(i), n, "limit", v) for i, (n, v) in enumerate(beside))
    info = ScoreInfo("m", ScoreQuestion(), value, value - 0.1, value + 0.1, None, 9, 3, references)
    low, high = span(info)
    assert low < min([value - 0.1, *(v for _, v in beside)])
    assert high > max([value + 0.1, *(v for _, v in beside)])
    places = []
    for reference, level in zip(references, label_levels(info, 560), strict=True):
        centre, half = (reference.value - low) / (high - low) * 560, 3.5 * len(reference.label)
        assert all(abs(centre - c) >= half + h for c, h, other in places if other == level)
        places.append((centre, half, level))


def test_the_band_of_chance_is_shaded_where_shuffled_worlds_lie():
    table = scores()
    chance = table["model"].eq("chance")
    table.loc[chance, ["low", "high"]] = [-0.1, 0.12]
    info = score_info(table, "vit3d", ScoreQuestion())
    figure = draw_score(info, "light")
    bands = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert [(band.x0, band.x1) for band in bands] == [(-0.1, 0.12)]
    assert span(info)[0] < -0.1
