import numpy as np
import pytest

from thingsviz.data.planted.concepts import PROPERTIES
from thingsviz.data.planted.latents import N_LATENTS, square_root
from thingsviz.data.planted.presets import PRESETS, get_preset
from thingsviz.data.planted.regions import REGIONS, make_anatomy
from thingsviz.data.planted.tuning import CEILING_MOST, make_tuning

GRID = PRESETS["tiny"].grid


@pytest.fixture(scope="module")
def anatomy():
    return make_anatomy(GRID)


@pytest.fixture(scope="module")
def covariance():
    rng = np.random.default_rng(0)
    mixed = rng.standard_normal((200, N_LATENTS)) @ rng.standard_normal((N_LATENTS, N_LATENTS))
    return np.corrcoef(mixed.T)


def tune(anatomy, covariance, preset, seed=1):
    return make_tuning(anatomy, GRID.voxel_size, covariance, preset, seed)


def test_the_signal_of_each_voxel_has_its_noise_ceilings_variance(anatomy, covariance):
    tuning = tune(anatomy, covariance, PRESETS["tiny"])
    rng = np.random.default_rng(1)
    latents = rng.standard_normal((4000, N_LATENTS)) @ square_root(covariance)
    found = (latents @ tuning.weights).var(0)
    np.testing.assert_allclose(found, tuning.ceiling[tuning.signal], rtol=0.15)


def test_signal_and_noise_make_variance_one(anatomy, covariance):
    preset = PRESETS["full"]
    tuning = tune(anatomy, covariance, preset)
    noise = tuning.white**2 + tuning.smooth**2 + (tuning.wide**2).sum(0)
    total = tuning.ceiling * (1 + preset.trial_state) + noise
    np.testing.assert_allclose(total, 1, atol=1e-5)
    np.testing.assert_allclose(tuning.white**2 / noise, 0.40, atol=1e-5)
    np.testing.assert_allclose(tuning.smooth**2 / noise, 0.35, atol=1e-5)


def test_noise_ceilings_follow_the_regions(anatomy, covariance):
    found = np.zeros(len(REGIONS))
    for seed in range(8):
        ceiling = tune(anatomy, covariance, PRESETS["full"], seed).ceiling
        found += [ceiling[anatomy.region == n].mean() / 8 for n in range(len(REGIONS))]
        assert ceiling.max() <= CEILING_MOST + 1e-6
        assert (ceiling[anatomy.region < 0] == 0).all()
    np.testing.assert_allclose(found, [r.noise_ceiling for r in REGIONS], rtol=0.2)


def test_regions_prefer_what_they_are_told(anatomy, covariance):
    tuning = tune(anatomy, covariance, PRESETS["full"])
    region = anatomy.region[tuning.signal]
    power = {r.name: (tuning.weights[:, region == n] ** 2).mean(1) for n, r in enumerate(REGIONS)}
    lives, grasp = PROPERTIES.index("lives"), PROPERTIES.index("grasp")
    low = slice(N_LATENTS - 20, N_LATENTS)
    assert power["parietal"][grasp] > 3 * power["parietal"][lives]
    assert (
        power["temporal_occipital_fusiform"][lives]
        > 2 * power["temporal_occipital_fusiform"][grasp]
    )
    assert power["early_visual"][low].mean() > 10 * power["early_visual"][:14].mean()


def test_snr_scales_and_null_has_no_tuning(anatomy, covariance):
    whole = tune(anatomy, covariance, get_preset("full")).ceiling
    half = tune(anatomy, covariance, get_preset("full", 0.5)).ceiling
    free = whole < CEILING_MOST - 1e-6
    np.testing.assert_allclose(half[free], whole[free] / 2, rtol=1e-5)
    null = tune(anatomy, covariance, get_preset("null"))
    assert len(null.signal) == 0
    assert null.weights.shape == (N_LATENTS, 0)
    assert (null.ceiling == 0).all()


def test_neighbours_are_tuned_alike():
    grid = PRESETS["full"].grid
    anatomy = make_anatomy(grid)
    tuning = make_tuning(anatomy, grid.voxel_size, np.eye(N_LATENTS), PRESETS["full"], 1)
    weights = np.zeros(grid.shape, np.float32)
    row = np.zeros(anatomy.n_voxels, np.float32)
    row[tuning.signal] = tuning.weights[-1] / np.sqrt(tuning.ceiling[tuning.signal])
    weights[anatomy.brain] = row
    near, far = _along_y(weights, 1), _along_y(weights, 8)
    assert near > 0.8
    assert abs(far) < 0.2


def _along_y(values, step):
    one, two = values[:, :-step].ravel(), values[:, step:].ravel()
    both = (one != 0) & (two != 0)
    return np.corrcoef(one[both], two[both])[0, 1]
