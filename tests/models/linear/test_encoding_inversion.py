import numpy as np
import pytest

from models.base.errors import ModelError
from models.catalog.registry import build_linear, load_linear
from models.linear.config import EncodingInversionConfig
from models.linear.encoding_inversion import EncodingInversion, low_rank_filters, posterior
from tests.models.conftest import correlation, plant

SPACES = ["voxels", "residual_axes"]


def fitted(planted, **settings):
    rows, config = planted.train, EncodingInversionConfig(**{"n_axes": 20, **settings})
    return build_linear(config).fit(planted.X, rows, planted.Y[rows], planted.concepts[rows])


def test_the_filters_are_the_dense_inverse(rng):
    B = rng.standard_normal((2, 30)).astype("f4")
    L = np.linalg.qr(rng.standard_normal((30, 4)))[0].T.astype("f4")
    variance, n = np.array([9.0, 7, 5, 4]), 500
    total = 2 + (variance @ L**2)
    rest = (total.sum() - variance.sum()) / 30
    spread = variance - rest
    N = (L.T * spread) @ L + np.diag(np.maximum(total - spread @ L**2, 0.1 * total))
    ours = low_rank_filters(B, L, variance, total, n)
    np.testing.assert_allclose(ours, B @ np.linalg.inv(N), rtol=1e-4, atol=1e-6)


def test_the_posterior_is_the_textbooks(rng):
    prior = np.cov(rng.standard_normal((3, 50)))
    J = np.cov(rng.standard_normal((3, 50)))
    plain = np.linalg.inv(np.linalg.inv(prior) + J)
    np.testing.assert_allclose(posterior(prior, J), plain, rtol=1e-9)


def test_a_prior_without_rank_is_no_trouble(rng):
    one = np.ones((2, 2))  # two ratings that are the same
    found = posterior(one, np.eye(2))
    np.testing.assert_allclose(found, np.full((2, 2), 1 / 3))


@pytest.mark.parametrize("space", SPACES)
def test_recovers_a_planted_signal(planted, space):
    model = fitted(planted, space=space, n_axes=100)  # this brain's noise has no few axes
    guess = model.predict(planted.X, planted.test)
    assert correlation(guess, planted.Y[planted.test]) > 0.55
    assert abs(guess.mean() - planted.Y[planted.train].mean()) < 0.7


@pytest.mark.parametrize("space", SPACES)
def test_finds_nothing_in_noise(space):
    """8 test concepts: r of one draw has SD 0.2, so a mean over 3 × 3 beyond 0.3 is p < 1e-3."""
    found = []
    for seed in range(3):
        p = plant(0.0, seed)
        found.append(correlation(fitted(p, space=space).predict(p.X, p.test), p.Y[p.test]))
    assert abs(np.mean(found)) < 0.3


def test_a_fitted_decoder_survives_its_arrays(planted):
    model = fitted(planted)
    again = load_linear(model.config, model.arrays())
    np.testing.assert_array_equal(
        again.predict(planted.X, planted.test), model.predict(planted.X, planted.test)
    )


def test_a_target_without_variance_is_refused(planted):
    rows, Y = planted.train, planted.Y[planted.train].copy()
    Y[:, 2] = 1
    with pytest.raises(ModelError, match="target 3 of 3 has the same rating"):
        EncodingInversion(EncodingInversionConfig()).fit(
            planted.X, rows, Y, planted.concepts[rows]
        )


def test_more_axes_than_trials_are_refused(planted):
    with pytest.raises(ModelError, match="n_axes 300 is more than 192 training trials allow"):
        fitted(planted, n_axes=300)
