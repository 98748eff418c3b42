"""Error rates of the intervals and p values, by simulation with known truth.

Bounds are binomial: a test that is right fails less than once in 10,000 seeds; the seed is fixed.
"""

import numpy as np
import pytest
from scipy import stats

from thingsviz.analysis.scores import metrics
from thingsviz.analysis.scores.concept_sums import concept_sums, part, scores
from thingsviz.analysis.scores.resampling import (
    bootstrap,
    cluster_interval,
    confidence_interval,
    false_discovery,
    interval,
    jackknife,
    p_value,
    permutation,
    permuted_r,
)


def simulate(rng, n_concepts=40, n_repeats=6, gain=0.0, concept_noise=0.5):
    """Predictions whose errors are shared by the trials of a concept, as a decoder's are."""
    concepts = np.repeat(np.arange(n_concepts), n_repeats)
    true = rng.normal(4, 1, (n_concepts, 2))[concepts]
    shared = rng.normal(0, concept_noise, (n_concepts, 2))[concepts]
    own = rng.normal(0, 1, true.shape)
    return part(true, 4 + gain * (true - 4) + shared + own, np.full_like(true, 1.2), concepts)


def test_permuted_scores_are_those_of_a_relabelled_part(rng):
    data = simulate(rng, n_concepts=7, n_repeats=3, gain=0.5)
    null = permutation(data, n_draws=4, seed=5)
    order = np.random.default_rng([5, 2]).permuted(np.tile(np.arange(7), (4, 1)), axis=1)
    names, index = np.unique(data.concepts, return_inverse=True)
    per_concept = np.stack([data.true[data.concepts == name][0] for name in names])
    for draw, row in enumerate(order):
        true = per_concept[row][index]
        np.testing.assert_allclose(null["r"][draw], metrics.pearson(true, data.predicted))
        np.testing.assert_allclose(null["mse"][draw], metrics.mse(true, data.predicted))
        np.testing.assert_allclose(null["mae"][draw], metrics.mae(true, data.predicted))
        expected = metrics.confidence(data.predicted, true, data.sd)
        np.testing.assert_allclose(null["confidence"][draw], expected)


def test_bootstrap_draws_whole_concepts(rng):
    """Repeating every trial changes nothing for a bootstrap over concepts."""
    data = simulate(rng, gain=0.5)
    twice = part(*(np.concatenate([column, column]) for column in data))
    one, two = (bootstrap(concept_sums(d), 50)["r"] for d in (data, twice))
    np.testing.assert_allclose(one, two, atol=1e-10)


def test_jackknife_leaves_one_concept_out(rng):
    data = simulate(rng, n_concepts=6, gain=0.5)
    found = jackknife(concept_sums(data))["r"]
    for k, name in enumerate(np.unique(data.concepts)):
        keep = data.concepts != name
        np.testing.assert_allclose(
            found[k], metrics.pearson(data.true[keep], data.predicted[keep])
        )


@pytest.mark.parametrize("metric", ["r", "mse", "mae", "confidence"])
def test_p_is_uniform_where_there_is_nothing(rng, metric):
    ps = []
    for seed in range(300):
        data = simulate(rng, n_concepts=20, n_repeats=4)
        value = scores(concept_sums(data))[metric][0]
        ps.append(p_value(metric, value, permutation(data, 99, seed)[metric][:, 0]))
    assert stats.kstest(ps, "uniform").pvalue > 1e-3
    # P(p ≤ 0.05) = 0.05 exactly with 99 draws: 300 tests give 2 … 31 in 9,999 of 10,000
    assert 2 <= np.sum(np.array(ps) <= 0.05) <= 31


def test_shuffling_trials_would_lie(rng):
    """With each trial as its own concept: far more than 5 % false alarms."""
    alarms = 0
    for seed in range(100):
        data = simulate(rng, n_concepts=20, n_repeats=12, concept_noise=2.0)
        naive = data._replace(concepts=np.arange(data.n_trials).astype(str))
        value = scores(concept_sums(naive))["r"][0]
        alarms += p_value("r", value, permutation(naive, 99, seed)["r"][:, 0]) <= 0.05
    assert alarms > 20


def test_planted_correlation_is_found(rng):
    data = simulate(rng, gain=0.8)
    found, null = scores(concept_sums(data)), permutation(data, 499)
    for metric in ("r", "mse"):
        assert p_value(metric, found[metric][0], null[metric][:, 0]) == 1 / 500


def test_intervals_hold_the_truth(rng):
    """95 % intervals of r with 60 concepts: at least 180 of 200 hold."""
    gain, shared = 0.8, 0.5
    # corr(t, g t + e) = g / √(g² + shared² + 1)
    truth = gain / np.sqrt(gain**2 + shared**2 + 1)
    held = 0
    for seed in range(200):
        sums = concept_sums(simulate(rng, n_concepts=60, gain=gain, concept_noise=shared))
        value = scores(sums)["r"][0]
        draws, left = bootstrap(sums, 400, seed)["r"][:, 0], jackknife(sums)["r"][:, 0]
        low, high = confidence_interval(value, draws, left)
        assert low < high
        held += low <= truth <= high
    assert 180 <= held <= 199


def test_bca_is_scipys(rng):
    data = rng.exponential(size=60)
    part_of_mean = part(data[:, None], np.zeros((60, 1)), None, np.arange(60))
    sums = concept_sums(part_of_mean)
    draws, left = bootstrap(sums, 9999)["mae"][:, 0], jackknife(sums)["mae"][:, 0]
    ours = confidence_interval(data.mean(), draws, left)
    theirs = stats.bootstrap(
        (data,), np.mean, n_resamples=9999, method="BCa", rng=np.random.default_rng(0)
    ).confidence_interval
    np.testing.assert_allclose(ours, theirs, rtol=0.02)


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
def test_intervals_of_any_size(rng, size):
    draws, left = rng.normal(size=(2, 200)) * size
    low, high = confidence_interval(0.0, draws, left)
    plain = confidence_interval(0.0, draws / size, left / size)
    np.testing.assert_allclose([low / size, high / size], plain, rtol=1e-9)


def test_identical_draws_are_a_point():
    same = np.full(50, 0.3)
    assert confidence_interval(0.3, same, same) == (0.3, 0.3)


def test_p_never_is_zero_and_counts_its_direction():
    null = np.linspace(-0.3, 0.3, 99)
    assert p_value("r", 0.9, null) == 0.01
    assert p_value("r", -0.9, null) == 1
    assert p_value("mse", -0.9, null) == 0.01
    assert p_value("mse_unit", 0.9, null) == 1
    assert p_value("mae_unit", -0.9, null) == 0.01
    assert np.isnan(p_value("r", float("nan"), null))
    assert np.isnan(p_value("r", 0.5, np.full(9, np.nan)))


def test_a_constant_predictor_is_never_significant(rng):
    data = simulate(rng)
    flat = data._replace(predicted=np.full_like(data.predicted, 4.0))
    null = permutation(flat, 99)
    assert np.isnan(null["r"]).all()
    assert p_value("mse", scores(concept_sums(flat))["mse"][0], null["mse"][:, 0]) == 1


def test_two_concepts_say_nothing(rng):
    data = simulate(rng, n_concepts=2)
    assert bootstrap(concept_sums(data), 100)["r"].shape == (0, 2)
    null = permutation(data, 100)
    assert {column.shape for column in null.values()} == {(0, 2)}
    assert np.isnan(interval(null["r"][:, 0])).all()
    assert np.isnan(p_value("r", 0.9, null["r"][:, 0]))


def test_same_seed_same_draws(rng):
    data = simulate(rng)
    for draw in (permutation, lambda d, n, s: bootstrap(concept_sums(d), n, s)):
        np.testing.assert_array_equal(draw(data, 20, 1)["r"], draw(data, 20, 1)["r"])
        assert not np.array_equal(draw(data, 20, 1)["r"], draw(data, 20, 2)["r"])


def test_permuted_r_alone_is_that_of_the_whole(rng):
    data = simulate(rng, n_concepts=9, gain=0.4)
    np.testing.assert_array_equal(permuted_r(data, 700, 3), permutation(data, 700, 3)["r"])
    few = simulate(rng, n_concepts=2)
    assert permuted_r(few, 10).shape == (0, 2)


def test_the_cluster_interval_is_the_t_interval_where_concepts_have_one_trial():
    values = np.random.default_rng(3).choice([-1.0, 0.0, 1.0], 40)
    found = cluster_interval(values, np.array([f"c{i}" for i in range(40)]), (-1, 1))
    plain = stats.t.interval(0.95, 39, values.mean(), stats.sem(values))
    assert found == pytest.approx(plain)


def test_the_cluster_interval_of_repeated_trials_is_that_of_their_concepts():
    """Trials that repeat their concept's value add nothing to what C concepts say."""
    once = np.random.default_rng(4).normal(size=30)
    names = np.arange(30).astype(str)
    found = cluster_interval(np.repeat(once, 5), np.repeat(names, 5), (-9, 9))
    assert found == pytest.approx(cluster_interval(once, names, (-9, 9)))
    assert np.isnan(cluster_interval(once[:2], names[:2], (-9, 9))).all()
    assert cluster_interval(once, names, (0.1, 0.1)) == (0.1, 0.1)


@pytest.mark.parametrize("n", [0, 1, 2, 40])
def test_q_values_are_those_of_scipy(rng, n):
    p = rng.random(n)
    expected = stats.false_discovery_control(p) if n else p
    np.testing.assert_allclose(false_discovery(p), expected, rtol=1e-12)


def test_a_missing_p_takes_only_itself_out():
    q = false_discovery([0.01, np.nan, 0.04])
    np.testing.assert_allclose(q, [0.02, np.nan, 0.04])
    assert np.isnan(false_discovery([np.nan])).all()
