"""What a training was doing, read off losses whose answer is known."""

import math

import pytest

from thingsviz.analysis.curves.overfitting import (
    answer,
    best_epoch,
    guessing_loss,
    stopped_at,
    verdict,
)

GUESS = math.log(100)
FALLING = [GUESS * x for x in (1, 0.9, 0.8, 0.7, 0.6)]
RISING = [GUESS * x for x in (0.98, 0.95, 0.97, 1.0, 1.1)]


def test_rising_validation_under_a_falling_training_is_overfitting():
    found = verdict(FALLING, RISING, 100, 5)
    assert found.word == "overfitting"
    assert "lowest after epoch 2" in found.sentence
    assert "no better than guessing" not in found.sentence
    worse = verdict(FALLING, [GUESS * 1.01, *(GUESS * 1.2 for _ in range(4))], 100, 5)
    assert "no better than guessing" in worse.sentence


def test_losses_that_still_fall_are_underfitting():
    assert verdict(FALLING, FALLING, 100, 5).word == "underfitting"
    flat = [GUESS * 0.99] * 5
    assert verdict(flat, flat, 100, 5).word == "underfitting"  # it has hardly learned


def test_losses_that_stand_still_have_levelled_off():
    still = [GUESS * x for x in (0.9, 0.8, 0.8, 0.8, 0.8)]
    assert verdict(still, still, 100, 5).word == "levelled off"
    assert "by heart" in verdict([GUESS * 0.1] * 5, still, 100, 5).sentence
    assert "by heart" not in verdict(still, still, 100, 5).sentence


def test_an_epoch_looks_at_no_later_one():
    assert verdict(FALLING, RISING, 100, 2).word != "overfitting"
    assert verdict(FALLING, RISING, 100, 99) == verdict(FALLING, RISING, 100, 5)


def test_early_stopping_ends_where_the_loop_would():
    assert stopped_at([3, 2, 1, 1.5, 1.2, 1.1, 0.5], patience=3) == 6
    assert stopped_at([3, 2, 1], patience=3) is None
    assert best_epoch([3, 1, 2]) == 2
    assert best_epoch([3, 2, 1], upto=2) == 2
    assert guessing_loss(720) == pytest.approx(6.579, abs=1e-3)


def row(share, l2, validation, model="mlp"):
    return {
        "model": model,
        "share": share,
        "l2": l2,
        "n_train": int(400 * share),
        "train_loss": FALLING,
        "validation_loss": validation,
        "validation_top10": [0.1] * 5,
    }


def test_the_answer_is_a_sentence_a_classifier():
    lower = [x * 0.9 for x in RISING]
    rows = [
        row(0.25, 0, RISING),
        row(1, 0, RISING),
        row(1, 0.01, lower),
        row(1, 0, lower, "cnn3d"),
    ]
    first, second = answer(rows, 100)
    assert first.startswith("**mlp**: overfitting at 5 epochs.")
    assert "Early stopping would have ended it after epoch 5 and kept epoch 2" in first
    assert "L2 of 0.01 lowered" in first
    assert "From 100 to 400 trials did not lower it" in first
    assert second.startswith("**cnn3d**")
    assert answer(rows[:1], 100) == []
