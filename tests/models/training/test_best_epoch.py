import numpy as np
import pytest
import torch

from models.training.best_epoch import FittedStart, blocks_of, keep, validation_rows
from models.training.config import FitConfig
from models.training.data import TrainingProgress

LOSS = FitConfig(start_margin=1)
R = FitConfig(start_margin=1, best_by="validation_r")


def started(rng, n=400, n_concepts=40):
    truth = torch.from_numpy(rng.standard_normal((n, 3)))
    guess = 0.5 * truth + torch.from_numpy(rng.standard_normal((n, 3)))
    return FittedStart(guess, truth, blocks_of(np.arange(n) % n_concepts, np.arange(n)))


def go(config, epochs):
    """Feed epochs of (validation loss, gain, its error); return the place and the taken ones."""
    place, taken = TrainingProgress(), []
    for epoch, (loss, gain, se) in enumerate(epochs):
        scores = {"validation_loss": loss} | ({"gain": gain, "gain_se": se} if epoch else {})
        keep(config, place, scores, epoch, lambda e=epoch: taken.append(e))
    return place, taken


@pytest.mark.parametrize("config", [LOSS, R])
def test_the_same_guesses_gain_nothing_and_better_ones_something(config, rng):
    start = started(rng)
    same = start.gain(config, start.guess.clone())
    assert (same["gain"], same["gain_se"]) == (0, 0)
    better = start.gain(config, (start.guess + start.truth) / 2)
    assert better["gain"] > 3 * better["gain_se"] > 0
    worse = start.gain(config, start.guess + 5 * torch.from_numpy(rng.standard_normal((400, 3))))
    assert worse["gain"] < 0


def test_the_error_of_a_loss_is_that_of_a_mean_over_concepts(rng):
    """With a block a concept, the jackknife of a mean is its standard error, by definition."""
    start = started(rng)
    guess = start.guess + 0.3 * torch.from_numpy(rng.standard_normal((400, 3)))
    before, after = ((g - start.truth).square().mean(1).numpy() for g in (start.guess, guess))
    means = np.array([(before - after)[start.blocks == b].mean() for b in range(40)])
    found = start.gain(LOSS, guess)
    assert found["gain"] == pytest.approx(means.mean())
    assert found["gain_se"] == pytest.approx(means.std(ddof=1) / np.sqrt(40))


def test_the_error_of_r_is_how_much_it_varies_over_draws_of_concepts(rng):
    """200 validation sets of the same kind: the mean of the SE against their real spread."""
    found = []
    for _ in range(200):
        start = started(rng, n=200, n_concepts=40)
        guess = start.guess + 0.5 * torch.from_numpy(rng.standard_normal((200, 3)))
        found.append(start.gain(R, guess))
    real = np.std([one["gain"] for one in found])
    said = np.mean([one["gain_se"] for one in found])
    assert 0.8 < said / real < 1.25


def test_one_concept_has_no_error_to_speak_of(rng):
    assert started(rng, n_concepts=1).gain(LOSS, torch.zeros(400, 3)) == {}


def test_concepts_stay_together_in_at_most_50_blocks():
    groups = np.repeat([f"c{i}" for i in range(120)], 3)
    blocks = blocks_of(groups, np.arange(360))
    assert len(np.unique(blocks)) == 50
    assert all(len(set(blocks[i : i + 3])) == 1 for i in range(0, 360, 3))
    assert len(np.unique(blocks_of(None, np.arange(7)))) == 7


def test_a_gain_within_its_error_keeps_the_start():
    place, taken = go(LOSS, [(1.0, 0, 0), (0.98, 0.02, 0.03), (0.96, 0.04, 0.05)])
    assert (taken, place.best_epoch, place.lowest_epoch) == ([0], 0, 2)


def test_a_sure_gain_is_kept_and_then_the_best_of_the_sure_ones():
    epochs = [
        (1.0, 0, 0),
        (0.95, 0.05, 0.02),
        (0.94, 0.06, 0.09),
        (0.9, 0.1, 0.02),
        (0.92, 0.08, 0.02),
    ]
    place, taken = go(LOSS, epochs)
    assert (taken, place.best_epoch, place.best_value) == ([0, 1, 3], 3, 0.9)


def test_without_a_margin_any_gain_counts():
    place, taken = go(FitConfig(start_margin=0), [(1.0, 0, 0), (0.99, 0.01, 0.5)])
    assert (taken, place.best_epoch) == ([0, 1], 1)


def test_some_batches_of_validation_are_always_the_same():
    rows = np.arange(100, 200)
    some = FitConfig(validation_batches=2, batch_size=8)
    assert validation_rows(FitConfig(), rows) is rows
    assert len(validation_rows(some, rows)) == 16
    np.testing.assert_array_equal(validation_rows(some, rows), validation_rows(some, rows))
