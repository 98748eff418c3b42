"""Sums per concept give the same scores as passes over the trials."""

import numpy as np
import pytest

from thingsviz.analysis.scores import metrics
from thingsviz.analysis.scores.concept_sums import concept_sums, part, scores, weighted_scores


@pytest.fixture
def data(rng):
    concepts = np.repeat([f"c{k}" for k in range(25)], rng.integers(1, 9, 25))
    rng.shuffle(concepts)
    names, index = np.unique(concepts, return_inverse=True)
    true = rng.uniform(1, 7, (len(names), 3))[index]
    predicted = 4 + 0.3 * (true - 4) + rng.normal(0, 0.7, true.shape)
    sd = rng.uniform(0.5, 1.5, (len(names), 3))[index]
    return part(true, predicted, sd, concepts)


def plain(data):
    return {
        "r": metrics.pearson(data.true, data.predicted),
        "mse": metrics.mse(data.true, data.predicted),
        "mae": metrics.mae(data.true, data.predicted),
        "confidence": metrics.confidence(data.predicted, data.true, data.sd),
    }


def test_scores_from_sums_are_the_plain_scores(data):
    found = scores(concept_sums(data))
    for name, value in plain(data).items():
        np.testing.assert_allclose(found[name], value, atol=1e-12, err_msg=name)


def test_a_weight_is_a_repetition(data, rng):
    weights = rng.integers(0, 4, (5, data.n_concepts)).astype(float)
    found = weighted_scores(concept_sums(data), weights)
    _, index = np.unique(data.concepts, return_inverse=True)
    for draw, counts in enumerate(weights):
        rows = np.repeat(np.arange(data.n_trials), counts[index].astype(int))
        drawn = part(data.true[rows], data.predicted[rows], data.sd[rows], data.concepts[rows])
        for name, value in plain(drawn).items():
            np.testing.assert_allclose(found[name][draw], value, atol=1e-9, err_msg=name)


def test_large_offsets_do_not_cost_digits(data):
    shifted = part(data.true + 1e5, data.predicted + 1e5, data.sd, data.concepts)
    np.testing.assert_allclose(
        scores(concept_sums(shifted))["r"], scores(concept_sums(data))["r"], atol=1e-7
    )


def test_a_constant_column_has_no_r_but_errors(data):
    flat = part(data.true, np.full_like(data.true, np.float32(0.1)), None, data.concepts)
    found = scores(concept_sums(flat))
    assert np.isnan(found["r"]).all()
    assert np.isfinite(found["mse"]).all()
    assert np.isnan(found["confidence"]).all()


def test_counts(data):
    assert data.n_trials == len(data.concepts)
    assert data.n_concepts == 25
