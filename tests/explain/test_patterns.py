import numpy as np
import pytest
import torch

from thingsviz.core.errors import ConfigError
from thingsviz.explain.patterns import of_other_trials, pattern


def test_the_mean_of_other_trials():
    outputs = np.array([[1.0], [3.0], [5.0], [7.0], [100.0]], "f4")
    mean, there = of_other_trials(outputs, np.array(["a", "a", "a", "b", "c"]))
    assert list(there) == [0, 1, 2]
    assert mean[:, 0].tolist() == [4, 3, 2]


def test_patterns_find_signal_where_weights_find_noise(rng):
    """Haufe's example: voxel 0 has signal and noise, voxel 1 noise only; w = (1, −1)."""
    n = 4000
    concepts = np.repeat(np.arange(n // 8), 8)
    signal = rng.standard_normal(n // 8)[concepts]
    noise = rng.standard_normal(n)
    x = np.column_stack([signal + noise, noise, rng.standard_normal(n)]).astype("f4")
    weights = np.array([[1.0], [-1.0], [0.0]], "f4")

    def read(rows):
        yield from torch.from_numpy(x[rows]).split(64)

    found, used = pattern(read, lambda t: t.numpy() @ weights, np.arange(n), concepts.astype(str))
    assert used == n
    np.testing.assert_allclose(found, [0.5, 0, 0], atol=0.05)


def test_a_trials_own_noise_does_not_count(rng):
    """The output is voxel 0; voxel 1 shares its noise, not its signal."""
    n = 4000
    concepts = np.repeat(np.arange(n // 4), 4)
    shared = rng.standard_normal(n)
    x = np.column_stack([rng.standard_normal(n // 4)[concepts] + shared, shared]).astype("f4")

    def read(rows):
        yield from torch.from_numpy(x[rows]).split(64)

    found, _ = pattern(read, lambda t: t.numpy()[:, :1], np.arange(n), concepts.astype(str))
    assert found[0] > 0.3
    assert abs(found[1]) < 0.02


def test_concepts_shown_once_have_no_pattern(rng):
    outputs = rng.standard_normal((5, 2)).astype("f4")
    with pytest.raises(ConfigError, match="concepts shown more than once, but 0 of 5"):
        of_other_trials(outputs, np.arange(5).astype(str))
