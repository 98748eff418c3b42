import numpy as np
import pytest
from scipy import stats
from scipy.stats import binom

from thingsviz.analysis.scores.power import (
    concepts_needed,
    hits_needed,
    smallest_r,
    smallest_share,
    trials_needed,
)


def test_the_textbook_s_numbers():
    # Cohen 1988, table 3.4.1 (one-sided .05, power .80): r .30 needs 68, r .50 needs 22
    assert concepts_needed(0.30) == pytest.approx(68, abs=1)
    assert concepts_needed(0.50) == pytest.approx(23, abs=1)


@pytest.mark.parametrize("n", [10, 20, 100, 720])
def test_r_and_n_are_each_other_s_inverse(n):
    r = smallest_r(n)
    assert concepts_needed(r) == n
    assert concepts_needed(r * 1.1) < n


def test_few_concepts_show_nothing():
    assert smallest_r(3) == smallest_r(0) == 1.0


@pytest.mark.parametrize("r", [0.0, 1.0, -0.2, float("nan")])
def test_effects_that_are_none_are_refused(r):
    with pytest.raises(ValueError, match="between 0 and 1"):
        concepts_needed(r)


@pytest.mark.parametrize("n", [20, 100])
def test_a_correlation_of_that_size_is_seen_in_80_of_100_tests(n):
    """2,000 simulated tests: 0.80 ± 0.036 at four standard errors, and 0.02 for Fisher's z."""
    rng = np.random.default_rng(6)
    true = rng.standard_normal((2000, n))
    r = smallest_r(n)
    predicted = r * true + np.sqrt(1 - r * r) * rng.standard_normal((2000, n))
    p = stats.pearsonr(true, predicted, axis=1, alternative="greater").pvalue
    assert np.mean(p <= 0.05) == pytest.approx(0.80, abs=0.056)


def test_chance_is_taken_for_an_effect_in_5_of_100_tests():
    rng = np.random.default_rng(7)
    a, b = rng.standard_normal((2, 2000, 40))
    assert np.mean(np.corrcoef(a[0], b[0])[0, 1]) < 1
    p = stats.pearsonr(a, b, axis=1, alternative="greater").pvalue
    assert np.mean(p <= 0.05) == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize(("n", "chance"), [(157, 10 / 720), (1200, 10 / 720), (50, 0.5)])
def test_hits_needed_are_scipy_s(n, chance):
    k = hits_needed(n, chance)
    assert stats.binomtest(k, n, chance, alternative="greater").pvalue <= 0.05
    assert stats.binomtest(k - 1, n, chance, alternative="greater").pvalue > 0.05


def test_the_report_needed_six_hits_of_157():
    # it had 2, 3 and 1
    assert hits_needed(157, 10 / 720) == 6


@pytest.mark.parametrize(("n", "chance"), [(157, 10 / 720), (1200, 10 / 720)])
def test_a_share_of_that_size_is_seen_in_80_of_100_tests(n, chance):
    share = smallest_share(n, chance)
    hits = np.random.default_rng(8).binomial(n, share, size=4000)
    assert np.mean(hits >= hits_needed(n, chance)) == pytest.approx(0.80, abs=0.025)
    needed = hits_needed(n, chance)
    assert binom.sf(needed - 1, n, share) == pytest.approx(0.80, abs=1e-6)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.5, 1.0])
def test_trials_needed_are_enough_and_few_less_are_not(share):
    chance = 10 / 720
    n = trials_needed(share, chance)
    assert smallest_share(n, chance) <= share
    assert n == 1 or smallest_share(n - 1, chance) > share


def test_shares_that_are_no_effect_are_refused():
    with pytest.raises(ValueError, match="above chance"):
        trials_needed(0.01, 0.02)
    assert trials_needed(0.5001, 0.5) is None


def test_too_few_trials_show_nothing():
    assert hits_needed(1, 0.5) == 2
    assert smallest_share(1, 0.5) == 1.0
    assert hits_needed(0, 0.5) == 1
