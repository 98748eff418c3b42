import numpy as np
import pytest
from sklearn.decomposition import PCA

from models.base.arrays import ArrayTrials
from models.base.concepts import fitting_part
from models.base.errors import ModelError
from models.base.voxel_subset import gather
from models.catalog.registry import build_linear, load_linear
from models.subspace.concept_decoder import ConceptDecoder
from models.subspace.config import ConceptDecoderConfig
from models.subspace.principal_axes import diagonal, principal_axes
from models.subspace.wiener import Candidate, choose, grid, summarise
from tests.models.conftest import correlation, plant


def fitted(planted, **settings):
    config = ConceptDecoderConfig(
        **{"n_axes": 20, "tuning_fwhm": 0, **settings}
    )  # tuned voxel by voxel
    rows = planted.train
    model = build_linear(config, planted.mask)
    return model.fit(planted.X, rows, planted.Y[rows], planted.concepts[rows])


def test_axes_without_weights_are_sklearns_principal_components(planted):
    X = planted.X.array[planted.train]
    X = X - X.mean(0)
    ours = X @ principal_axes(X, [diagonal(np.ones(X.shape[1], "f4"))] * 30, 3, seed=0)
    plain = PCA(3).fit_transform(X)
    r = [abs(np.corrcoef(ours[:, i], plain[:, i])[0, 1]) for i in range(3)]
    assert min(r) > 0.999


def test_axes_in_a_metric_diagonalise_the_weighted_responses(planted):
    X = planted.X.array[planted.train] - planted.X.array[planted.train].mean(0)
    weight = np.linspace(0.5, 2, X.shape[1]).astype("f4")
    z = X @ principal_axes(X, [diagonal(weight)] * 30, 4, seed=0)
    values, vectors = np.linalg.eigh((X * weight) @ (X * weight).T)
    plain = vectors[:, ::-1][:, :4] * values[::-1][:4]
    np.testing.assert_allclose(
        np.abs(z), np.abs(plain), rtol=2e-2, atol=2e-2 * np.abs(plain).max()
    )


def test_gathers_only_the_voxels_asked_for(planted):
    voxels = np.array([0, 16, 17, 18, 60])
    out = gather(planted.X, planted.test, voxels, width=17)
    np.testing.assert_array_equal(out, planted.X.array[planted.test][:, voxels])


def test_the_readout_is_the_formula_in_five_lines(rng):
    groups = np.repeat(np.arange(12), rng.integers(2, 6, 12))
    z = rng.standard_normal((len(groups), 3)) + groups[:, None] % 4
    Y = rng.standard_normal((12, 2))[groups]
    W, b = summarise(z, Y, groups).readout(Candidate(0.5, 0.1))

    names, m = np.unique(groups, return_counts=True)
    means = np.stack([z[groups == c].mean(0) for c in names])
    u, centre = z.std(0), means.mean(0)
    rest = np.concatenate([(z[groups == c] - means[c]) / u for c in names])
    within = rest.T @ rest / (len(z) - 12)
    between = np.cov(((means - centre) / u).T, bias=True) - within * (1 / m).mean()
    e, v = np.linalg.eigh(between)
    between = v @ np.diag(e.clip(0)) @ v.T
    ratings = np.stack([Y[groups == c].mean(0) for c in names])
    cross = ((means - centre) / u).T @ (ratings - ratings.mean(0)) / 12
    plain = np.linalg.inv(between + 0.5 * within + 0.1 * np.eye(3)) @ cross / u[:, None]
    np.testing.assert_allclose(W, plain, rtol=1e-9)
    np.testing.assert_allclose(b, ratings.mean(0) - centre @ plain, rtol=1e-9)


def test_the_choice_is_the_best_of_the_grid(rng):
    groups = np.repeat(np.arange(60), 4)
    signal = rng.standard_normal((60, 1))[groups]
    z = signal * [1, 4] + [2.0, 8.0] * rng.standard_normal((240, 2))
    summary = summarise(z, signal, groups)
    wishes = grid(None, None)
    picked = choose(summary, (z, signal, groups), wishes)
    means = np.stack([z[groups == c].mean(0) for c in range(60)])

    def value(wish):
        W, _ = summary.readout(wish)
        return correlation(z @ W, signal) + correlation(means @ W, signal[::4])

    assert picked.value == pytest.approx(max(value(wish) for wish in wishes))
    assert picked.held_out_r == pytest.approx(
        correlation(z @ summary.readout(picked.wish)[0], signal)
    )


@pytest.mark.parametrize("noise", ["ignore", "invert"])
def test_recovers_a_planted_signal(planted, noise):
    model = fitted(planted, local_noise=noise)
    guess = model.predict(planted.X, planted.test)
    assert correlation(guess, planted.Y[planted.test]) > 0.6
    assert abs(guess.mean() - planted.Y[planted.train].mean()) < 0.7  # on the scale of Y


@pytest.mark.parametrize("noise", ["ignore", "invert"])
def test_finds_nothing_in_noise(noise):
    """8 test concepts: r of one draw has SD 0.2, so a mean over 3 × 3 beyond 0.3 is p < 1e-3."""
    found = []
    for seed in range(3):
        planted = plant(0.0, seed)
        model = fitted(planted, local_noise=noise)
        found.append(correlation(model.predict(planted.X, planted.test), planted.Y[planted.test]))
    assert abs(np.mean(found)) < 0.3


def test_permuted_ratings_score_at_chance(planted):
    """Ratings dealt to other concepts; 6 shuffles, error rate as above."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(6):
        order = rng.permutation(40)
        Y = planted.Y[order[planted.concepts] * 8]
        rows = planted.train
        config = ConceptDecoderConfig(n_axes=20, phi=0.25, alpha=0.1)
        model = ConceptDecoder(config).fit(planted.X, rows, Y[rows], planted.concepts[rows])
        found.append(correlation(model.predict(planted.X, planted.test), Y[planted.test]))
    assert abs(np.mean(found)) < 0.3


def test_held_out_concepts_choose_nothing_but_phi_and_alpha(planted):
    """A leak planted in the held-out trials alone does not change the axes behind the choice."""
    rows = planted.train
    groups, Y = planted.concepts[rows], planted.Y[rows]
    model = ConceptDecoder(ConceptDecoderConfig(n_axes=5, n_selected_voxels=30))
    fit = fitting_part(groups, 0.2, 0)
    leaky = planted.X.array.copy()
    leaky[np.ix_(rows[~fit], np.flatnonzero(~planted.signal)[:30])] += 50 * Y[~fit][:, :1]
    clean = model.axes.find(planted.X, rows[fit], Y[fit])
    after = model.axes.find(ArrayTrials(leaky), rows[fit], Y[fit])
    np.testing.assert_array_equal(clean.voxels, after.voxels)
    every = model.axes.find(ArrayTrials(leaky), rows, Y)
    assert not np.array_equal(clean.voxels, every.voxels)  # the test would notice


@pytest.mark.parametrize("noise", ["ignore", "invert"])
def test_a_fitted_decoder_survives_its_arrays(planted, noise):
    model = fitted(planted, local_noise=noise)
    again = load_linear(model.config, model.arrays())
    np.testing.assert_array_equal(
        again.predict(planted.X, planted.test), model.predict(planted.X, planted.test)
    )


def test_given_phi_and_alpha_are_used(planted):
    arrays = fitted(planted, phi=0.5, alpha=0.2).arrays()
    assert (arrays["phi"][0], arrays["alpha"][0]) == (0.5, 0.2)
    assert np.isnan(arrays["held_out_r"][0])


def test_too_few_concepts_are_refused(planted):
    rows = planted.train[:24]
    with pytest.raises(ModelError, match="needs 4 concepts or more, but the 24 training trials"):
        ConceptDecoder(ConceptDecoderConfig()).fit(
            planted.X, rows, planted.Y[rows], planted.concepts[rows]
        )


def test_a_target_without_variance_is_refused(planted):
    rows, Y = planted.train, planted.Y[planted.train].copy()
    Y[:, 1] = 4.25
    with pytest.raises(ModelError, match=r"target 2 of 3 has the same rating \(4.25\) in all 192"):
        ConceptDecoder(ConceptDecoderConfig()).fit(planted.X, rows, Y, planted.concepts[rows])


def test_missing_ratings_are_refused(planted):
    rows, Y = planted.train, planted.Y[planted.train].copy()
    Y[3, 1] = np.nan
    with pytest.raises(ModelError, match="1 of 192 training trials have no rating"):
        ConceptDecoder(ConceptDecoderConfig()).fit(planted.X, rows, Y, planted.concepts[rows])


def test_more_axes_than_trials_are_refused(planted):
    with pytest.raises(ModelError, match="n_axes 400 is more than the 192 training trials and"):
        fitted(planted, n_axes=400)


def test_inverting_noise_needs_a_mask(planted):
    rows, config = planted.train, ConceptDecoderConfig(n_axes=5, local_noise="invert")
    with pytest.raises(ModelError, match="no brain mask was given: pass build_linear"):
        build_linear(config).fit(planted.X, rows, planted.Y[rows], planted.concepts[rows])
