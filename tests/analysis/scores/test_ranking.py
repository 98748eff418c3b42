import numpy as np
import pytest

from thingsviz.analysis.scores.ranking import (
    chance_of_profiles,
    mean_error,
    profile_correlation,
    rank_trials,
    standardised,
)


def plain_profile_correlation(true, predicted):
    out = []
    for t in range(len(true)):
        a = (true[t] - true.mean(0)) / true.std(0)
        b = (predicted[t] - predicted.mean(0)) / predicted.std(0)
        out.append(np.corrcoef(a, b)[0, 1])
    return np.array(out)


def test_profile_correlation_is_the_plain_one(rng):
    true, predicted = rng.normal(size=(30, 6)), rng.normal(size=(30, 6))
    assert np.allclose(
        profile_correlation(true, predicted), plain_profile_correlation(true, predicted)
    )


def test_scales_of_the_ratings_do_not_matter(rng):
    true, predicted = rng.normal(size=(30, 6)), rng.normal(size=(30, 6))
    scale = np.array([1, 1, 1, 6, 0.01, 520.0])
    once = profile_correlation(true, predicted)
    assert np.allclose(once, profile_correlation(true * scale + 7, predicted * scale + 7))


def test_a_constant_prediction_has_no_shape(rng):
    true = rng.normal(size=(20, 5)) + 4
    assert np.array_equal(profile_correlation(true, np.full((20, 5), 4.1)), np.zeros(20))


def test_standardising_a_constant_column_gives_zero():
    values = np.column_stack([np.arange(5.0), np.full(5, 3.3)])
    assert np.array_equal(standardised(values)[:, 1], np.zeros(5))


def test_error_counts_in_spreads():
    true = np.array([[1.0, 100.0], [3.0, 300.0]])
    assert np.allclose(mean_error(true, true + np.array([1, 100])), [1, 1])


def test_the_perfect_trial_is_first_and_its_mirror_last(rng):
    true = rng.normal(size=(40, 12))
    predicted = true + 0.5 * rng.normal(size=true.shape)
    predicted[7], predicted[9] = true[7], 2 * true.mean(0) - true[9] * 3
    ranking = rank_trials(true, predicted)
    assert ranking.order[0] == 7
    assert ranking.order[-1] == 9
    assert ranking.kind == "profile r"


@pytest.mark.parametrize("n_targets", [1, 2, 3])
def test_few_targets_are_ranked_by_error(rng, n_targets):
    true = rng.normal(size=(40, n_targets))
    predicted = true + 0.5 + 0.1 * rng.random(size=true.shape)
    predicted[7], predicted[9] = true[7], true[9] + 9
    ranking = rank_trials(true, predicted)
    assert (ranking.order[0], ranking.order[-1]) == (7, 9)
    assert np.all(np.diff(ranking.score[ranking.order]) <= 0)
    assert ranking.kind == "−error"


def test_profiles_of_shuffled_concepts_have_no_r(rng):
    concepts = np.repeat([f"c{i}" for i in range(20)], 4)
    ratings = rng.standard_normal((20, 8))
    true = np.repeat(ratings, 4, axis=0)
    mean, chance, low, high = chance_of_profiles(true, true, concepts)
    assert mean == pytest.approx(1)
    assert low < chance < high < 0.5
    assert abs(chance) < 0.1


def test_two_concepts_have_no_chance(rng):
    true = rng.standard_normal((4, 5))
    found = chance_of_profiles(true, true, np.array(["a", "a", "b", "b"]))
    assert found[0] == pytest.approx(1)
    assert np.isnan(found[1:]).all()
