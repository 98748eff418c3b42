"""Rating scales: round trips and the original study's (r − 1)/6."""

import json

import numpy as np
import pytest

from thingsviz.analysis.scores.rating_scales import (
    RatingScale,
    training_scale,
    unit_scale,
)
from thingsviz.core.errors import ConfigError, DataError

TARGETS = ("nameability", "lives", "size")


@pytest.fixture
def ratings(rng):
    per_concept = np.column_stack(
        [rng.uniform(0, 1, 30), rng.uniform(1, 7, 30), rng.uniform(0, 520, 30)]
    )
    index = rng.integers(0, 30, 200)
    return per_concept[index], index


@pytest.mark.parametrize("how", ["unit", "raw", "z"])
def test_there_and_back(ratings, how):
    values, concepts = ratings
    scale = training_scale(how, TARGETS, values, concepts)
    np.testing.assert_allclose(scale.to_ratings(scale.to_training(values)), values, atol=1e-9)
    again = json.loads(json.dumps(scale.as_json()))
    np.testing.assert_array_equal(again["offset"], scale.offset)
    np.testing.assert_array_equal(again["factor"], scale.factor)


def test_unit_is_the_reports():
    scale = unit_scale(TARGETS)
    np.testing.assert_allclose(scale.to_training([[0, 1, 0], [1, 7, 520]]), [[0, 0, 0], [1, 1, 1]])
    assert scale.to_training([[0.5, 2.5, 130]]).tolist() == [[0.5, 0.25, 0.25]]


def test_raw_changes_nothing(ratings):
    values, concepts = ratings
    np.testing.assert_array_equal(
        training_scale("raw", TARGETS, values, concepts).to_training(values), values
    )


def test_z_counts_each_concept_once(ratings):
    values, concepts = ratings
    scale = training_scale("z", TARGETS, values, concepts)
    once = np.stack([values[concepts == c][0] for c in np.unique(concepts)])
    np.testing.assert_allclose(scale.offset, once.mean(0))
    np.testing.assert_allclose(scale.factor, once.std(0))
    doubled = training_scale(
        "z", TARGETS, np.vstack([values, values[:50]]), np.append(concepts, concepts[:50])
    )
    np.testing.assert_allclose(doubled.factor, scale.factor)


def test_z_refuses_a_rating_that_never_varies(ratings):
    values, concepts = ratings
    values[:, 1] = 4
    with pytest.raises(DataError, match="lives is the same for all training concepts"):
        training_scale("z", TARGETS, values, concepts)


def test_unknown_property_is_refused():
    with pytest.raises(ConfigError, match="no property 'livs'"):
        unit_scale(["livs"])


def test_scale_is_plain_data():
    scale = RatingScale(np.array([1.0]), np.array([6.0]))
    assert scale.as_json() == {"offset": [1.0], "factor": [6.0]}
