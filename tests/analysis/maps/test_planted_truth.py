import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from thingsviz.analysis.maps import planted_truth
from thingsviz.core.errors import DataError


@pytest.mark.parametrize("weighted", [False, True])
def test_auc_is_sklearns(weighted, rng):
    signal = np.where(rng.random(300) < 0.3, rng.random(300), 0)
    values = np.round(signal + rng.standard_normal(300), 1)  # with ties
    weights = np.where(signal > 0, signal if weighted else 1, 1)
    wanted = roc_auc_score(signal > 0, values, sample_weight=weights)
    assert planted_truth.auc(values, signal, weighted) == pytest.approx(wanted)


def test_auc_without_truth_is_nothing(rng):
    assert np.isnan(planted_truth.auc(rng.random(9), np.zeros(9), False))
    assert planted_truth.auc(np.ones(9), np.eye(9)[0], True) == 0.5


def test_truth_of_a_planted_subject(tiny):
    path = tiny / "tiny" / "derivatives" / "planted" / "sub-01" / "truth.npz"
    with np.load(path) as found:
        n = len(found["noise_ceiling"])
    truth = planted_truth.read_truth(path, n)
    assert truth is not None
    assert 0.05 < (truth.signal > 0).mean() < 0.8
    with pytest.raises(DataError, match="plant the subject again"):
        planted_truth.read_truth(path, n + 1)
    assert planted_truth.read_truth(path.with_name("none.npz"), n) is None


def test_agreement_groups_what_is_alike(rng):
    a, b = rng.random((2, 200))
    maps = np.stack([a, b, a + 0.05 * rng.random(200), b + 0.05 * rng.random(200)])
    r, dice, order = planted_truth.agreement(maps)
    assert r[0, 2] > 0.95
    assert abs(r[0, 1]) < 0.3
    assert dice[1, 3] > 0.7
    assert {frozenset(order[:2]), frozenset(order[2:])} == {frozenset({0, 2}), frozenset({1, 3})}
    assert list(planted_truth.agreement(maps[:2])[2]) == [0, 1]


def test_correlation_with_a_flat_map_is_nothing(rng):
    values = rng.random(50)
    assert np.isnan(planted_truth.rank_correlation(values, np.ones(50)))
    assert planted_truth.rank_correlation(values, values**3) == pytest.approx(1)
    assert planted_truth.overlap(values, values) == 1
    assert planted_truth.overlap(values, -values) == 0


@pytest.mark.parametrize("at", [0.2, 0.5, 0.97])
def test_a_damaged_truth_is_said(tmp_path, at):
    path = tmp_path / "truth.npz"
    np.savez_compressed(path, noise_ceiling=np.arange(500.0))
    raw = bytearray(path.read_bytes())
    raw[int(at * len(raw))] ^= 16
    path.write_bytes(raw)
    with pytest.raises(DataError, match="cannot be read"):
        planted_truth.read_truth(path, 500)


def test_a_truth_in_a_zip_of_the_future_is_said(tmp_path):
    path = tmp_path / "truth.npz"
    np.savez_compressed(path, noise_ceiling=np.arange(500.0))
    raw = bytearray(path.read_bytes())
    raw[raw.rfind(b"PK\x01\x02") + 6] = 255  # the version that is needed to unpack it
    path.write_bytes(raw)
    with pytest.raises(DataError, match="cannot be read"):
        planted_truth.read_truth(path, 500)
