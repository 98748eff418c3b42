import numpy as np
import pytest

from thingsviz.analysis.scores.metrics import trial_confidence
from thingsviz.figures.scores.confidence import RATIO, REPORT, confidence_info, draw_confidence


def info(**more):
    rho = {"heavy": 1.2, "lives": 0.4, "flat": np.nan}
    model = {"heavy": 0.5, "lives": 0.8}
    return confidence_info("ridge", rho | more, model, {"heavy": 0.45})


def test_properties_stand_at_their_own_ratio_in_order():
    found = info().standings
    assert [s.target for s in found] == ["lives", "heavy"]
    assert found[1] == ("heavy", 1.2, pytest.approx(2 / np.pi * np.arctan(1 / 1.2)), 0.5, 0.45)
    assert found[0].mean is None


def test_the_curve_falls_from_one_and_passes_the_report():
    x, y = np.array(info().curve).T
    assert (x[0], y[0]) == (0, 1)
    assert (np.diff(y) < 0).all()
    assert np.interp(RATIO, x, y) == pytest.approx(REPORT, abs=3e-4)
    assert x[-1] > 1.2


def test_the_curve_is_what_a_constant_scores(rng):
    """Simulated: raters of SD 1 around concepts of SD ρ, predicted by the middle."""
    for rho in (0.3, 0.864, 2.0):
        concepts = rho * rng.standard_normal(200_000)
        scored = trial_confidence(np.zeros_like(concepts), concepts, np.ones_like(concepts))
        assert scored.mean() == pytest.approx(2 / np.pi * np.arctan(1 / rho), abs=0.003)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_picture_has_curve_model_mean_and_report(theme):
    figure = draw_confidence(info(), theme)
    names = [trace.name for trace in figure.data]
    assert names[0].startswith("a constant")
    assert names[2] == "ridge"
    assert "54.65" in names[3]
    assert list(figure.data[2].text) == ["lives", "heavy"]
    assert list(figure.data[1].x) == [1.2]
    assert figure.layout.yaxis.title.text == "Confidence"


def test_no_property_with_a_spread_leaves_the_curve_alone():
    empty = confidence_info("ridge", {}, {}, {})
    assert empty.standings == ()
    assert len(draw_confidence(empty, "light").data) == 4
