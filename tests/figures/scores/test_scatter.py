import numpy as np
import pytest

from tests.figures.plain import predictions
from thingsviz.figures.scores.scatter import ScatterTrial, draw_scatter, scatter_info


@pytest.fixture
def singles():
    table = predictions()
    return table[table["n_averaged"] == 1]


def test_info_holds_the_dots_and_the_trials(singles):
    info = scatter_info(singles, "heavy")
    assert info.true == pytest.approx(singles["true_heavy"].tolist(), abs=1e-4)
    assert info.predicted == pytest.approx(singles["pred_heavy"].tolist(), abs=1e-4)
    assert info.trials[4] == ScatterTrial(
        2, 2, 2, "big_thing1", "big_thing1/big_thing1_01b.jpg", n_averaged=1
    )


def test_line_and_r_are_those_of_numpy(singles):
    info = scatter_info(singles, "heavy")
    slope, intercept = np.polyfit(singles["true_heavy"], singles["pred_heavy"], 1)
    assert (info.slope, info.intercept) == pytest.approx((slope, intercept))
    assert info.r == pytest.approx(np.corrcoef(singles["true_heavy"], singles["pred_heavy"])[0, 1])


def test_a_constant_prediction_has_no_r(singles):
    info = scatter_info(singles.assign(pred_heavy=3.3), "heavy")
    assert info.r is None
    assert info.slope == pytest.approx(0, abs=1e-12)
    assert draw_scatter(info, "light", "1–7").layout.title.text == "heavy: true and predicted"


@pytest.mark.parametrize("value", [0.1, 3.3, 519.7, 1 / 3, 0.0])
@pytest.mark.parametrize("n", [3, 7, 100])
def test_a_constant_truth_has_no_line(value, n):
    rows = predictions(n_images=n, n_repeats=1).assign(true_heavy=value)
    info = scatter_info(rows[rows["n_averaged"] == 1], "heavy")
    assert (info.slope, info.intercept, info.r) == (None, None, None)
    assert len(draw_scatter(info, "light", "1–7").data) == 2  # the identity and the dots


def test_unrated_trials_are_left_out(singles):
    table = singles.copy()
    table.loc[table.index[:5], "true_heavy"] = np.nan
    assert len(scatter_info(table, "heavy").true) == len(singles) - 5


def test_nothing_to_draw_is_no_error(singles):
    info = scatter_info(singles[:0], "heavy")
    assert (info.r, info.limits) == (None, (0.0, 1.0))
    assert len(draw_scatter(info, "dark", "1–7").data) == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_picture_has_units_and_one_range_on_both_axes(singles, theme):
    info = scatter_info(singles, "heavy")
    figure = draw_scatter(info, theme, "1–7")
    assert figure.layout.title.text == "heavy: true and predicted"
    assert figure.layout.xaxis.title.text == "True rating (1–7)"
    assert figure.layout.yaxis.title.text == "Predicted rating (1–7)"
    assert figure.layout.xaxis.range == figure.layout.yaxis.range == info.limits
    names = [trace.name for trace in figure.data]
    assert names == ["predicted = true", "trial", f"fitted line, slope {info.slope:.2f}"]


def test_a_dot_says_which_trial_it_is():
    table = predictions()
    figure = draw_scatter(scatter_info(table, "heavy"), "light", "1–7")
    assert figure.data[1].name == "mean of repeats"
    assert figure.data[1].text[:4] == (
        "big thing0, session 1 run 2 trial 1",
        "big thing0, session 2 run 2 trial 1",
        "big thing0, session 3 run 2 trial 1",
        "big thing0, mean of 3 repeats",
    )
