import numpy as np
import pytest
from himalaya.kernel_ridge import KernelRidgeCV
from sklearn.linear_model import Ridge as PlainRidge
from sklearn.model_selection import PredefinedSplit

from models.base.arrays import ArrayTrials
from models.base.errors import ModelError
from models.catalog.registry import build_linear, load_linear
from models.linear.config import MeanConfig, RidgeConfig
from models.linear.ridge import Ridge, System
from tests.models.conftest import correlation, plant

PLAIN = {"n_selected_voxels": None, "score_power": 0}


def fitted(planted, **settings):
    rows = planted.train
    model = Ridge(RidgeConfig(**settings))
    return model.fit(planted.X, rows, planted.Y[rows], planted.concepts[rows])


def test_is_sklearns_ridge_with_the_same_penalty(planted):
    model, rows = fitted(planted, **PLAIN), planted.train
    X = planted.X.array[rows]
    centred = X - X.mean(0)
    unit = (centred**2).sum() / len(rows)
    for target, alpha in enumerate(model.arrays()["alphas"]):
        plain = PlainRidge(alpha=alpha * unit).fit(X, planted.Y[rows, target])
        arrays = model.arrays()
        np.testing.assert_allclose(arrays["weights"][:, target], plain.coef_, atol=2e-4)
        np.testing.assert_allclose(
            model.predict(planted.X, planted.test)[:, target],
            plain.predict(planted.X.array[planted.test]),
            atol=2e-3,
        )


def test_chooses_the_penalties_that_himalaya_chooses(planted):
    model, rows = fitted(planted, **PLAIN), planted.train
    fitting = model._fitting_part(planted.concepts[rows])
    X, Y = planted.X.array[rows], planted.Y[rows]
    X = X - X.mean(0)
    K = (X @ X.T).astype("f4")
    K_fit = K[np.ix_(fitting, fitting)]
    plain = KernelRidgeCV(
        alphas=np.logspace(-3, 3, 13) * np.trace(K_fit) / fitting.sum(),
        kernel="precomputed",
        cv=PredefinedSplit(np.where(fitting, -1, 0)),
    ).fit(K, Y - Y[fitting].mean(0))
    chosen = plain.best_alphas_ / (np.trace(K_fit) / fitting.sum())
    np.testing.assert_allclose(model.arrays()["alphas"], chosen, rtol=1e-3)


@pytest.mark.parametrize("settings", [PLAIN, {}, {"n_selected_voxels": 40, "score_power": 1}])
def test_block_size_changes_nothing(planted, settings):
    whole = fitted(planted, **settings).predict(planted.X, planted.test)
    pieces = fitted(planted, **settings, block_voxels=17).predict(planted.X, planted.test)
    np.testing.assert_allclose(pieces, whole, atol=1e-3)


@pytest.mark.parametrize("settings", [PLAIN, {"n_selected_voxels": 100, "score_power": 0.5}])
def test_the_system_of_voxels_gives_what_that_of_trials_gives(planted, settings, monkeypatch):
    small = fitted(planted, **settings)
    assert len(small.arrays()["voxels"]) < len(planted.train)

    def of_trials(self, X, rows, metric):
        return System(self._kernel(X, rows, metric), None, np.empty(0, "f4"))

    monkeypatch.setattr(Ridge, "_system", of_trials)
    large = fitted(planted, **settings)
    np.testing.assert_array_equal(small.arrays()["alphas"], large.arrays()["alphas"])
    np.testing.assert_allclose(small.arrays()["weights"], large.arrays()["weights"], atol=1e-4)
    np.testing.assert_allclose(
        small.predict(planted.X, planted.test), large.predict(planted.X, planted.test), atol=2e-3
    )


def test_weighted_voxels_are_ridge_on_scaled_voxels(planted):
    rows = planted.train
    model = fitted(planted, n_selected_voxels=None, score_power=1)
    metric = model._metric(planted.X, rows, planted.Y[rows])
    scaled = ArrayTrials(planted.X.array * metric.weight)
    plain = Ridge(RidgeConfig(**PLAIN, n_alphas=1, log10_alpha_min=0, log10_alpha_max=0)).fit(
        scaled, rows, planted.Y[rows], planted.concepts[rows]
    )
    same = fitted(
        planted,
        n_selected_voxels=None,
        score_power=1,
        n_alphas=1,
        log10_alpha_min=0,
        log10_alpha_max=0,
    )
    np.testing.assert_allclose(
        same.predict(planted.X, planted.test), plain.predict(scaled, planted.test), atol=1e-3
    )


def test_recovers_a_planted_signal_and_its_voxels(planted):
    model = fitted(planted, n_selected_voxels=30)
    assert correlation(model.predict(planted.X, planted.test), planted.Y[planted.test]) > 0.6
    chosen = model.arrays()["voxels"]
    assert len(chosen) == 30
    assert planted.signal[chosen].mean() > 0.9


def test_finds_nothing_in_noise(noise):
    model = fitted(noise)
    rows = noise.test
    assert abs(correlation(model.predict(noise.X, rows), noise.Y[rows])) < 0.25
    mean = noise.Y[noise.train].mean(0)
    error = ((model.predict(noise.X, rows) - noise.Y[rows]) ** 2).mean()
    assert error < 1.15 * ((mean - noise.Y[rows]) ** 2).mean()


def test_selection_does_not_see_the_held_out_concepts():
    """A leak planted in held-out trials alone must not change what the fitting part selects."""
    planted = plant(0.12, seed=3)
    rows = planted.train
    model = Ridge(RidgeConfig(n_selected_voxels=30))
    fitting = model._fitting_part(planted.concepts[rows])
    clean = model._metric(planted.X, rows[fitting], planted.Y[rows][fitting])
    leaky = planted.X.array.copy()
    held = rows[~fitting]
    leaky[np.ix_(held, np.flatnonzero(~planted.signal)[:30])] += 50 * planted.Y[held][:, :1]
    after = model._metric(ArrayTrials(leaky), rows[fitting], planted.Y[rows][fitting])
    np.testing.assert_array_equal(clean.voxels, after.voxels)
    everything = model._metric(ArrayTrials(leaky), rows, planted.Y[rows])
    assert not np.array_equal(clean.voxels, everything.voxels)  # the test would notice


def test_what_only_held_out_concepts_show_changes_no_choice():
    """The same leak, seen from outside: penalties and the held-out r stay as they were."""
    planted = plant(0.12, seed=3)
    rows = planted.train
    held = rows[~Ridge(RidgeConfig())._fitting_part(planted.concepts[rows])]
    leaky = planted.X.array.copy()
    leaky[np.ix_(held, np.flatnonzero(~planted.signal)[:30])] += 50 * planted.Y[held][:, :1]
    found = [
        Ridge(RidgeConfig(n_selected_voxels=30))
        .fit(X, rows, planted.Y[rows], planted.concepts[rows])
        .arrays()
        for X in (planted.X, ArrayTrials(leaky))
    ]
    for name in ("alphas", "held_out_r"):
        np.testing.assert_array_equal(found[0][name], found[1][name])


def test_held_out_trials_are_whole_concepts(planted):
    concepts = planted.concepts[planted.train]
    fitting = Ridge(RidgeConfig(held_out=0.25))._fitting_part(concepts)
    assert not set(concepts[fitting]) & set(concepts[~fitting])
    assert len(set(concepts[~fitting])) == 6


@pytest.mark.parametrize("config", [RidgeConfig(), MeanConfig()])
def test_a_fitted_model_survives_its_arrays(planted, config):
    rows = planted.train
    model = build_linear(config).fit(planted.X, rows, planted.Y[rows], planted.concepts[rows])
    again = load_linear(config, model.arrays())
    np.testing.assert_array_equal(
        again.predict(planted.X, planted.test), model.predict(planted.X, planted.test)
    )


def test_mean_ignores_the_brain(planted):
    rows = planted.train
    model = build_linear(MeanConfig()).fit(planted.X, rows, planted.Y[rows], planted.concepts)
    guess = model.predict(planted.X, planted.test)
    assert guess.shape == planted.Y[planted.test].shape
    mean = planted.Y[rows].mean(0)[None].repeat(len(guess), 0)
    np.testing.assert_allclose(guess, mean, rtol=1e-5)


@pytest.mark.parametrize("config", [RidgeConfig(), MeanConfig()])
def test_an_unfitted_model_says_so(planted, config):
    with pytest.raises(ModelError, match="not fitted yet: call fit first"):
        build_linear(config).predict(planted.X, planted.test)


def test_one_concept_is_too_few(planted):
    rows = planted.train[:8]
    with pytest.raises(ModelError, match="8 training trials show 1: train on more concepts"):
        Ridge(RidgeConfig()).fit(planted.X, rows, planted.Y[rows], np.zeros(8))


def test_missing_ratings_are_refused(planted):
    rows, Y = planted.train, planted.Y[planted.train].copy()
    Y[3, 1] = np.nan
    with pytest.raises(ModelError, match=r"1 of 192 training trials have no rating"):
        Ridge(RidgeConfig()).fit(planted.X, rows, Y, planted.concepts[rows])


def test_lengths_must_agree(planted):
    rows = planted.train
    with pytest.raises(ModelError, match=r"they have 192, 320 and 192 entries"):
        Ridge(RidgeConfig()).fit(planted.X, rows, planted.Y, planted.concepts[rows])
