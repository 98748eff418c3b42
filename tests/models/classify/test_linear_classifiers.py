"""LDA, one-hot ridge and identification against scikit-learn's, and on planted classes."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge as SklearnRidge

from models.base.arrays import ArrayTrials
from models.base.errors import ModelError
from models.catalog.registry import MODELS, build_linear, load_linear
from models.classify.config import (
    IdentificationConfig,
    LDAConfig,
    LinearSVMConfig,
    MultinomialRidgeConfig,
)
from models.classify.identification import UNRATED, Identification, similarity
from models.classify.labels import one_hot
from models.classify.lda import LDA, UNSEEN
from models.classify.onehot_ridge import MultinomialRidge, weights
from models.classify.projection import fit_projection, truncated_svd
from models.cost.estimate import Size, Speed, estimate
from models.training.config import FitConfig

N_CLASSES, N_VOXELS = 5, 30
ALL = [LDAConfig(), LinearSVMConfig(), MultinomialRidgeConfig(), IdentificationConfig()]
WHOLE = {"n_selected_voxels": None, "n_components": None}


def trials(strength, n=200, n_voxels=N_VOXELS, seed=0):
    """Random class patterns in correlated noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % N_CLASSES
    patterns = rng.standard_normal((N_CLASSES, n_voxels))
    mix = np.eye(n_voxels) + 0.3 * rng.standard_normal((n_voxels, n_voxels)) / n_voxels**0.5
    X = strength * patterns[labels] + rng.standard_normal((n, n_voxels)) @ mix
    return ArrayTrials(X.astype("f4")), labels, one_hot(labels, N_CLASSES)


@pytest.mark.parametrize(("n", "n_voxels"), [(200, 30), (60, 40)])
@pytest.mark.parametrize("shrinkage", [0.3, 0.9])
def test_lda_is_sklearns(n, n_voxels, shrinkage):
    X, labels, Y = trials(0.3, n, n_voxels)
    rows = np.arange(n - 20)
    ours = LDA(LDAConfig(**WHOLE, shrinkage=shrinkage)).fit(X, rows, Y[rows], rows)
    # the same space: shrinking to a sphere is not invariant to how the components are scaled
    z = ours_z(ours, X, np.arange(n))
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)
    theirs.fit(z[rows].astype(float), labels[rows])
    test = np.arange(n - 20, n)
    guess = ours.predict(X, test).astype(float)
    ours_p = np.exp(guess - np.logaddexp.reduce(guess, axis=1, keepdims=True))
    np.testing.assert_allclose(ours_p, theirs.predict_proba(z[test].astype(float)), atol=1e-2)


def ours_z(model, X, rows):
    from models.classify.projection import Projection

    return Projection(*(model.arrays()[name] for name in Projection._fields)).apply(X, rows)


def test_shrinkage_is_ledoit_and_wolfs(rng):
    """λ = min(b², d²) / d² of the trials minus their class means, written out (2004, §3)."""
    labels = rng.integers(0, 10, 300)
    responses = 3 * rng.normal(size=(10, 40))[labels] + rng.normal(size=(300, 40))
    X = ArrayTrials(responses.astype("f4"))
    rows, Y = np.arange(300), one_hot(labels, 10)
    model = LDA(LDAConfig()).fit(X, rows, Y, labels)
    z = ours_z(model, X, rows).astype(float)
    within = z - ((Y.T @ z) / np.maximum(Y.sum(0), 1)[:, None])[labels]
    n, m = within.shape
    S = within.T @ within / n
    mu = np.trace(S) / m
    distance = (S * S).sum() / m - mu * mu
    noise = ((within**2).sum(1) ** 2).mean() - (S * S).sum()
    wanted = min(noise / (n * m), distance) / distance
    assert 0 < wanted < 1
    assert model.arrays()["shrinkage"][0] == pytest.approx(wanted, rel=1e-4)


def test_one_hot_ridge_is_sklearns():
    X, _, Y = trials(0.5)
    rows = np.arange(150)
    config = MultinomialRidgeConfig(**WHOLE)
    projection, z = fit_projection(config, X, rows, Y[rows])
    alpha = 0.1
    strength = alpha * 150 * float(projection.sd.max()) ** 2
    theirs = SklearnRidge(alpha=strength).fit(X.array[rows], Y[rows])
    ours = z @ weights(z, projection.sd, Y[rows], alpha) + Y[rows].mean(0)
    np.testing.assert_allclose(ours, theirs.predict(X.array[rows]), atol=2e-4)


def test_projected_trials_are_the_components(rng):
    X, _, Y = trials(0.5)
    rows = np.arange(100)
    config = LDAConfig(n_selected_voxels=12, n_components=5)
    projection, z = fit_projection(config, X, rows, Y[rows])
    np.testing.assert_allclose(projection.apply(X, rows, 7), z, atol=1e-4)
    np.testing.assert_allclose(z.T @ z / 100, np.eye(5), atol=1e-4)
    assert len(projection.voxels) == 12
    assert (np.diff(projection.sd) < 0).all()


def test_randomised_svd_is_near_the_exact_one(rng):
    s = 0.8 ** np.arange(150)
    a, b = (np.linalg.qr(rng.standard_normal((n, 150)))[0] for n in (200, 300))
    A = ((a * s) @ b.T).astype("f4")
    u, found, v = truncated_svd(A, 20, seed=0)
    np.testing.assert_allclose(found, s[:20], rtol=1e-4)
    np.testing.assert_allclose((u * found) @ v.T, (a[:, :20] * s[:20]) @ b[:, :20].T, atol=1e-3)


@pytest.mark.parametrize("config", ALL)
def test_planted_classes_are_found_and_survive_saving(config):
    X, labels, Y = trials(0.8)
    train, test = np.arange(150), np.arange(150, 200)
    model = build_linear(config)
    if isinstance(model, Identification):
        model.know(np.random.default_rng(5).standard_normal((N_CLASSES, 6)).astype("f4"))
    model.fit(X, train, Y[train], train)
    guess = model.predict(X, test)
    assert (guess.argmax(1) == labels[test]).mean() > 0.8
    again = load_linear(config, model.arrays())
    np.testing.assert_array_equal(again.predict(X, test), guess)


@pytest.mark.parametrize("config", ALL[:3])
def test_hits_without_signal_are_chance(config):
    # 50 test trials at chance .2: P(more than 20 hits) is 3e-4
    X, labels, Y = trials(0.0)
    model = build_linear(config).fit(X, np.arange(150), Y[:150], np.arange(150))
    assert (model.predict(X, np.arange(150, 200)).argmax(1) == labels[150:]).sum() <= 20


def test_a_class_without_trials_is_never_named():
    X, _, Y = trials(0.5)
    wide = np.concatenate([Y, np.zeros((200, 1), "f4")], 1)
    guess = LDA(LDAConfig()).fit(X, np.arange(200), wide, np.arange(200)).predict(X, np.arange(9))
    assert (guess[:, -1] < UNSEEN / 2).all()


def test_identification_names_a_class_that_was_never_trained():
    rng = np.random.default_rng(3)
    profiles = rng.standard_normal((40, 8)).astype("f4")
    labels = np.repeat(np.arange(40), 10)
    X = ArrayTrials(
        (
            profiles[labels] @ rng.standard_normal((8, 60)) + 2 * rng.standard_normal((400, 60))
        ).astype("f4")
    )
    train, test = np.flatnonzero(labels < 30), np.flatnonzero(labels >= 30)
    model = Identification(IdentificationConfig()).know(profiles)
    model.fit(X, train, one_hot(labels, 40)[train], labels[train])
    ranks = (model.predict(X, test) >= model.predict(X, test)[range(100), labels[test], None]).sum(
        1
    )
    assert (ranks <= 4).mean() > 0.4  # chance .1


def test_similarity_is_a_correlation_of_z_scores(rng):
    predicted, profiles = rng.normal(size=(3, 4)), rng.normal(size=(5, 4))
    mean, sd = rng.normal(size=4), rng.uniform(1, 2, 4)
    profiles[4, 1] = np.nan
    found = similarity(predicted, profiles, mean, sd)
    plain = np.corrcoef((predicted[1] - mean) / sd, (profiles[2] - mean) / sd)[0, 1]
    assert found[1, 2] == pytest.approx(plain, abs=1e-6)
    assert (found[:, 4] == UNRATED).all()
    assert (similarity(mean[None] + sd, profiles, mean, sd)[0, :4] == 0).all()  # flat: no r


def test_faults_are_one_sentence():
    X, _, Y = trials(0.5)
    rows = np.arange(20)
    with pytest.raises(ModelError, match="2 classes or more"):
        LDA(LDAConfig()).fit(X, rows, one_hot(np.zeros(20, int), 3), rows)
    with pytest.raises(ModelError, match=r"call know\(profiles\) first"):
        Identification(IdentificationConfig()).fit(X, rows, Y[rows], rows)
    with pytest.raises(ModelError, match="3 profiles came for 5 classes"):
        Identification(IdentificationConfig()).know(np.ones((3, 2))).fit(X, rows, Y[rows], rows)
    with pytest.raises(ModelError, match="2 ratings or more"):
        Identification(IdentificationConfig()).know(np.ones((3, 1)))
    with pytest.raises(ModelError, match="needs 2 concepts or more"):
        MultinomialRidge(MultinomialRidgeConfig()).fit(X, rows, Y[rows], np.zeros(20))
    with pytest.raises(ModelError, match="not fitted yet"):
        LDA(LDAConfig()).predict(X, rows)
    with pytest.raises(ModelError, match="cannot be inverted"):
        LDA(LDAConfig(**WHOLE, shrinkage=0)).fit(X, rows, Y[rows], rows)


def test_specs_say_what_they_learn():
    assert MODELS["lda"].can_learn("concepts")
    assert not MODELS["lda"].can_learn("ratings")
    assert not MODELS["ridge"].can_learn("categories27")
    assert MODELS["vit3d"].can_learn("ratings")
    assert MODELS["logistic"].can_learn("categories53")


@pytest.mark.parametrize("config", ALL)
def test_costs_grow_with_trials(config):
    mask, speed = np.ones((20, 20, 20), bool), Speed(1e9, 1e9)
    small, large = (
        estimate(config, mask, FitConfig(), Size(n, 10, 50), speed) for n in (100, 1000)
    )
    assert 0 < small.seconds < large.seconds
    assert 0 < small.bytes < large.bytes
    assert large.parameters > 0
