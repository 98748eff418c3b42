from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from thingsviz.analysis.scores.metrics import pearson
from thingsviz.data.planted import oracle
from thingsviz.data.planted.latents import N_LATENTS, N_PROPERTIES, square_root
from thingsviz.data.planted.presets import get_preset
from thingsviz.data.planted.regions import Anatomy
from thingsviz.data.planted.responses import Brain
from thingsviz.data.planted.tuning import SMOOTH_FWHM_MM, SmoothField, make_tuning

VOXEL_MM = np.array([2.0, 2.0, 3.0])
PRESET = get_preset("full", 3)


@pytest.fixture(scope="module")
def anatomy():
    """500 voxels, half of them in one region."""
    brain = np.zeros((12, 11, 10), bool)
    brain[1:11, 1:11, 2:7] = True
    return Anatomy(brain, np.where(np.arange(500) % 2, -1, 1).astype(np.int8))


@pytest.fixture(scope="module")
def covariance():
    rng = np.random.default_rng(0)
    loadings = rng.standard_normal((N_LATENTS, 20))
    mixed = loadings @ loadings.T + 8 * np.eye(N_LATENTS)
    spread = np.sqrt(np.diag(mixed))
    return mixed / np.outer(spread, spread)


@pytest.fixture(scope="module")
def tuning(anatomy, covariance):
    return make_tuning(anatomy, VOXEL_MM, covariance, PRESET, seed=1)


@pytest.fixture(scope="module")
def filters(anatomy, tuning):
    with ThreadPoolExecutor(2) as pool:
        return oracle.make_filters(tuning, anatomy, VOXEL_MM, pool, lambda: None)


@pytest.fixture(scope="module")
def plain(anatomy, tuning):
    """W (54, 500) and N (500, 500), written out."""
    weights = np.zeros((N_LATENTS, 500))
    weights[:, tuning.signal] = tuning.weights
    field = SmoothField(SMOOTH_FWHM_MM, VOXEL_MM, anatomy.brain)
    smooth = field.covariance(np.eye(500, dtype=np.float32)) * np.outer(
        tuning.smooth, tuning.smooth
    )
    noise = np.diag(tuning.white**2) + smooth + tuning.wide.T @ tuning.wide
    return weights, noise.astype(float)


def test_filters_are_those_of_the_written_out_noise(filters, plain):
    weights, noise = plain
    expected = np.linalg.solve(noise, weights.T)
    error = np.linalg.norm(filters.voxels - expected, axis=0) / np.linalg.norm(expected, axis=0)
    assert error.max() < 0.01
    np.testing.assert_allclose(
        filters.information, weights @ expected, atol=0.01 * np.abs(weights @ expected).max()
    )


@pytest.mark.parametrize("n_averaged", [1, 12])
def test_decoding_is_the_regression_of_ratings_on_voxels(filters, plain, covariance, n_averaged):
    """E[p | y] = Cov(p, y) Cov(y)⁻¹ y, over all voxels instead of 54 statistics."""
    weights, noise = plain
    rng = np.random.default_rng(2)
    y = rng.standard_normal((7, 500))
    k = (1 + PRESET.trial_state / n_averaged) * covariance
    of_y = weights.T @ k @ weights + noise / n_averaged
    shared = np.sqrt(1 - PRESET.exemplar_share) * covariance[:N_PROPERTIES] @ weights
    expected = y @ np.linalg.solve(of_y, shared.T)
    posterior = oracle.decode(
        y @ filters.voxels, filters.information, covariance, PRESET, n_averaged
    )
    np.testing.assert_allclose(posterior.mean, expected, atol=0.02 * expected.std())
    variance = np.einsum("pv,vp->p", shared, np.linalg.solve(of_y, shared.T))
    np.testing.assert_allclose(posterior.expected_r, np.sqrt(variance), rtol=0.01)


def test_the_expected_correlation_is_met(anatomy, tuning, filters, covariance):
    rng = np.random.default_rng(3)
    root, tau, n = square_root(covariance), PRESET.exemplar_share, 2000
    concepts, own, state = (rng.standard_normal((n, N_LATENTS)) @ root for _ in range(3))
    images = np.sqrt(1 - tau) * concepts + np.sqrt(tau) * own
    trials = images + np.sqrt(PRESET.trial_state) * state
    y = Brain(anatomy, VOXEL_MM, tuning, seed=4).answer(trials, 1, 1)
    posterior = oracle.decode(y @ filters.voxels, filters.information, covariance, PRESET)
    found = pearson(posterior.mean, concepts[:, :N_PROPERTIES])
    np.testing.assert_allclose(found, posterior.expected_r, atol=0.06)
    assert found.mean() == pytest.approx(posterior.expected_r.mean(), abs=0.02)


def test_more_repeats_are_better(filters, covariance):
    nothing = np.zeros((1, N_LATENTS))
    found = [
        oracle.decode(nothing, filters.information, covariance, PRESET, n).expected_r.mean()
        for n in (1, 2, 12, 10_000)
    ]
    assert found == sorted(found)
    limit = np.sqrt(1 - PRESET.exemplar_share)
    assert found[-1] == pytest.approx(limit, abs=0.02)


def test_fewer_concepts_than_latents_are_no_trouble(filters):
    singular = np.zeros((N_LATENTS, N_LATENTS))
    singular[:5, :5] = np.eye(5)
    posterior = oracle.decode(np.ones((2, N_LATENTS)), filters.information, singular, PRESET)
    assert np.isfinite(posterior.mean).all()
    assert (posterior.mean[:, 5:] == 0).all()


def test_a_brain_without_signal_says_nothing(anatomy, covariance):
    null = make_tuning(anatomy, VOXEL_MM, covariance, replace(PRESET, snr=0.0), seed=1)
    with ThreadPoolExecutor(1) as pool:
        found = oracle.make_filters(null, anatomy, VOXEL_MM, pool, lambda: None)
    assert found.voxels.shape == (500, N_LATENTS)
    assert not found.voxels.any()
    posterior = oracle.decode(np.zeros((3, N_LATENTS)), found.information, covariance, PRESET)
    assert not posterior.mean.any()
    assert not posterior.expected_r.any()
