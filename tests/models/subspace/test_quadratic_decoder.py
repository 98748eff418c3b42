import numpy as np
import pytest

from models.base.arrays import ArrayTrials
from models.base.errors import ModelError
from models.catalog.registry import build_linear, load_linear
from models.subspace.concept_decoder import ConceptDecoder
from models.subspace.config import ConceptDecoderConfig, QuadraticDecoderConfig
from models.subspace.quadratic_decoder import features
from tests.models.conftest import correlation, plant

N_CONCEPTS, N_EACH = 90, 6


def bent_brain(kind, rng):
    """Ratings of 90 concepts, answered with a product of two of them, or with trials' own gain."""
    groups = np.repeat(np.arange(N_CONCEPTS), N_EACH)
    Y = rng.standard_normal((N_CONCEPTS, 3)).astype("f4")[groups]
    drive = Y.copy()
    if kind == "product":
        drive[:, 2] = Y[:, 1] * Y[:, 2]  # a linear decoder learns nothing of the third rating
    if kind == "gain":
        drive *= np.exp(rng.standard_normal((len(Y), 1)))
    X = drive @ rng.standard_normal((3, 60)) + 0.5 * rng.standard_normal((len(Y), 60))
    return ArrayTrials(X.astype("f4")), Y, groups


def scores(kind, config, seed):
    X, Y, groups = bent_brain(kind, np.random.default_rng(seed))
    train = np.flatnonzero(groups < 60)
    model = build_linear(config).fit(X, train, Y[train], groups[train])
    test = np.flatnonzero(groups >= 60)
    guess = model.predict(X, test)
    return np.array([np.corrcoef(guess[:, i], Y[test, i])[0, 1] for i in range(3)])


@pytest.mark.parametrize(("kind", "by"), [("product", 0.05), ("gain", 0.05)])
def test_beats_the_linear_decoder_where_the_brain_is_bent(kind, by):
    linear, bent = ConceptDecoderConfig(n_axes=6), QuadraticDecoderConfig(n_axes=6)
    gained = [scores(kind, bent, s).mean() - scores(kind, linear, s).mean() for s in range(3)]
    assert np.mean(gained) > by


def test_without_products_and_gain_it_is_the_concept_decoder(planted):
    rows, same = planted.train, {"n_axes": 12, "phi": 0.25, "alpha": 0.1}
    Y, groups = planted.Y[rows], planted.concepts[rows]
    linear = ConceptDecoder(ConceptDecoderConfig(**same)).fit(planted.X, rows, Y, groups)
    config = QuadraticDecoderConfig(**same, n_product_axes=0, gain_power=0)
    bent = build_linear(config).fit(planted.X, rows, Y, groups)
    np.testing.assert_allclose(
        bent.predict(planted.X, planted.test), linear.predict(planted.X, planted.test), atol=1e-3
    )


def test_dividing_by_the_strength_makes_trials_equally_strong(rng):
    groups = np.repeat(np.arange(20), 5)
    z = rng.standard_normal((100, 4)) * np.exp(rng.standard_normal((100, 1)))
    how = features(z, rng.standard_normal((100, 2)), groups, 2, gain_power=1)
    v = how.of(z)[:, :4]
    np.testing.assert_allclose((v**2).mean(1), how.usual**2, rtol=1e-9)
    again = how.of(how.centre + 7 * (z - how.centre))[:, :4]
    np.testing.assert_allclose(again, v, rtol=1e-9)


def test_products_are_those_of_the_axes(rng):
    groups = np.repeat(np.arange(20), 5)
    z = rng.standard_normal((100, 4))
    how = features(z, rng.standard_normal((100, 2)), groups, 2, gain_power=0)
    u = (z - how.centre) / how.sd @ how.best
    plain = np.stack([u[:, 0] ** 2, u[:, 0] * u[:, 1], u[:, 1] ** 2], 1)
    np.testing.assert_allclose(how.of(z)[:, 4:], plain, rtol=1e-9)


def test_recovers_a_linear_signal_as_well(planted):
    rows = planted.train
    model = build_linear(QuadraticDecoderConfig(n_axes=20)).fit(
        planted.X, rows, planted.Y[rows], planted.concepts[rows]
    )
    assert correlation(model.predict(planted.X, planted.test), planted.Y[planted.test]) > 0.6


def test_finds_nothing_in_noise():
    """8 test concepts: r of one draw has SD 0.2, so a mean over 3 × 3 beyond 0.3 is p < 1e-3."""
    found = []
    for seed in range(3):
        planted = plant(0.0, seed)
        rows = planted.train
        model = build_linear(QuadraticDecoderConfig(n_axes=20, n_product_axes=5)).fit(
            planted.X, rows, planted.Y[rows], planted.concepts[rows]
        )
        found.append(correlation(model.predict(planted.X, planted.test), planted.Y[planted.test]))
    assert abs(np.mean(found)) < 0.3


def test_a_fitted_decoder_survives_its_arrays(planted):
    rows, config = planted.train, QuadraticDecoderConfig(n_axes=10, n_product_axes=4)
    model = build_linear(config).fit(planted.X, rows, planted.Y[rows], planted.concepts[rows])
    again = load_linear(config, model.arrays())
    np.testing.assert_array_equal(
        again.predict(planted.X, planted.test), model.predict(planted.X, planted.test)
    )


def test_an_unfitted_one_says_so(planted):
    with pytest.raises(ModelError, match="the quadratic decoder is not fitted yet: call fit"):
        build_linear(QuadraticDecoderConfig()).predict(planted.X, planted.test)


def test_a_target_without_variance_is_refused(planted):
    rows = planted.train
    with pytest.raises(ModelError, match=r"target 1 of 1 has the same rating \(3\) in all 192"):
        build_linear(QuadraticDecoderConfig()).fit(
            planted.X, rows, np.full((192, 1), 3, "f4"), planted.concepts[rows]
        )
