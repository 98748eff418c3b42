"""Pearson's r per column, against numpy's, and where there is none."""

import numpy as np

from models.base.concepts import pearson


def test_it_is_numpys():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 50, 3)) + 100
    plain = [np.corrcoef(a[:, j], b[:, j])[0, 1] for j in range(3)]
    np.testing.assert_allclose(pearson(a, b), plain)
    np.testing.assert_allclose(pearson(a[:, 0], b[:, 0]), plain[0])


def test_a_constant_has_none():
    a = np.random.default_rng(1).normal(size=(50, 2))
    a[:, 1] = 0.1
    assert np.isnan(pearson(a, a)[1])
    assert pearson(a, -a)[0] == -1
