import numpy as np
import pytest
import torch

from thingsviz.explain import shared_noise
from thingsviz.explain.patterns import pattern
from thingsviz.explain.shared_noise import Covariances, SharedNoise, cleaned, halves, within

N_CONCEPTS, EACH, N_VOXELS = 60, 8, 120


@pytest.fixture
def subject(rng):
    """Voxels 0 to 59 have signal; all share two fields of noise three times as strong."""
    concepts = np.repeat(np.arange(N_CONCEPTS), EACH)
    signal = rng.standard_normal((N_CONCEPTS, 1))[concepts]
    tuning = np.where(np.arange(N_VOXELS) < 60, rng.choice([-0.4, 0.4], N_VOXELS), 0.0)
    fields = rng.standard_normal((len(concepts), 2)) @ rng.standard_normal((2, N_VOXELS))
    x = signal * tuning + 1.5 * fields + rng.standard_normal(fields.shape)
    return x.astype("f4"), concepts.astype(str), signal.astype("f4")


def maps(subject, clean):
    x, concepts, signal = subject

    def read(rows):
        yield from torch.from_numpy(np.hstack([x, signal])[rows]).split(50)

    def said(batch):
        return batch.numpy()[:, -1:]

    return pattern(read, said, np.arange(len(x)), concepts, clean)[0][:N_VOXELS]


def test_signal_is_seen_when_shared_noise_is_gone(subject):
    plain, clean = (maps(subject, c) for c in (False, True))
    gap = [m[:60].mean() - m[60:].mean() for m in (plain, clean)]
    assert gap[1] > 2 * gap[0]
    assert abs(clean[60:].mean()) < 0.01  # nothing appears where nothing is


def test_the_fields_are_found(subject):
    x, concepts, signal = subject
    shared = shared_noise.shared_noise(x, signal, concepts)
    assert 2 <= shared.n_axes <= 4
    # what is in both fields is in the axes, and the signal is not
    explained = np.linalg.lstsq(shared.within, within(x[:, 60:], concepts), rcond=None)[1]
    assert explained.sum() < 0.35 * (within(x[:, 60:], concepts) ** 2).sum()
    r = np.corrcoef(shared.strength[:, :2].T, signal[:, 0])[-1, :2]
    assert np.abs(r).max() < 0.3


def test_moments_are_those_of_cleaned_responses(subject):
    """The plain way: responses are cleaned one by one, then covariances are taken."""
    x, concepts, signal = subject
    shared = shared_noise.shared_noise(x, signal, concepts)
    y = np.hstack([signal, shared.strength, shared.within]).astype(float)
    y, xc = y - y.mean(0), (x - x.mean(0)).astype(float)
    n = len(x)
    found = cleaned(Covariances(xc.T @ y / n, y.T @ y / n, (xc**2).mean(0)), 1)
    B = np.linalg.lstsq(shared.within, xc, rcond=None)[0]
    plain = xc - (shared.strength - shared.strength.mean(0)) @ B
    np.testing.assert_allclose(found.cross, plain.T @ y[:, :1] / n, atol=1e-6)
    np.testing.assert_allclose(found.variance, (plain**2).mean(0), atol=1e-5)
    np.testing.assert_allclose(found.among, [[(y[:, 0] ** 2).mean()]])


def test_few_trials_are_left_as_they_are(rng):
    x, concepts = rng.standard_normal((16, 30)).astype("f4"), np.repeat(list("abcd"), 4)
    shared = shared_noise.shared_noise(x, x[:, :2], concepts)
    assert shared.n_axes == 0
    some = Covariances(x.T, np.eye(2), x.var(0))
    assert cleaned(some, 2) is some


def test_noise_within_concepts_has_no_concept_in_it(subject):
    x, concepts, _ = subject
    left = within(x, concepts)
    means = [left[concepts == c].mean() for c in np.unique(concepts)]
    np.testing.assert_allclose(means, 0, atol=1e-5)


def test_halves_share_each_concept(rng):
    concepts = rng.choice(list("abc"), 31)
    half = halves(concepts)
    for concept in "abc":
        own = half[concepts == concept]
        assert abs(own.sum() - (~own).sum()) <= 1
    assert (halves(concepts) == half).all()


def test_shared_counts_its_axes():
    assert SharedNoise(np.zeros((5, 3)), np.zeros((5, 3))).n_axes == 3
