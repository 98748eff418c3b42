from functools import partial

import numpy as np
import pytest
import torch

from models.base.arrays import ArrayTrials
from models.base.errors import ModelError
from models.catalog.registry import build_network
from models.training.augment import Augmentation, Mixing, Noise, augmentations, read_mixed
from models.training.batches import read_ahead
from models.training.config import FitConfig
from models.training.loop import FitData, fit_network, predict_network
from tests.models.conftest import correlation

GROUPS = np.array(list("abcabcabdz"))
TRAIN = np.array([0, 1, 2, 3, 5, 6, 8])  # a: 0 3 6, b: 1, c: 2 5, d: 8


def drawn(chance=1.0, n=400, seed=0):
    config = FitConfig(repeat_mixing=chance, seed=seed)
    rows = np.random.default_rng(9).choice(TRAIN, n)
    return rows, Mixing(config, GROUPS, TRAIN).draw(0, [rows])[0]


def test_partners_show_the_same_and_are_fitting_trials():
    rows, mixing = drawn()
    assert (GROUPS[mixing.partner] == GROUPS[rows]).all()
    assert np.isin(mixing.partner, TRAIN).all()
    crowd = np.isin(rows, [0, 3, 6, 2, 5])
    assert (mixing.partner[crowd] != rows[crowd]).all()
    assert (mixing.partner[~crowd] == rows[~crowd]).all()  # nobody else shows b or d
    of_0 = mixing.partner[rows == 0]
    assert set(of_0) == {3, 6}  # each of the others, about equally often
    assert abs((of_0 == 3).mean() - 0.5) < 0.25


@pytest.mark.parametrize("chance", [0.0, 0.3, 1.0])
def test_so_many_trials_are_mixed_as_asked(chance):
    _, mixing = drawn(chance)
    assert abs((mixing.share < 1).mean() - chance) < 0.1
    assert mixing.share.min() >= 0.5


def test_the_same_epoch_draws_the_same():
    a, b, c = drawn(), drawn(), drawn(seed=1)
    np.testing.assert_array_equal(a[1].share, b[1].share)
    assert not np.array_equal(a[1].share, c[1].share)


def test_mixed_responses_are_those_of_the_formula():
    X = ArrayTrials(np.random.default_rng(0).standard_normal((10, 4)).astype("f4"))
    rows, mixing = drawn(0.5, n=6)
    ((same, block),) = read_mixed(partial(read_ahead, X), [rows], [mixing])
    share = mixing.share[:, None]
    plain = share * X.array[rows] + (1 - share) * X.array[mixing.partner]
    np.testing.assert_array_equal(same, rows)
    np.testing.assert_allclose(block, plain, rtol=1e-6)


def test_noise_has_the_sd_that_was_asked_for():
    torch.manual_seed(0)
    x = torch.ones(4, 20_000)
    assert augmentations(FitConfig(), None, TRAIN) == []
    (noise,) = augmentations(FitConfig(noise_sd=0.5), None, TRAIN)
    assert isinstance(noise, Noise)
    added = noise.change(x) - x
    assert added.std() == pytest.approx(0.5, rel=0.02)
    assert added.mean().abs() < 0.01


@pytest.mark.parametrize("settings", [{"repeat_mixing": 0.7}, {"noise_sd": 0.5}])
def test_a_varied_training_still_finds_the_signal(planted, small, quick, settings):
    fit = quick.model_copy(update={"epochs": 6, "micro_batch_size": 8} | settings)
    network = build_network(small, planted.mask, 3)
    data = FitData(planted.X, planted.Y, planted.train, planted.validation, planted.concepts)
    fit_network(network, data, fit)
    guess = predict_network(network, planted.X, planted.test)
    assert correlation(guess, planted.Y[planted.test]) > 0.2


def test_mixing_without_groups_is_refused(planted, small):
    data = FitData(planted.X, planted.Y, planted.train, planted.validation)
    network = build_network(small, planted.mask, 3)
    with pytest.raises(ModelError, match=r"repeat_mixing .* pass FitData\(groups=\.\.\.\)"):
        fit_network(network, data, FitConfig(repeat_mixing=0.5, device="cpu"))


def test_what_is_changed_is_what_the_network_sees(planted, small, quick, monkeypatch):
    class Nothing(Augmentation):
        def change(self, x, part=None):
            return x * np.nan

    monkeypatch.setattr("models.training.loop.augmentations", lambda *_: [Nothing()])
    network = build_network(small, planted.mask, 3)
    data = FitData(planted.X, planted.Y, planted.train, planted.validation, planted.concepts)
    with pytest.raises(ModelError, match="the loss became nan"):
        fit_network(network, data, quick)
