"""Estimators give what their cores give, from any kind of X, and work in scikit-learn's tools."""

import ast
import doctest
from inspect import signature

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models import api
from models.api import classifiers, linear
from models.api.write_stub import STUB, stub
from models.base.arrays import ArrayTrials, TrialView
from models.base.errors import ModelError
from models.catalog.registry import MODELS, build_linear, build_network
from models.training.config import FitConfig
from models.training.data import FitData
from models.training.loop import fit_network
from models.training.predict import predict_network

LINEAR = [
    api.Ridge(n_alphas=5),
    api.BandedRidge(n_candidates=4, n_alphas=3),
    api.ConceptDecoder(),
    api.QuadraticDecoder(),
    api.EncodingInversion(),
    api.Mean(),
]
SHORT = {"epochs": 2, "batches_per_epoch": 3, "learning_rate": 0.01, "precision": "float32"}


def test_every_model_has_an_estimator_with_the_fields_of_its_settings():
    assert set(api.ESTIMATORS) == set(MODELS)
    names = {cls.__name__ for cls in api.ESTIMATORS.values()}
    assert names == set(api.__all__) - {"Settings", "setting"}
    for name, cls in api.ESTIMATORS.items():
        known = set(MODELS[name].config.model_fields) - {"name"}
        if MODELS[name].kind == "network":
            assert not known & set(FitConfig.model_fields), "two settings of one name"
            known |= set(FitConfig.model_fields)
        assert set(signature(cls).parameters) - {"mask", "profiles"} == known
        assert cls().config == MODELS[name].config()


def test_the_stub_says_what_the_classes_have():
    assert ast.dump(ast.parse(STUB.read_text())) == ast.dump(ast.parse(stub())), (
        "run python -m models.api.write_stub"
    )


@pytest.mark.parametrize("estimator", LINEAR, ids=lambda e: type(e).__name__)
def test_arrays_maps_and_trial_matrices_give_the_core_s_predictions(estimator, planted, tmp_path):
    p, rows, test = planted, planted.train, planted.test
    core = build_linear(estimator.config).fit(p.X, rows, p.Y[rows], p.concepts[rows])
    expected = core.predict(p.X, test)
    np.save(tmp_path / "X.npy", p.X.array)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    for X in (p.X.array, mapped, TrialView(p.X)):
        fitted = clone(estimator).fit(X[rows], p.Y[rows], groups=p.concepts[rows])
        assert np.array_equal(fitted.predict(X[test]), expected)
    assert fitted.predict(ArrayTrials(p.X.array[test])).tobytes() == expected.tobytes()


def test_a_whole_map_is_not_read_to_be_checked(tmp_path):
    X = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", "f2", (40, 30))
    X[:] = np.random.default_rng(0).standard_normal(X.shape)
    X[3, 4] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        api.Mean().fit(np.array(X), np.arange(40.0))
    api.Mean().fit(X, np.arange(40.0))


def test_weights_say_the_same_as_predictions(planted):
    p = planted
    ridge = api.Ridge().fit(p.X.array[p.train], p.Y[p.train])
    by_hand = p.X.array[p.test] @ ridge.coef_.T + ridge.intercept_
    np.testing.assert_allclose(ridge.predict(p.X.array[p.test]), by_hand, atol=1e-4)


def test_without_groups_trials_of_equal_ratings_are_one_concept(planted):
    p = planted
    given = api.Ridge().fit(p.X.array[p.train], p.Y[p.train], p.concepts[p.train])
    guessed = api.Ridge().fit(p.X.array[p.train], p.Y[p.train])
    alphas = [e.model_.arrays()["held_out_r"] for e in (given, guessed)]
    assert alphas[1].mean() == pytest.approx(alphas[0].mean(), abs=0.1)
    alone = api.Ridge().fit(p.X.array[p.train], p.Y[p.train], np.arange(len(p.train)))
    assert alone.model_.arrays()["held_out_r"].mean() > alphas[0].mean(), "it knows the concepts"


def test_scikit_learn_s_tools_take_them(planted):
    p = planted
    X, Y, concepts = p.X.array, p.Y, p.concepts
    folds = GroupKFold(3)
    search = GridSearchCV(api.Ridge(n_alphas=3), {"score_power": [0.0, 0.5]}, cv=folds)
    search.fit(X, Y, groups=concepts)
    assert search.best_params_.keys() == {"score_power"}
    pipe = make_pipeline(StandardScaler(), api.Ridge(n_alphas=3))
    for data in (X, TrialView(p.X)):
        guess = cross_val_predict(pipe, data, Y, groups=concepts, cv=folds)
        assert guess.shape == Y.shape
        assert np.corrcoef(guess[:, 0], Y[:, 0])[0, 1] > 0.3


def test_numpy_numbers_are_settings_as_well():
    assert api.Ridge(n_alphas=np.int64(4), held_out=np.float32(0.5)).config.n_alphas == 4


def test_a_wrong_parameter_is_named():
    with pytest.raises(TypeError, match="n_alphas"):
        api.Ridge(n_alpha=3)
    with pytest.raises(ModelError, match="n_alphas"):
        api.Ridge(n_alphas=0).fit(np.eye(20), np.arange(20))


def test_one_line_says_what_is_not_as_usual(planted):
    network = api.ViT3D(mask=planted.mask, patch_size=(3, 4, 5))
    assert repr(network) == "ViT3D(mask=<bool (6, 8, 5)>, patch_size=(3, 4, 5))"
    assert repr(api.Ridge()) == "Ridge()"


def test_a_network_trains_as_its_core_does(planted):
    p = planted
    rows = np.concatenate([p.train, p.validation])
    network = api.ViT3D(mask=p.mask, patch_size=(3, 4, 5), embed_dim=16, n_layers=1, **SHORT)
    network.fit(p.X.array[rows], p.Y[rows], p.concepts[rows], np.isin(rows, p.validation))
    core = build_network(network.config, p.mask, p.Y.shape[1], None, 0)
    fit_network(core, FitData(p.X, p.Y, p.train, p.validation, p.concepts), network.fit_config)
    expected = predict_network(core, p.X, p.test, network.fit_config)
    assert np.array_equal(network.predict(p.X.array[p.test]), expected)
    assert clone(network).fit(p.X.array, p.Y).predict(p.X.array).shape == p.Y.shape


def test_the_loss_decides_whether_a_network_names_classes(planted):
    p = planted
    y = np.where(p.Y[:, 0] > 4, "high", "low")
    mlp = api.MLP(mask=p.mask, input="brain", hidden=8, **SHORT)
    assert is_regressor(mlp)
    assert not hasattr(mlp, "predict_proba")
    mlp.set_params(loss="cross_entropy", epochs=8)
    assert is_classifier(mlp)
    mlp.fit(p.X.array, y)
    assert set(mlp.predict(p.X.array)) <= {"high", "low"}
    assert mlp.score(p.X.array, y) > 0.6
    np.testing.assert_allclose(mlp.predict_proba(p.X.array).sum(1), 1, rtol=1e-5)


def test_a_network_needs_a_mask_that_fits(planted):
    with pytest.raises(ModelError, match="mask"):
        api.MLP().fit(planted.X.array, planted.Y)
    with pytest.raises(ModelError, match="mask"):
        api.MLP(mask=np.ones((2, 2, 2), bool)).fit(planted.X.array, planted.Y)


def test_identification_needs_a_profile_of_every_class(planted):
    with pytest.raises(ModelError, match="profiles"):
        api.Identification().fit(planted.X.array, planted.concepts)
    with pytest.raises(ModelError, match="profile"):
        api.Identification(profiles={0: planted.Y[0]}).fit(planted.X.array, planted.concepts)


@pytest.mark.parametrize("module", [linear, classifiers])
def test_the_examples_in_the_docs_run(module):
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)
