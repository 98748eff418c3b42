import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from models.subspace.spatial_noise import GridKernel, LocalNoise, noise_shape

SHAPE = (7, 6, 5)


@pytest.fixture
def mask(rng):
    return rng.random(SHAPE) < 0.8


def plain_kernel(mask, voxels, sigma):
    """R (n, n), entry by entry."""
    at = np.argwhere(mask)[voxels]
    d2 = ((at[:, None] - at[None]) ** 2).sum(-1)
    return np.exp(-d2 / (4 * sigma**2))


def test_the_grid_product_is_the_dense_matrix(mask, rng):
    voxels = np.sort(rng.permutation(mask.sum())[:50])
    maps = rng.standard_normal((30, 50)).astype("f4")
    ours = GridKernel(mask, voxels, 1.2).times(maps)
    np.testing.assert_allclose(ours, maps @ plain_kernel(mask, voxels, 1.2), atol=1e-4)


def test_no_width_is_the_identity(mask, rng):
    maps = rng.standard_normal((2, 20)).astype("f4")
    np.testing.assert_array_equal(GridKernel(mask, np.arange(20), 0).times(maps), maps)


def test_the_inverse_is_numpys(mask, rng):
    voxels = np.arange(60)
    sd = rng.uniform(0.5, 2, 60).astype("f4")
    noise = LocalNoise(GridKernel(mask, voxels, 0.9), sd, share=0.6)
    N = sd[:, None] * (0.4 * np.eye(60) + 0.6 * plain_kernel(mask, voxels, 0.9)) * sd
    maps = rng.standard_normal((3, 60)).astype("f4")
    error = noise.inverse(maps) @ N - maps
    assert np.linalg.norm(error) < 0.15 * np.linalg.norm(maps)


def test_without_shared_noise_the_inverse_is_that_of_each_voxel(mask, rng):
    sd = rng.uniform(0.5, 2, 20).astype("f4")
    noise = LocalNoise(GridKernel(mask, np.arange(20), 1), sd, share=0)
    maps = rng.standard_normal((2, 20)).astype("f4")
    np.testing.assert_allclose(noise.inverse(maps), maps / sd**2, rtol=1e-5)


def test_finds_width_and_share_of_planted_noise(rng):
    """σ = 1.2 voxels, 60 % of the variance; over 10 seeds the estimates stay within 0.1."""
    shape, sigma = (20, 22, 18), 1.2
    white = rng.standard_normal((300, *shape))
    smooth = np.stack([gaussian_filter(w, sigma, mode="wrap") for w in white])
    E = np.sqrt(0.6) * smooth / smooth.std() + np.sqrt(0.4) * rng.standard_normal(white.shape)
    mask = np.ones(shape, bool)
    found = noise_shape(E.reshape(300, -1).astype("f4"), mask, np.arange(mask.size))
    assert found.share == pytest.approx(0.6, abs=0.1)
    assert found.sigma == pytest.approx(1.2, abs=0.1)


def test_white_noise_is_not_shared(mask, rng):
    E = rng.standard_normal((400, mask.sum())).astype("f4")
    assert noise_shape(E, mask, np.arange(mask.sum())).share < 0.1
