"""The scores' formulas against plain code, scipy, and the original study's own figure."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from thingsviz.analysis.scores.metrics import (
    confidence,
    constant_confidence,
    mae,
    mse,
    pearson,
    spread_ratio,
    trial_confidence,
)
from thingsviz.data.things.ratings import TARGETS_10, mean_column, sd_column


@pytest.fixture
def pair(rng):
    true = rng.uniform(1, 7, (60, 4))
    return true, 3 + 0.4 * true + rng.normal(size=true.shape)


def test_pearson_is_scipys(pair):
    true, predicted = pair
    plain = [stats.pearsonr(true[:, j], predicted[:, j]).statistic for j in range(4)]
    np.testing.assert_allclose(pearson(true, predicted), plain, atol=1e-12)


def test_pearson_ignores_units_and_knows_its_sign(pair):
    true, predicted = pair
    np.testing.assert_allclose(
        pearson(true * 520, predicted - 1e4), pearson(true, predicted), atol=1e-9
    )
    np.testing.assert_allclose(pearson(true, -true), -1)


@pytest.mark.parametrize("constant", [0.0, 4.1, 1e-8, 520.0])
def test_a_constant_prediction_has_no_correlation(pair, constant):
    true, _ = pair
    # float32 first: a stored constant comes back with rounding errors of its own size
    flat = np.full_like(true, np.float32(constant)) * (1 + 1e-16)
    assert np.isnan(pearson(true, flat)).all()
    assert np.isnan(pearson(flat, true)).all()


def test_errors_are_plain_means(pair):
    true, predicted = pair
    n = len(true)
    for j in range(4):
        off = [float(predicted[i, j] - true[i, j]) for i in range(n)]
        assert mse(true, predicted)[j] == pytest.approx(sum(e * e for e in off) / n)
        assert mae(true, predicted)[j] == pytest.approx(sum(abs(e) for e in off) / n)


def test_confidence_is_the_two_sided_p_of_the_z_score(pair, rng):
    true, predicted = pair
    sd = rng.uniform(0.3, 2, true.shape)
    plain = 2 * (1 - stats.norm.cdf(np.abs((predicted - true) / sd)))
    np.testing.assert_allclose(trial_confidence(predicted, true, sd), plain, atol=1e-12)
    np.testing.assert_allclose(confidence(predicted, true, sd), plain.mean(0))


def test_confidence_at_its_edges():
    assert trial_confidence(3.0, 3.0, 1.0) == 1
    assert trial_confidence(3.0, 3.0, 0.0) == 1
    assert trial_confidence(3.1, 3.0, 0.0) == 0
    assert np.isnan(trial_confidence(3.0, 3.0, np.nan))
    assert trial_confidence(3 + 1.959964, 3.0, 1.0) == pytest.approx(0.05, abs=1e-6)


def test_the_reports_confidence_is_the_constant_predictors_own():
    """54.65 % needs no brain: it is what one number for all trials gets at ρ = 0.864."""
    assert round(float(constant_confidence(0.864)) * 100, 2) == pytest.approx(54.64, abs=0.011)
    assert constant_confidence(0) == 1
    assert constant_confidence(np.inf) == 0


@pytest.mark.parametrize("rho", [0.3, 0.864, 2.0])
def test_closed_form_of_the_constant_matches_simulation(rng, rho):
    means = rng.normal(4, rho * 1.3, (200_000, 1))
    sd = np.full_like(means, 1.3)
    simulated = confidence(np.full_like(means, 4.0), means, sd)[0]
    # SD of one p is below 0.33: the mean of 200,000 lies within 0.003 in all but one run of 10,000
    assert simulated == pytest.approx(float(constant_confidence(rho)), abs=0.003)
    assert spread_ratio(means, sd)[0] == pytest.approx(rho, rel=0.01)


def test_confidence_of_the_mean_on_the_real_ratings(real):
    """What a constant gets on the released ratings, property by property.

    The original study found precious and pleasant 'better than the others': they are where a
    constant is, because raters disagree most about them.
    """
    table = pd.read_csv(real / "property-ratings.tsv", sep="\t")
    mean = table[[mean_column(p) for p in TARGETS_10]].to_numpy()
    sd = table[[sd_column(p) for p in TARGETS_10]].to_numpy()
    found = confidence(np.broadcast_to(mean.mean(0), mean.shape), mean, sd)
    by_property = dict(zip(TARGETS_10, found.round(2).tolist(), strict=True))
    best = sorted(by_property, key=by_property.get, reverse=True)
    assert best[:2] == ["precious", "pleasant"]
    assert by_property["precious"] == 0.64
    assert by_property["manmade"] == 0.14
    assert found.mean() == pytest.approx(0.357, abs=0.001)
    # The closed form wants normally spread means; the real ones have two humps: 0.07 too much.
    closed = constant_confidence(spread_ratio(mean, sd))
    assert closed.mean() == pytest.approx(0.426, abs=0.001)
    assert np.corrcoef(closed, found)[0, 1] > 0.98
