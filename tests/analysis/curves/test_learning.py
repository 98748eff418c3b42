import numpy as np
import pytest

from thingsviz.analysis.curves.learning import (
    draw_of,
    mean_of_repeats,
    predicted_r,
    reliability,
    sizes_of,
)
from thingsviz.analysis.scores.metrics import pearson


def repeated(rng, share, n_images=4000, repeats=12, own=0.6):
    """Predictions of which `share` of the variance is the image's; `own` of that is the truth."""
    true = rng.standard_normal((n_images, 1))
    image = own * true + np.sqrt(1 - own**2) * rng.standard_normal((n_images, 1))
    images = np.repeat(np.arange(n_images), repeats)
    noise = rng.standard_normal((len(images), 1))
    return np.sqrt(share) * image[images] + np.sqrt(1 - share) * noise, images, true


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_reliability_is_the_share_that_was_planted(rng, share):
    predicted, images, _ = repeated(rng, share)
    assert reliability(predicted, images)[0] == pytest.approx(share, abs=0.03)


def test_noise_has_no_reliability_and_constants_none(rng):
    images = np.repeat(np.arange(50), 4)
    found = reliability(np.column_stack([rng.standard_normal(200), np.ones(200)]), images)
    assert found[0] < 0.2
    assert found[1] == 0


@pytest.mark.parametrize("k", [1, 2, 6, 12])
def test_one_repeat_predicts_the_mean_of_many(rng, k):
    """4,000 images: the SE of r is 0.013."""
    predicted, images, true = repeated(rng, 0.2)
    r_single = pearson(true[images], predicted)
    averaged = mean_of_repeats(predicted, images, k, rng)
    found = predicted_r(r_single, reliability(predicted, images), k)
    assert found == pytest.approx(pearson(true, averaged), abs=0.03)


def test_the_limit_is_r_over_the_root_of_rho():
    assert predicted_r(np.array([0.3]), np.array([0.25]), 10**6) == pytest.approx(0.6, abs=1e-3)
    assert predicted_r(np.array([0.9]), np.array([0.1]), 12) == 1.0


def test_the_oracle_s_published_pair_is_of_one_formula():
    """The oracle's single trial .49 and mean of 12 .65: the ρ between them predicts both."""
    rho = (12 * (0.49 / 0.65) ** 2 - 1) / 11
    assert predicted_r(np.array([0.49]), np.array([rho]), 12)[0] == pytest.approx(0.65, abs=1e-9)


def test_all_repeats_are_each_image_s_mean(rng):
    images = np.array([0, 1, 0, 1, 2, 2, 0, 1, 2])
    values = rng.standard_normal((9, 2))
    expected = [values[images == i].mean(0) for i in range(3)]
    np.testing.assert_allclose(mean_of_repeats(values, images, 3, rng), expected)
    one = mean_of_repeats(values, images, 1, rng)
    assert all((values[images == i] == one[i]).all(1).any() for i in range(3))


def test_sizes_are_halves_of_the_whole():
    assert sizes_of(1000, 24) == [62, 125, 250, 500, 1000]
    assert sizes_of(84, 24) == [42, 84]
    assert sizes_of(10, 24) == [10]


def test_draws_are_nested():
    small, large = draw_of(100, 20, 3), draw_of(100, 60, 3)
    assert np.isin(small, large).all()
    assert (np.diff(large) > 0).all()
    assert not np.array_equal(small, draw_of(100, 20, 4))
