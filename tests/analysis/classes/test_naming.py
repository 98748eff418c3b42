"""Concepts named by their ratings: against a plain loop, and at chance where nothing is known."""

import numpy as np
import pytest

from models.classify.identification import similarity
from thingsviz.analysis.classes.hit_table import HitPlace
from thingsviz.analysis.classes.naming import candidates, name_concepts, naming_rows

PLACE = HitPlace("vit3d", "test", "single")
N, K, REPEATS = 40, 6, 3


@pytest.fixture
def world():
    """Forty concepts with six ratings, each shown three times; the first thirty are trained."""
    ratings = np.random.default_rng(0).uniform(1, 7, (N, K))
    concepts = np.repeat([f"thing{i:02d}" for i in range(N)], REPEATS)
    return concepts, np.repeat(ratings, REPEATS, 0), np.arange(30 * REPEATS)


def rows_by(rows):
    return {(row["model"], row["metric"]): row for row in rows}


def test_ranks_are_those_of_a_plain_loop(world):
    concepts, ratings, train = world
    found = candidates(concepts, ratings, train)
    assert found.names.tolist() == sorted(set(concepts))
    assert found.trained.tolist() == [REPEATS] * 30 + [0] * 10
    predicted = ratings[-9:] + np.random.default_rng(1).normal(0, 1, (9, K))
    data = name_concepts(found, predicted, concepts[-9:])
    own = ratings[::REPEATS]
    mean, sd = own[:30].mean(0), own[:30].std(0)
    for i, row in enumerate(predicted):
        r = [np.corrcoef((row - mean) / sd, (p - mean) / sd)[0, 1] for p in own]
        true = list(found.names).index(concepts[-9:][i])
        assert data.own[i] == 1 + sum(other > r[true] for other in r)


def test_perfect_ratings_name_everything(world):
    concepts, ratings, train = world
    found = candidates(concepts, ratings, train)
    data = name_concepts(found, ratings[-30:], concepts[-30:])
    rows = rows_by(naming_rows(PLACE, found, data, own=True, n_draws=200))
    assert {metric for _, metric in rows} == {"top1", "top5", "top10"}
    assert {model for model, _ in rows} == {"vit3d", "chance", "prior"}
    best = rows["vit3d", "top1"]
    assert (best["value"], best["hits"], best["n_trials"]) == (1, 30, 30)
    assert best["p"] < 0.05
    assert rows["chance", "top10"]["value"] == 10 / N
    assert rows["prior", "top10"]["value"] == 0  # the ten tested were never trained


def test_noise_stays_at_chance(world):
    concepts, ratings, train = world
    found = candidates(concepts, ratings, train)
    rng, inside = np.random.default_rng(2), 0
    for _ in range(20):
        data = name_concepts(found, rng.uniform(1, 7, ratings.shape), concepts)
        own = naming_rows(PLACE, found, data, own=False, n_draws=0)
        row = rows_by(own)["vit3d", "top10"]
        inside += row["low"] <= 10 / N <= row["high"]
    assert inside >= 16  # of 20 intervals of 95 %: 15 or fewer has a chance of 0.0003


def test_a_constant_guess_is_no_skill(world):
    concepts, ratings, train = world
    found = candidates(concepts, ratings, train)
    data = name_concepts(found, np.tile(found.scale[0], (len(concepts), 1)), concepts)
    rows = rows_by(naming_rows(PLACE, found, data, own=False, n_draws=50))
    assert rows["vit3d", "top10"]["value"] == pytest.approx(10 / N)


def test_unrated_concepts_are_no_candidates(world):
    concepts, ratings, train = world
    ratings = ratings.copy()
    ratings[:REPEATS, 2] = np.nan
    found = candidates(concepts, ratings, train)
    assert "thing00" not in found.names
    data = name_concepts(found, ratings[: 2 * REPEATS], concepts[: 2 * REPEATS])
    assert set(data.concepts) == {"thing01"}
    assert name_concepts(found, ratings[:1], concepts[:1]) is None


def test_too_little_to_tell_concepts_apart(world):
    concepts, ratings, train = world
    assert candidates(concepts, ratings[:, :1], train) is None
    assert candidates(np.full(len(concepts), "one"), ratings, train) is None


def test_the_score_is_that_of_the_model_identification(world):
    concepts, ratings, train = world
    found = candidates(concepts, ratings, train)
    predicted = np.random.default_rng(3).uniform(1, 7, (5, K)).astype("f4")
    scores = similarity(predicted, found.ratings.astype("f4"), *found.scale)
    data = name_concepts(found, predicted.astype(float), concepts[:5])
    assert (scores.argmax(1) == data.ranks.argmin(1)).all()
