import numpy as np
import pytest
import torch

from models.config import FitConfig
from models.losses import loss_of, mean_correlation


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
