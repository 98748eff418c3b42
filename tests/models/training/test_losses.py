import numpy as np
import pytest
import torch

from models.base.errors import ModelError
from models.training.config import FitConfig, parse_fit
from models.training.losses import loss_of, mean_correlation, rating_weights


def test_mse_is_the_mean_square():
    guess, truth = torch.randn(5, 3), torch.randn(5, 3)
    plain = ((guess - truth) ** 2).sum() / 15
    torch.testing.assert_close(loss_of(FitConfig(), guess, truth), plain)


@pytest.mark.parametrize("delta", [0.3, 1.0, 2.5])
def test_huber_turns_from_square_to_line_at_delta(delta):
    config = FitConfig(loss="huber", huber_delta=delta)
    error = torch.tensor([[0.5 * delta, 3 * delta]])
    plain = (0.125 * delta**2 + delta * (3 * delta - delta / 2)) / 2
    assert loss_of(config, error, torch.zeros(1, 2)).item() == pytest.approx(plain)


def test_mean_correlation_is_numpys():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 40, 3)).astype("f4")
    plain = np.mean([np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(3)])
    ours = mean_correlation(torch.from_numpy(a), torch.from_numpy(b))
    assert ours == pytest.approx(plain, abs=1e-6)


def test_a_constant_guess_correlates_with_nothing():
    assert mean_correlation(torch.ones(9, 2), torch.randn(9, 2)) == 0


@pytest.mark.parametrize("loss", ["mse", "huber"])
def test_weights_multiply_each_error(loss):
    config = FitConfig(loss=loss)
    guess, truth, weight = torch.randn(5, 3), torch.randn(5, 3), torch.rand(5, 3)
    each = [
        loss_of(config, guess[i : i + 1, k : k + 1], truth[i : i + 1, k : k + 1])
        for i in range(5)
        for k in range(3)
    ]
    plain = (torch.stack(each).view(5, 3) * weight).mean()
    torch.testing.assert_close(loss_of(config, guess, truth, weight), plain)
    torch.testing.assert_close(
        loss_of(config, guess, truth, torch.ones(5, 3)), loss_of(config, guess, truth)
    )


def test_ratings_whose_raters_disagree_count_less():
    rng = np.random.default_rng(0)
    Y, sd = rng.standard_normal((50, 2)) * [1, 10], np.full((50, 2), 1.0)
    sd[3], sd[4] = 9, np.nan
    rows = np.arange(40)
    weight = rating_weights(Y, sd, rows)
    spread = Y[rows].std(0)
    formula = 1 / (1 + (sd / spread) ** 2)
    np.testing.assert_allclose(weight[5] / weight[3], formula[5] / formula[3], rtol=1e-5)
    assert weight[rows].mean() == pytest.approx(1)
    assert (weight[3] < weight[5]).all()
    assert weight[5, 0] < weight[5, 1]  # the same SD of raters means less where concepts differ
    assert weight[4] == pytest.approx(np.delete(weight[rows], 4, 0).mean(0), rel=1e-5)
    np.testing.assert_array_equal(rating_weights(Y, sd * np.nan, rows), 1)


def test_weights_are_for_ratings():
    with pytest.raises(ModelError, match=r"target_weights 'rating_sd' is for ratings"):
        parse_fit({"loss": "cross_entropy", "target_weights": "rating_sd"})
