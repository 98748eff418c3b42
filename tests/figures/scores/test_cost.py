import pytest

from tests.figures.plain import scores
from thingsviz.figures.scores.cost import cost_info, cost_row, draw_cost
from thingsviz.figures.scores.scores import ScoreQuestion, score_info


def rows():
    info = score_info(scores(), "vit3d", ScoreQuestion())
    return [
        cost_row("vit", info, (120.0, 5_000, 800_000_000)),
        cost_row("old", info, (None, None, None)),
    ]


def test_a_row_is_the_score_and_what_it_took():
    assert rows()[0] == ("vit", 0.35, pytest.approx(0.25), 0.55, 120.0, 5_000, 800_000_000)


def test_jobs_that_do_not_say_their_cost_are_left_out():
    info = cost_info("seconds", "r", rows(), 0.45)
    assert [row.name for row in info.rows] == ["vit"]


@pytest.mark.parametrize(
    ("axis", "x", "title"),
    [
        ("seconds", 120.0, "Seconds of training"),
        ("n_parameters", 5_000, "Parameters"),
        ("peak_bytes", 800.0, "Peak memory, MB"),
    ],
)
def test_a_dot_a_job(axis, x, title):
    figure = draw_cost(cost_info(axis, "r", rows(), 0.45), "light")
    assert (figure.data[0].x, figure.data[0].y) == ((x,), (0.35,))
    assert figure.layout.xaxis.title.text == title
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.shapes[0].y0 == 0.45


def test_costs_that_are_nearly_alike_stand_on_a_plain_axis():
    near = [rows()[0]._replace(name=str(s), seconds=s) for s in (98.0, 136.0)]
    far = [rows()[0]._replace(name=str(s), seconds=s) for s in (98.0, 1360.0)]
    axes = [
        draw_cost(cost_info("seconds", "r", r, None), "light").layout.xaxis for r in (near, far)
    ]
    assert (axes[0].type, axes[0].rangemode) == (None, "tozero")
    assert axes[1].type == "log"


def test_nothing_known_draws_nothing():
    assert len(draw_cost(cost_info("seconds", "r", rows()[1:], None), "dark").data) == 0
