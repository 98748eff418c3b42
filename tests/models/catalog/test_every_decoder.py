"""Every decoder of the registry: finds a strong planted signal, and nothing where nothing is.

One small brain with smooth signals; 40 concepts seen 6 times. Ratings are tested on concepts that
nobody trained on, classes on new trials. Chance is judged by exchanging concepts (ratings) or by
the binomial (classes) at 1 %: over 15 decoders and two kinds of nothing a new seed would let some
decoder fail about once in four runs, so the seed is fixed.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import binomtest

from models.base.arrays import ArrayTrials
from models.base.voxel_scores import encoding_score
from models.catalog.config import parse_model
from models.catalog.registry import MODELS, build_linear, build_network, needs_score
from models.classify.labels import one_hot
from models.training.config import FitConfig
from models.training.loop import FitData, fit_network, predict_network

SHAPE, N_CONCEPTS, N_REPEATS, N_LATENTS = (12, 14, 12), 40, 6, 4
N_TEST = 12  # concepts of ratings that nobody trains on
N_CLASSES = 10
LEVEL = 0.01
SMALL = {
    "vit3d": {
        "patch_size": (4, 7, 4),
        "tokens": "brain",
        "patch_embedding": "local",
        "embed_dim": 32,
        "n_layers": 1,
        "n_heads": 2,
        "pooling": "sum",
        "dropout": 0.0,
    },
    "cnn_vit": {
        "patch_size": (1, 3, 1),
        "first_channels": 4,
        "last_channels": 8,
        "embed_dim": 32,
        "n_layers": 1,
        "n_heads": 2,
    },
    "logistic": {"input": "brain"},
    "mlp": {"input": "brain", "hidden": 64},
    "cnn3d": {"channels": (8, 8, 16), "hidden": 32},
    "concept_decoder": {"n_axes": 12},
    "quadratic_decoder": {"n_axes": 12},
    "encoding_inversion": {},
}
ONLY_CLASSES = {"lda", "linear_svm", "multinomial_ridge", "identification"}
RATINGS = sorted(set(MODELS) - ONLY_CLASSES - {"mean"})
CLASSES = ["cnn3d", "lda", "linear_svm", "logistic", "mlp", "multinomial_ridge", "vit3d"]


@cache
def brain() -> np.ndarray:
    mask = np.ones(SHAPE, bool)
    mask[:2, :3] = False
    return mask


@cache
def world(signal: float):
    """Responses (n, n_voxels), concepts (n,) and their ratings (n, 4), z-scored."""
    rng = np.random.default_rng(5)
    concepts = np.repeat(np.arange(N_CONCEPTS), N_REPEATS)
    latent = rng.standard_normal((N_CONCEPTS, N_LATENTS))
    tuning = [gaussian_filter(rng.standard_normal(SHAPE), 2)[brain()] for _ in range(N_LATENTS)]
    tuning = np.array([t / t.std() for t in tuning])
    noise = rng.standard_normal((len(concepts), tuning.shape[1]))
    X = signal * latent[concepts] @ tuning + noise
    return X.astype("f4"), concepts, latent[concepts].astype("f4")


def config_of(name: str):
    return parse_model({"name": name, **SMALL.get(name, {})})


def fitted(name: str, X, Y, parts, groups, fit: FitConfig):
    """Predictions for the test rows of a decoder fitted on the others."""
    train, validation, test = parts
    config, trials = config_of(name), ArrayTrials(X)
    if MODELS[name].kind == "linear":
        model = build_linear(config, brain()).fit(trials, train, Y[train], groups[train])
        return model.predict(trials, test)
    score = encoding_score(trials, train, Y[train]) if needs_score(config) else None
    network = build_network(config, brain(), Y.shape[1], score, seed=0)
    fit_network(network, FitData(trials, Y, train, validation), fit)
    return predict_network(network, trials, test, fit)


def mean_r(true: np.ndarray, guess: np.ndarray) -> float:
    a, b = true - true.mean(0), guess - guess.mean(0)
    scale = np.sqrt((a**2).sum(0) * (b**2).sum(0))
    return float(np.mean((a * b).sum(0) / np.where(scale > 0, scale, 1)))


def p_of(true: np.ndarray, guess: np.ndarray, concepts: np.ndarray) -> float:
    """Share of exchanges of concepts that reach the mean r."""
    rng, found = np.random.default_rng(0), mean_r(true, guess)
    order = [np.flatnonzero(concepts == c) for c in np.unique(concepts)]
    rows = np.concatenate(order)
    drawn = [
        mean_r(true[np.concatenate([order[i] for i in rng.permutation(len(order))])], guess[rows])
        for _ in range(400)
    ]
    return (1 + sum(r >= found for r in drawn)) / 401


def ratings_of(name: str, signal: float, *, shuffled: bool = False):
    X, concepts, Y = world(signal)
    if shuffled:
        order = np.random.default_rng(1).permutation(N_CONCEPTS)
        Y = Y.reshape(N_CONCEPTS, N_REPEATS, -1)[order].reshape(Y.shape)
    parts = [
        np.flatnonzero((concepts >= a) & (concepts < b))
        for a, b in ((N_TEST + 6, N_CONCEPTS), (N_TEST, N_TEST + 6), (0, N_TEST))
    ]
    fit = FitConfig(
        epochs=12, batches_per_epoch=None, batch_size=16, learning_rate=3e-3, precision="float32"
    )
    guess = fitted(name, X, Y, parts, concepts, fit)
    return Y[parts[2]], guess, concepts[parts[2]]


@pytest.mark.parametrize("name", RATINGS)
def test_ratings_of_unseen_concepts_are_read_where_they_are(name):
    true, guess, concepts = ratings_of(name, 0.7)
    assert mean_r(true, guess) > 0.5
    assert p_of(true, guess, concepts) < LEVEL


@pytest.mark.parametrize("nothing", [{"signal": 0.0}, {"signal": 0.7, "shuffled": True}], ids=str)
@pytest.mark.parametrize("name", RATINGS)
def test_no_ratings_are_read_where_none_are(name, nothing):
    true, guess, concepts = ratings_of(name, **nothing)
    assert p_of(true, guess, concepts) > LEVEL


def hits_of(name: str, signal: float, *, shuffled: bool = False) -> tuple[int, int]:
    """How many of the new trials of ten classes come first under their own."""
    X, concepts, _ = world(signal)
    labels = concepts[: N_CLASSES * N_REPEATS].copy()
    if shuffled:
        labels = np.random.default_rng(2).permutation(labels)
    place = np.arange(len(labels)) % N_REPEATS
    parts = [np.flatnonzero(place < 4), np.flatnonzero(place == 4), np.flatnonzero(place == 5)]
    fit = FitConfig(
        epochs=20,
        batches_per_epoch=None,
        batch_size=8,
        learning_rate=3e-3,
        loss="cross_entropy",
        target_scaling="none",
        precision="float32",
    )
    guess = fitted(name, X, one_hot(labels, N_CLASSES), parts, labels, fit)
    return int((guess.argmax(1) == labels[parts[2]]).sum()), len(parts[2])


@pytest.mark.parametrize("name", CLASSES)
def test_classes_are_told_apart_where_they_differ(name):
    hits, n = hits_of(name, 1.0)
    assert binomtest(hits, n, 1 / N_CLASSES, alternative="greater").pvalue < LEVEL


@pytest.mark.parametrize("nothing", [{"signal": 0.0}, {"signal": 1.0, "shuffled": True}], ids=str)
@pytest.mark.parametrize("name", CLASSES)
def test_no_classes_are_told_apart_where_they_do_not(name, nothing):
    hits, n = hits_of(name, **nothing)
    assert binomtest(hits, n, 1 / N_CLASSES, alternative="greater").pvalue > LEVEL


def test_the_mean_reads_nothing_whatever_is_there():
    true, guess, _ = ratings_of("mean", 0.7)
    assert abs(mean_r(true, guess)) < 1e-6


def test_no_decoder_is_forgotten():
    assert set(RATINGS) | set(CLASSES) | {"mean", "identification"} == set(MODELS)
