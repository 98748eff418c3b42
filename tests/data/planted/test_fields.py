import numpy as np
import pytest

from thingsviz.data.planted.fields import FWHM_TO_SD, SmoothField

VOXEL_MM = np.array([2.0, 2.5, 3.0])


@pytest.fixture
def brain(rng):
    brain = np.zeros((9, 8, 7), bool)
    brain[2:8, 1:7, 1:6] = rng.random((6, 6, 5)) < 0.8
    return brain


def plain_operator(fwhm, brain):
    """P D G, entry by entry: the field at a brain voxel from white noise at each box voxel."""
    ijk = np.argwhere(brain)
    low, high = ijk.min(0), ijk.max(0) + 1
    box = np.argwhere(np.ones(high - low, bool)) + low
    sd = fwhm * FWHM_TO_SD / VOXEL_MM
    steps = np.abs(ijk[:, None] - box[None])
    kernel = np.exp(-((steps / sd) ** 2).sum(-1) / 2) * (steps <= 4 * sd + 1).all(-1)
    return kernel / np.sqrt((kernel**2).sum(1, keepdims=True))


def test_covariance_is_that_of_the_plain_operator(brain, rng):
    field = SmoothField(5.0, VOXEL_MM, brain)
    x = rng.standard_normal((3, brain.sum()), dtype=np.float32)
    operator = plain_operator(5.0, brain)
    np.testing.assert_allclose(field.covariance(x), x @ operator @ operator.T, atol=1e-4)


def test_draws_have_variance_one_and_the_operators_covariance(brain, rng):
    field = SmoothField(6.0, VOXEL_MM, brain)
    draws = field.draw(rng, 20_000)
    assert draws.dtype == np.float32
    found = draws.T @ draws / len(draws)
    np.testing.assert_allclose(np.diag(found), 1, atol=0.06)
    expected = plain_operator(6.0, brain)
    np.testing.assert_allclose(found, expected @ expected.T, atol=0.06)


def test_half_maximum_is_where_it_was_asked(rng):
    brain = np.ones((41, 3, 3), bool)
    field = SmoothField(12.0, np.array([2.0, 2.0, 2.0]), brain)
    spike = np.zeros((1, 41, 3, 3), np.float32)
    spike[0, 20, 1, 1] = 1
    profile = field.blur(spike)[0, :, 1, 1]
    assert profile[20 + 3] / profile[20] == pytest.approx(0.5, abs=1e-6)  # 6 mm from the peak


def test_voxels_come_in_the_order_of_the_mask(brain):
    field = SmoothField(5.0, VOXEL_MM, brain)
    numbers = np.zeros((1, *brain.shape), np.float32)
    numbers[0][brain] = np.arange(brain.sum())
    x, y, z = (slice(lo, hi) for lo, hi in ((2, 8), (1, 7), (1, 6)))
    np.testing.assert_array_equal(field.read(numbers[:, x, y, z])[0], np.arange(brain.sum()))


def test_coarse_voxels_give_nearly_white_noise():
    field = SmoothField(1.0, np.array([7.0, 7.0, 7.0]), np.ones((4, 4, 4), bool))
    x = np.eye(64, dtype=np.float32)
    np.testing.assert_allclose(field.covariance(x), x, atol=1e-5)
