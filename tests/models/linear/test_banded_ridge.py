import numpy as np
import pytest
from himalaya.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge as PlainRidge

from models.base.errors import ModelError
from models.base.voxel_subset import mean_responses
from models.catalog.registry import build_linear, load_linear
from models.linear.banded_ridge import BandedRidge
from models.linear.config import BandedRidgeConfig
from tests.models.conftest import correlation, plant


def fitted(planted, **settings):
    rows, config = planted.train, BandedRidgeConfig(**{"n_candidates": 10, **settings})
    model = build_linear(config, planted.mask)
    return model.fit(planted.X, rows, planted.Y[rows], planted.concepts[rows])


def means_of(planted, rows):
    names = np.unique(planted.concepts[rows])
    X, Y = planted.X.array, planted.Y
    one = [rows[planted.concepts[rows] == c] for c in names]
    return np.stack([X[r].mean(0) for r in one]), np.stack([Y[r].mean(0) for r in one])


def test_mean_responses_are_those_of_numpy(planted):
    rows = np.random.default_rng(0).permutation(planted.train)
    voxels = np.array([0, 3, 16, 17, 40])
    ours = mean_responses(planted.X, rows, planted.concepts[rows], voxels, width=17)
    np.testing.assert_allclose(ours, means_of(planted, rows)[0][:, voxels], atol=1e-5)


def test_one_band_is_sklearns_ridge_on_concept_means(planted):
    model = fitted(
        planted,
        n_bands=1,
        n_alphas=1,
        log10_alpha_min=0,
        log10_alpha_max=0,
        n_selected_voxels=None,
        score_power=0,
    )
    X, Y = means_of(planted, planted.train)
    unit = ((X - X.mean(0)) ** 2).sum(1).mean()
    plain = PlainRidge(alpha=unit).fit(X, Y)
    np.testing.assert_allclose(model.arrays()["weights"], plain.coef_.T, atol=1e-4)
    np.testing.assert_allclose(
        model.predict(planted.X, planted.test),
        plain.predict(planted.X.array[planted.test]),
        atol=2e-3,
    )


def test_two_bands_are_himalayas_weighted_kernels(planted):
    """Refit with the chosen strengths: kernel ridge on the sum of the scaled kernels."""
    model = fitted(planted, n_bands=2, n_selected_voxels=None, score_power=0)
    arrays = model.arrays()
    X, Y = means_of(planted, planted.train)
    X = X - X.mean(0)
    X = X / np.sqrt((X**2).sum(1).mean())
    test = planted.X.array[planted.test] - means_of(planted, planted.train)[0].mean(0)
    unit = (
        ((means_of(planted, planted.train)[0] - means_of(planted, planted.train)[0].mean(0)) ** 2)
        .sum(1)
        .mean()
    )
    for target, strength in enumerate(arrays["strengths"].T):
        scale = np.sqrt(strength)[arrays["bands"]]
        kernel = (X * scale) @ (X * scale).T
        plain = KernelRidge(alpha=1, kernel="precomputed").fit(
            kernel, Y[:, target] - Y[:, target].mean()
        )
        guess = plain.predict((test / np.sqrt(unit) * scale) @ (X * scale).T)
        ours = model.predict(planted.X, planted.test)[:, target] - Y[:, target].mean()
        np.testing.assert_allclose(ours, guess, atol=5e-3)


@pytest.mark.parametrize("bands", ["score", "place"])
def test_recovers_a_planted_signal(planted, bands):
    model = fitted(planted, bands=bands)
    assert correlation(model.predict(planted.X, planted.test), planted.Y[planted.test]) > 0.6
    assert set(model.arrays()["bands"]) == {0, 1, 2, 3}


def test_place_bands_run_from_back_to_front(planted):
    model = fitted(planted, bands="place", n_selected_voxels=None)
    y, band = np.argwhere(planted.mask)[:, 1], model.arrays()["bands"]
    assert all(y[band == b].max() <= y[band == b + 1].min() for b in range(3))


def test_the_band_without_signal_is_held_down(planted):
    """The ratings explain a quarter of the voxels: half of them are noise alone."""
    found = fitted(planted, n_bands=2, n_selected_voxels=None, score_power=0, n_candidates=40)
    signal, noise = found.arrays()["strengths"]
    assert np.median(signal / noise) > 1


def test_finds_nothing_in_noise():
    """8 test concepts: r of one draw has SD 0.2, so a mean over 3 × 3 beyond 0.3 is p < 1e-3."""
    found = []
    for seed in range(3):
        p = plant(0.0, seed)
        found.append(correlation(fitted(p).predict(p.X, p.test), p.Y[p.test]))
    assert abs(np.mean(found)) < 0.3


def test_a_fitted_decoder_survives_its_arrays(planted):
    model = fitted(planted)
    again = load_linear(model.config, model.arrays())
    np.testing.assert_array_equal(
        again.predict(planted.X, planted.test), model.predict(planted.X, planted.test)
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"n_bands": 20, "n_selected_voxels": 8}, "n_bands 20 is more than the 8 voxels"),
    ],
)
def test_bad_settings_are_one_sentence(planted, settings, words):
    with pytest.raises(ModelError, match=words):
        fitted(planted, **settings)


def test_bands_by_place_need_a_mask(planted):
    rows = planted.train
    with pytest.raises(ModelError, match="no brain mask was given: pass build_linear"):
        BandedRidge(BandedRidgeConfig(bands="place")).fit(
            planted.X, rows, planted.Y[rows], planted.concepts[rows]
        )


def test_too_few_concepts_are_refused(planted):
    rows = planted.train[:16]
    with pytest.raises(ModelError, match="banded ridge needs 4 concepts or more, but the 16"):
        BandedRidge(BandedRidgeConfig()).fit(
            planted.X, rows, planted.Y[rows], planted.concepts[rows]
        )
