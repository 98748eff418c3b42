import pytest

from tests.figures.plain import scores
from thingsviz.figures.scores.property_scores import draw_property_scores, property_scores_info
from thingsviz.figures.scores.scores import ScoreQuestion, score_info


def test_each_property_is_what_the_plain_look_up_gives_best_first():
    info = property_scores_info(scores(), "vit3d", ScoreQuestion())
    assert info.targets == ("heavy", "lives", "grasp", "size")
    for score in info.scores:
        assert score == score_info(scores(), "vit3d", score.question)


def test_of_errors_the_smallest_is_the_best():
    info = property_scores_info(scores(), "vit3d", ScoreQuestion(metric="mse"))
    values = [score.value for score in info.scores]
    assert values == sorted(values)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_picture_has_one_row_a_property_and_the_best_on_top(theme):
    info = property_scores_info(scores(), "vit3d", ScoreQuestion())
    figure = draw_property_scores(info, theme)
    names = [trace.name for trace in figure.data]
    assert names == ["chance", "ridge", "noise ceiling", "oracle", "vit3d, 95 % interval"]
    assert figure.layout.yaxis.categoryarray[-1] == "heavy"
    assert figure.layout.title.text == "Pearson r of each property"
    assert figure.layout.xaxis.title.text == "Pearson r"
    assert figure.data[1].x == pytest.approx((0.6, 0.5, 0.4, 0.3))


def test_a_job_without_scores_draws_no_row():
    info = property_scores_info(scores(), "vit3d", ScoreQuestion(part="validation"))
    assert info.scores == ()
    assert len(draw_property_scores(info, "light").data[0].x) == 0
