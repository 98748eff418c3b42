"""The support vector machine against scikit-learn's, and how C is chosen."""

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from models.base.arrays import ArrayTrials
from models.base.concepts import fitting_part
from models.base.errors import ModelError
from models.classify import linear_svm
from models.classify.config import LinearSVMConfig
from models.classify.labels import one_hot
from models.classify.linear_svm import UNSEEN, LinearSVM

WHOLE = {"n_selected_voxels": None, "n_components": None}


def block_design(strength=0.6, n_classes=4, n_runs=6, n_voxels=50, seed=0):
    """Four blocks a class and run: responses, labels, runs."""
    rng = np.random.default_rng(seed)
    labels = np.tile(np.repeat(np.arange(n_classes), 4), n_runs)
    runs = np.repeat(np.arange(n_runs), 4 * n_classes)
    X = strength * rng.standard_normal((n_classes, n_voxels))[labels]
    return (X + rng.standard_normal(X.shape)).astype("f4"), labels, runs


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("C", [1e-4, 1.0])
@pytest.mark.parametrize("n_voxels", [50, 150])
def test_it_is_sklearns_on_the_voxels(n_classes, C, n_voxels, monkeypatch):
    monkeypatch.setattr(linear_svm, "TOLERANCE", 1e-8)
    X, labels, runs = block_design(n_classes=n_classes, n_voxels=n_voxels)
    train, test = np.flatnonzero(runs > 0), np.flatnonzero(runs == 0)
    Y = one_hot(labels, n_classes)
    ours = LinearSVM(LinearSVMConfig(**WHOLE, C=C)).fit(ArrayTrials(X), train, Y[train], train)
    mean = X[train].mean(0)
    theirs = LinearSVC(C=C, tol=1e-8, max_iter=200_000).fit(X[train] - mean, labels[train])
    decision = theirs.decision_function(X[test] - mean)
    if n_classes == 2:
        decision = np.column_stack([-decision, decision])
    np.testing.assert_allclose(ours.predict(ArrayTrials(X), test), decision, atol=2e-3)


def test_c_is_chosen_on_held_out_trials_alone():
    X, labels, runs = block_design(n_runs=8)
    Y, rows = one_hot(labels, 4), np.flatnonzero(runs < 7)
    one = LinearSVM(LinearSVMConfig()).fit(ArrayTrials(X), rows, Y[rows], runs[rows])
    other = X.copy()
    other[runs == 7] = 100  # the test run may say nothing
    two = LinearSVM(LinearSVMConfig()).fit(ArrayTrials(other), rows, Y[rows], runs[rows])
    for name, value in one.arrays().items():
        np.testing.assert_array_equal(value, two.arrays()[name])
    X[runs < 7] = X[runs < 7][::-1]
    three = LinearSVM(LinearSVMConfig(n_values=1)).fit(ArrayTrials(X), rows, Y[rows], runs[rows])
    assert three.arrays()["C"] > 0


def test_the_chosen_c_names_more_than_one_far_too_small():
    """Classes of unequal size: with hardly any C the larger class takes all."""
    rng = np.random.default_rng(1)
    labels = (np.arange(400) % 8 == 0).astype(int)
    X = np.outer(labels - 0.5, np.ones(20)) * 0.8 + rng.standard_normal((400, 20))
    X, Y, rows = X.astype("f4"), one_hot(labels, 2), np.arange(300)
    test, hits = np.arange(300, 400), {}
    for name, C in (("chosen", None), ("tiny", 1e-8)):
        config = LinearSVMConfig(C=C)
        model = LinearSVM(config).fit(ArrayTrials(X), rows, Y[rows], rows)
        guess = model.predict(ArrayTrials(X), test).argmax(1)
        hits[name] = (guess == labels[test]).mean()
    assert hits["chosen"] > hits["tiny"]


def test_a_class_without_trials_is_never_named():
    X, labels, _ = block_design()
    wide = one_hot(labels, 6)
    rows = np.arange(len(X))
    guess = LinearSVM(LinearSVMConfig(C=1)).fit(ArrayTrials(X), rows, wide, rows)
    assert (guess.predict(ArrayTrials(X), rows)[:, 4:] < UNSEEN / 2).all()


def test_one_group_cannot_choose_c():
    X, labels, _ = block_design()
    rows, Y = np.arange(len(X)), one_hot(labels, 4)
    with pytest.raises(ModelError):
        LinearSVM(LinearSVMConfig()).fit(ArrayTrials(X), rows, Y, np.zeros(len(X)))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_c_is_the_one_with_most_hits_on_held_out_groups(seed):
    """Unequal classes, where a small C names the larger one: as scikit-learn chooses by hand."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(300) % 6 == 0).astype(int)
    X = (np.outer(labels - 0.5, np.ones(15)) + rng.standard_normal((300, 15))).astype("f4")
    rows, Y = np.arange(300), one_hot(labels, 2)
    config = LinearSVMConfig(**WHOLE, n_values=6)
    ours = LinearSVM(config).fit(ArrayTrials(X), rows, Y, rows // 10)
    fitting = fitting_part(rows // 10, config.held_out, config.seed)
    mean = X[fitting].mean(0)
    lengths = ((X[fitting] - mean) ** 2).sum(1).mean()
    candidates = np.logspace(*linear_svm.LOG10_C, 6) / lengths
    hits = [
        LinearSVC(C=C, max_iter=100_000)
        .fit(X[fitting] - mean, labels[fitting])
        .score(X[~fitting] - mean, labels[~fitting])
        for C in candidates
    ]
    assert ours.arrays()["C"][0] == pytest.approx(candidates[int(np.argmax(hits))], rel=1e-3)
    assert hits[0] < max(hits)
