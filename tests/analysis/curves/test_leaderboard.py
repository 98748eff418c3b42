import numpy as np
import pytest

from thingsviz.analysis.curves.leaderboard import ALPHAS, fit_kernel, region_rows, with_q
from thingsviz.analysis.scores.concept_sums import part

TARGETS = ("heavy", "lives", "grasp")


def data_of(rng, n=40, n_voxels=60, signal=1.0):
    """Concept means that carry three ratings linearly, and noise."""
    ratings = rng.standard_normal((n, 3))
    weights = rng.standard_normal((3, n_voxels))
    return signal * ratings @ weights + rng.standard_normal((n, n_voxels)) + 5.0, ratings + 3.0


def plain_ridge(X, Y, alpha):
    """Ridge by the textbook: centred, primal, one penalty."""
    middle, offset = X.mean(0), Y.mean(0)
    A = (X - middle).T @ (X - middle)
    unit = np.trace((X - middle) @ (X - middle).T) / len(X)
    W = np.linalg.solve(A + alpha * unit * np.eye(len(A)), (X - middle).T @ (Y - offset))
    return lambda Z: (Z - middle) @ W + offset


def test_the_kernel_ridge_is_the_plain_one(rng):
    X, Y = data_of(rng)
    new = data_of(rng, n=7)[0]
    fitted = fit_kernel(X @ X.T, Y)
    for j, alpha in enumerate(fitted.alphas):
        expected = plain_ridge(X, Y[:, [j]], alpha)(new)[:, 0]
        np.testing.assert_allclose(fitted.predict(new @ X.T)[:, j], expected, rtol=1e-6)


def test_the_penalty_is_that_of_leaving_each_concept_out(rng):
    X, Y = data_of(rng, n=14, n_voxels=20, signal=0.3)
    errors = np.zeros((len(ALPHAS), 3))
    centred = X - X.mean(0)
    unit = np.trace(centred @ centred.T) / len(X)
    for i, alpha in enumerate(ALPHAS):
        for out in range(len(X)):
            rest = np.arange(len(X)) != out
            own = X[rest] - X[rest].mean(0)
            # the same absolute penalty, whatever is left out
            scaled = alpha * unit / (np.trace(own @ own.T) / rest.sum())
            guess = plain_ridge(X[rest], Y[rest], scaled)(X[[out]])
            errors[i] += ((guess - Y[[out]]) ** 2)[0] / len(X)
    np.testing.assert_array_equal(fit_kernel(X @ X.T, Y).alphas, ALPHAS[errors.argmin(0)])


def scored(rng, signal, n_targets=3, n_shuffles=1000):
    X, Y = data_of(rng, n=60, signal=signal)
    fitted = fit_kernel(X[:40] @ X[:40].T, Y[:40])
    predicted = fitted.predict(X[40:] @ X[:40].T)
    data = part(Y[40:], predicted, np.ones_like(predicted), np.arange(20).astype(str))
    return region_rows(data, TARGETS, np.full((20, 3), 30.0), n_shuffles)


def test_rows_hold_all_that_belongs_to_a_score(rng):
    row = scored(rng, 1.0)[0]
    assert row["property"] == "heavy"
    assert row["low"] < row["r"] <= row["high"]
    assert row["r"] > 0.8
    assert row["p"] == pytest.approx(1 / 1001)
    assert abs(row["chance"]) < 0.05 < row["chance_high"] < 0.6
    assert 0.9 < row["ceiling"] < 1
    assert (row["n_trials"], row["n_concepts"]) == (20, 20)


def test_a_constant_prediction_tells_nothing(rng):
    true = rng.standard_normal((10, 3))
    rows = region_rows(
        part(true, np.ones_like(true), None, np.arange(10)), TARGETS, np.ones((10, 3)), 100
    )
    assert [(row["r"], row["p"], row["low"]) for row in rows] == [(0.0, 1.0, None)] * 3


def test_q_is_benjamini_and_hochberg_s():
    p = [0.001, 0.04, 0.02, 0.9]
    q = [row["q"] for row in with_q([{"p": value} for value in p])]
    assert q == pytest.approx([0.004, 0.16 / 3, 0.04, 0.9])
    assert with_q([]) == []


def test_nothing_survives_where_nothing_is():
    """20 boards of 8 regions × 3 properties without signal, families at 5 %.

    With a right rate 5 or more boards with a survivor come up once in 390 times.
    """
    rng = np.random.default_rng(11)
    boards = 0
    for _ in range(20):
        rows = [row for _ in range(8) for row in scored(rng, 0.0, n_shuffles=500)]
        boards += any(row["q"] <= 0.05 for row in with_q(rows))
    assert boards <= 4
