"""Ceilings against simulated raters and simulated voxels whose truth is known."""

import numpy as np
import pandas as pd
import pytest

from thingsviz.analysis.scores.ceilings import (
    ceiling_draws,
    rating_ceiling,
    repeat_ceiling,
    repeats_of_images,
)
from thingsviz.analysis.scores.metrics import confidence, mae, mse, pearson


@pytest.fixture
def raters(rng):
    """40 raters judge 3,000 concepts: published mean and SD, and the truth behind them."""
    truth = rng.normal(4, 1.0, 3000)
    answers = truth[:, None] + rng.normal(0, 1.4, (3000, 40))
    return truth[:, None], answers.mean(1)[:, None], answers.std(1, ddof=1)[:, None]


def test_ceiling_is_what_the_truth_itself_scores(raters):
    truth, mean, sd = raters
    ceiling = rating_ceiling(mean, sd, np.full(3000, 40))
    # 3,000 concepts: the standard error of r is about 0.0009, of the others below 2 %
    assert ceiling["r"][0] == pytest.approx(pearson(mean, truth)[0], abs=0.004)
    assert ceiling["mse"][0] == pytest.approx(mse(mean, truth)[0], rel=0.08)
    assert ceiling["mae"][0] == pytest.approx(mae(mean, truth)[0], rel=0.05)
    assert ceiling["confidence"][0] == pytest.approx(confidence(truth, mean, sd)[0], abs=0.01)


def test_more_raters_raise_the_ceiling(raters):
    _, mean, sd = raters
    few, many = (rating_ceiling(mean, sd, np.full(3000, n)) for n in (5, 500))
    assert few["r"][0] < many["r"][0] < 1
    assert few["mse"][0] > many["mse"][0] > 0


def test_weights_are_trials(raters):
    _, mean, sd = raters
    n = np.full(3000, 40)
    weight = np.where(np.arange(3000) < 1500, 1.0, 0.0)
    half = rating_ceiling(mean[:1500], sd[:1500], n[:1500])
    for name, value in rating_ceiling(mean, sd, n, weight).items():
        np.testing.assert_allclose(value, half[name], atol=1e-9)


@pytest.mark.parametrize("lacking", ["sd", "n"])
def test_nothing_is_claimed_without_sd_or_raters(raters, lacking):
    _, mean, sd = raters
    n = np.full(3000, 40.0)
    if lacking == "sd":
        sd = np.full_like(sd, np.nan)
    else:
        n[:] = np.nan
    assert all(np.isnan(value).all() for value in rating_ceiling(mean, sd, n).values())


def test_noise_beyond_the_spread_leaves_nothing():
    mean, sd = np.array([[4.0], [4.1], [3.9]]), np.full((3, 1), 5.0)
    assert rating_ceiling(mean, sd, np.full(3, 4))["r"][0] == 0


def test_draws_scatter_around_the_ceiling(raters):
    _, mean, sd = (column[:100] for column in raters)
    drawn = ceiling_draws(mean, sd, np.full((100, 1), 40.0), np.ones(100))
    assert drawn["r"].shape == (200, 1)
    value = rating_ceiling(mean, sd, np.full(100, 40))["r"][0]
    assert drawn["r"].min() < value < drawn["r"].max()
    assert ceiling_draws(mean[:2], sd[:2], np.ones((2, 1)), np.ones(2))["r"].shape == (0, 1)


def table_of(n_images, repeats):
    """Test trials of `n_images`, one a session; the last image lacks its last repeat; trains."""
    rows = [(s, f"i{i}.jpg", "test") for s in range(repeats) for i in range(n_images)]
    rows = [row for row in rows if row[:2] != (repeats - 1, f"i{n_images - 1}.jpg")]
    rows += [(s, f"t{s}.jpg", "train") for s in range(repeats)]
    return pd.DataFrame(rows, columns=["session", "image_filename", "trial_type"])


def test_repeats_are_cut_to_the_fewest():
    table = table_of(4, 3)
    rows = repeats_of_images(table)
    assert rows.shape == (4, 2)
    images = table["image_filename"].to_numpy()[rows]
    assert (images == images[:, :1]).all()
    none = repeats_of_images(table[table["trial_type"] == "train"])
    assert none.shape == (0, 0)


def published_ceiling(betas, n_averaged):
    """signal² / (signal² + noise² / n) of betas (n_images, n_repeats, n_voxels), as published.

    noise² is the mean over images of the variance between repeats, signal² the variance of all
    responses less that (Allen et al. 2022).
    """
    noise = betas.var(axis=1, ddof=1).mean(0)
    total = betas.reshape(-1, betas.shape[-1]).var(axis=0, ddof=1)
    signal = np.clip(total - noise, 0, None)
    return np.nan_to_num(signal / (signal + noise / n_averaged))


def test_image_by_image_it_is_the_published_formula(rng):
    """Sessions shifted by their own means must not count as noise."""
    rows = np.arange(60).reshape(12, 5)
    sessions = np.tile(np.arange(5), 12)
    clean = rng.standard_normal((12, 1, 8)) * np.linspace(0, 2, 8) + rng.standard_normal(
        (12, 5, 8)
    )
    centred = clean - clean.mean(0)
    shifted = (clean + 10 * rng.standard_normal((1, 5, 8))).reshape(60, 8).astype("f4")
    signal, noise = repeat_ceiling(lambda r: shifted[r], rows, sessions)
    for n in (1, 5):
        expected = published_ceiling(centred, n)
        np.testing.assert_allclose(signal / (signal + noise / n), expected, atol=1e-4)
