import math

import pytest

from tests.figures.plain import predictions
from thingsviz.figures.scores.agreement import agreement_info, both_info, draw_agreement, draw_both


def test_the_most_alike_comes_first_and_constants_last():
    rows = [("a", 0.2, 0.1), ("flat", math.nan, math.nan), ("b", 0.9, -0.4)]
    info = agreement_info(("one", "two"), rows)
    assert info.rows == (("b", 0.9, -0.4), ("a", 0.2, 0.1), ("flat", None, None))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_two_marks_a_property(theme):
    figure = draw_agreement(agreement_info(("x", "y"), [("a", 0.2, 0.1)]), theme)
    assert [trace.name for trace in figure.data] == ["their predictions", "their errors"]
    assert [trace.x[0] for trace in figure.data] == [0.2, 0.1]
    assert figure.layout.title.text == "How alike the two are"


def pair():
    one, two = (predictions(seed=s).query("n_averaged == 1") for s in (0, 1))
    return one, two


def test_dots_are_the_two_predictions():
    one, two = pair()
    info = both_info(one, two, ("x", "y"), "heavy")
    assert info.first == pytest.approx(one["pred_heavy"].tolist(), abs=1e-4)
    assert info.second == pytest.approx(two["pred_heavy"].tolist(), abs=1e-4)
    assert info.true == pytest.approx(one["true_heavy"].tolist(), abs=1e-4)
    assert len(info.trials) == len(one)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_are_drawn_on_one_scale(theme):
    figure = draw_both(both_info(*pair(), ("x", "y"), "heavy"), theme)
    assert figure.layout.xaxis.range == figure.layout.yaxis.range
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("x", "y")
    assert [trace.name for trace in figure.data] == ["the same", "trial"]
    assert "big thing0" in figure.data[1].text[0]
