import pytest

from thingsviz.figures.scores.differences import differences_info, draw_differences

ROWS = [
    {"target": "heavy", "difference": 0.1, "low": -0.1, "high": 0.3, "p": 0.2, "p_holm": 0.4},
    {"target": "lives", "difference": 0.3, "low": 0.2, "high": 0.4, "p": 0.01, "p_holm": 0.02},
    {"target": "mean", "difference": 0.2, "low": None, "high": None, "p": None, "p_holm": None},
]


def test_the_mean_comes_first_then_the_largest():
    infos = differences_info(ROWS)
    assert [info.target for info in infos] == ["mean", "lives", "heavy"]
    assert infos[1] == ("lives", 0.3, 0.2, 0.4, 0.01, 0.02)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_filled_where_the_corrected_p_is_small(theme):
    figure = draw_differences(differences_info(ROWS), ("a", "b"), "r", theme)
    dots = figure.data[0]
    assert list(dots.y) == ["mean of all", "lives", "heavy"]
    fills = dots.marker.color
    assert fills[0] == fills[2] != fills[1]
    assert dots.error_x.array == pytest.approx([0, 0.1, 0.2])
    assert dots.error_x.arrayminus == pytest.approx([0, 0.1, 0.2])
    assert figure.layout.title.text == "a minus b"
    assert figure.layout.xaxis.title.text == "Difference of r"


def test_no_rows_draw_no_dots():
    assert len(draw_differences([], ("a", "b"), "r", "light").data[0].x) == 0
