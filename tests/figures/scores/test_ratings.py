from __future__ import annotations

import math
from itertools import pairwise

import pytest

from thingsviz.data.things.ratings import PROPERTIES, mean_column, rating_range, sd_column
from thingsviz.figures.base.style import palette
from thingsviz.figures.scores.ratings import RatingBar, draw_ratings, ratings_info


def trial(**more):
    row = {"concept": "ferris_wheel"}
    for place, name in enumerate(PROPERTIES):
        low, high, _ = rating_range(name)
        row[mean_column(name)] = low + (high - low) * (place + 1) / 20
        row[sd_column(name)] = 0.5
    row["image-label_nameability_SD"] = math.nan
    row["image-label_consistency_SD"] = math.nan
    return row | more


def names(group):
    return [bar.name for bar in group.bars]


def test_scales_are_kept_apart():
    info = ratings_info(trial())
    first, labels, size = info.groups
    assert names(first)[:3] == ["manmade", "precious", "lives"]
    assert names(first)[-2:] == ["pleasant", "arousal"]
    assert (first.low, first.high, len(first.bars)) == (1, 7, 11)
    assert names(labels) == ["nameability", "naming consistency"]
    assert (labels.low, labels.high) == (0, 1)
    assert (names(size), size.low, size.high) == (["size"], 0, 520)


def test_a_bar_says_mean_sd_and_meaning():
    info = ratings_info(trial(property_grasp_mean=6.25, property_grasp_SD=1.0625))
    grasp = next(bar for bar in info.groups[0].bars if bar.name == "grasp")
    assert grasp == RatingBar("grasp", 6.25, 1.062, None, "1 very difficult … 7 very easy")
    assert info.groups[1].bars[0].sd is None, "the release has no SD of nameability"
    assert info.model == ""


def test_what_is_not_rated_has_no_bar():
    row = trial(property_lives_mean=math.nan, size_mean=None)
    del row["property_arousal_mean"]
    info = ratings_info(row)
    assert [g.title for g in info.groups] == ["mean rating, 1 to 7", "share of the raters, 0 to 1"]
    assert not {"lives", "arousal"} & set(names(info.groups[0]))


def test_nothing_rated_gives_no_panel_at_all():
    assert ratings_info({"concept": "x"}).groups == ()


def test_predictions_stand_beside_their_truth():
    info = ratings_info(trial(), {"lives": 5.5, "be-moved": 2.0, "unknown": 9.0}, "my-job")
    guesses = {bar.name: bar.predicted for g in info.groups for bar in g.bars if bar.predicted}
    assert guesses == {"lives": 5.5, "be moved": 2.0}
    assert info.model == "my-job"


def test_a_model_that_predicts_nothing_here_is_not_named():
    assert ratings_info(trial(), {"unknown": 9.0}, "my-job").model == ""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_picture_has_a_panel_a_scale_with_title_and_unit(theme):
    figure = draw_ratings(ratings_info(trial()), theme)
    assert figure.layout.title.text == "Ratings of ferris wheel"
    assert len(figure.data) == 3
    titles = [figure.layout[axis].title.text for axis in ("xaxis", "xaxis2", "xaxis3")]
    assert titles[0] == "mean rating, 1 to 7"
    assert tuple(figure.layout.xaxis.range) == (1, 7)
    assert tuple(figure.layout.xaxis2.range) == (0, 1)
    assert {trace.marker.color for trace in figure.data} == {palette(theme).truth}
    assert not figure.layout.showlegend


def test_bars_begin_at_the_low_end_and_end_at_the_mean():
    info = ratings_info(trial(property_manmade_mean=4.0))
    bars = draw_ratings(info, "light").data[0]
    at = list(bars.y).index("manmade")
    assert bars.base == 1
    assert bars.base + bars.x[at] == 4.0
    assert bars.error_x.array[at] == 0.5
    assert list(bars.customdata[at][:2]) == [4.0, "SD 0.50"]


def test_labels_without_sd_have_no_error_bars():
    figure = draw_ratings(ratings_info(trial()), "light")
    assert figure.data[1].error_x.array is None


def test_predictions_get_their_own_colour_and_one_legend_entry():
    figure = draw_ratings(ratings_info(trial(), dict.fromkeys(PROPERTIES, 0.9), "my-job"), "dark")
    assert len(figure.data) == 6
    guesses = [trace for trace in figure.data if trace.name == "predicted by my-job"]
    assert {trace.marker.color for trace in guesses} == {palette("dark").prediction}
    assert sum(trace.showlegend for trace in figure.data) == 2
    assert figure.layout.showlegend


def test_panels_do_not_overlap():
    figure = draw_ratings(ratings_info(trial()), "light")
    domains = [figure.layout[axis].domain for axis in ("yaxis", "yaxis2", "yaxis3")]
    assert all(low[0] > high[1] for low, high in pairwise(domains))
    assert domains[-1][0] >= 0
