import numpy as np
import pytest

from models.base.arrays import ArrayTrials
from models.base.voxel_scores import SMALLEST_SCORE, best, encoding_score


def plain_score(x, Y):
    """R² of a least-squares fit of the ratings to a voxel, minus what chance explains."""
    A = np.c_[Y - Y.mean(0)]
    x = x - x.mean()
    residual = x - A @ np.linalg.lstsq(A, x, rcond=None)[0]
    return 1 - (residual**2).sum() / (x**2).sum() - A.shape[1] / len(A)


@pytest.mark.parametrize("width", [7, 4096])
def test_is_the_r2_of_least_squares(planted, width):
    rows = planted.train
    score = encoding_score(planted.X, rows, planted.Y[rows], width)
    plain = [plain_score(planted.X.array[rows, v], planted.Y[rows]) for v in range(30)]
    np.testing.assert_allclose(score[:30], np.maximum(plain, SMALLEST_SCORE), atol=1e-4)


def test_finds_the_voxels_with_signal(planted):
    rows = planted.train
    score = encoding_score(planted.X, rows, planted.Y[rows])
    assert score[planted.signal].mean() > 10 * score[~planted.signal].mean()


def test_noise_explains_nothing_on_average(noise):
    score = encoding_score(noise.X, noise.train, noise.Y[noise.train])
    assert np.median(score) < 0.01


def test_constant_ratings_and_voxels_do_not_break_it(planted):
    rows = planted.train
    Y = np.c_[planted.Y[rows], np.full(len(rows), 4, "f4")]
    X = planted.X.array.copy()
    X[:, 5] = 2.5
    score = encoding_score(ArrayTrials(X), rows, Y)
    assert np.isfinite(score).all()
    assert score[5] == pytest.approx(SMALLEST_SCORE)


def test_only_the_given_rows_are_looked_at(planted):
    rows, X = planted.train, planted.X.array.copy()
    X[planted.test] = np.nan
    assert np.isfinite(encoding_score(ArrayTrials(X), rows, planted.Y[rows])).all()


def test_best_keeps_order_and_takes_all_when_asked_for_more():
    score = np.array([0.1, 0.9, 0.5, 0.9], "f4")
    assert best(score, 2).tolist() == [1, 3]
    assert best(score, 3).tolist() == [1, 2, 3]
    assert best(score, None).tolist() == best(score, 9).tolist() == [0, 1, 2, 3]
