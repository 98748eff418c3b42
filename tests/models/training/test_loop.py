import math

import numpy as np
import pytest
import torch

from models.base.arrays import ArrayTrials
from models.base.errors import ModelError
from models.catalog.registry import build_network
from models.training.config import FitConfig
from models.training.loop import FitData, Hooks, fit_network, predict_network
from models.training.losses import supervised
from models.transformer.vit3d_config import ViT3DConfig
from tests.models.conftest import correlation


def data_of(planted, Y=None):
    ratings = planted.Y if Y is None else Y
    return FitData(planted.X, ratings, planted.train, planted.validation)


def train(planted, model, fit, hooks=None, Y=None):
    network = build_network(model, planted.mask, planted.Y.shape[1], seed=fit.seed)
    return network, fit_network(network, data_of(planted, Y), fit, hooks)


def test_a_local_network_recovers_a_planted_signal(planted, small, quick):
    network, result = train(planted, small, quick)
    guess = predict_network(network, planted.X, planted.test)
    truth = planted.Y[planted.test]
    assert result.finished
    assert correlation(guess, truth) > 0.5
    mean = ((planted.Y[planted.train].mean(0) - truth) ** 2).mean()
    assert ((guess - truth) ** 2).mean() < 0.8 * mean


def test_in_noise_the_best_epoch_is_near_the_mean(noise, small, quick):
    network, _ = train(noise, small, quick)
    guess, truth = predict_network(network, noise.X, noise.test), noise.Y[noise.test]
    mean = ((noise.Y[noise.train].mean(0) - truth) ** 2).mean()
    assert ((guess - truth) ** 2).mean() < 1.2 * mean
    assert abs(correlation(guess, truth)) < 0.3


def test_predictions_are_on_the_given_scale(planted, small, quick):
    tenfold = planted.Y * 10 + 100
    network, result = train(planted, small, quick)
    other, same = train(planted, small, quick, Y=tenfold)
    plain = predict_network(network, planted.X, planted.test)
    np.testing.assert_allclose(
        predict_network(other, planted.X, planted.test), plain * 10 + 100, rtol=2e-3
    )
    assert same.history[-1]["validation_loss"] == pytest.approx(
        result.history[-1]["validation_loss"], rel=1e-2
    )


def test_without_scaling_losses_are_on_the_given_scale(planted, small, quick):
    fit = quick.model_copy(update={"target_scaling": "none", "epochs": 1})
    network, result = train(planted, small, fit)
    assert network.target_scale.sd.eq(1).all()
    guess = predict_network(network, planted.X, planted.validation)
    plain = ((guess - planted.Y[planted.validation]) ** 2).mean()
    assert result.history[0]["validation_loss"] == pytest.approx(plain, rel=1e-4)


def test_reports_tell_the_whole_story(planted, small, quick):
    rows = []
    fit = quick.model_copy(update={"epochs": 2, "batch_size": 50})
    train(planted, small, fit, Hooks(report=rows.append, report_every=3))
    kinds = [(r["kind"], r["epoch"], r["step"]) for r in rows]
    assert kinds == [
        ("step", 1, 3),
        ("step", 1, 4),
        ("epoch", 1, 4),
        ("step", 2, 7),
        ("step", 2, 8),
        ("epoch", 2, 8),
    ]
    last = rows[-1]
    assert set(last) == {
        *("kind", "epoch", "step", "lr", "train_loss"),
        *("validation_loss", "validation_r", "best"),
    }
    weighted = (3 * rows[3]["train_loss"] + rows[4]["train_loss"]) / 4
    assert last["train_loss"] == pytest.approx(weighted)


def test_validation_numbers_are_those_of_the_predictions(planted, small, quick):
    network, result = train(planted, small, quick.model_copy(update={"epochs": 3}))
    best = result.history[result.best_epoch - 1]
    rows = planted.validation
    guess = predict_network(network, planted.X, rows)
    assert best["validation_r"] == pytest.approx(correlation(guess, planted.Y[rows]), abs=1e-4)
    z = (guess - planted.Y[rows]) / planted.Y[planted.train].std(0)
    assert best["validation_loss"] == pytest.approx((z**2).mean(), rel=1e-3)
    assert best["best"]
    assert result.best_value == best["validation_loss"]


@pytest.mark.parametrize("best_by", ["validation_loss", "validation_r"])
def test_the_best_epoch_is_kept(planted, small, quick, best_by):
    fit = quick.model_copy(update={"best_by": best_by, "learning_rate": 0.02, "epochs": 6})
    _, result = train(planted, small, fit)
    values = [row[best_by] for row in result.history]
    pick = np.argmin if best_by == "validation_loss" else np.argmax
    assert result.best_epoch == 1 + pick(values)
    assert result.best_value == values[result.best_epoch - 1]


def test_early_stopping_waits_as_long_as_asked(noise, small, quick):
    fit = quick.model_copy(update={"early_stopping": 2, "epochs": 50, "learning_rate": 0.01})
    _, result = train(noise, small, fit)
    assert result.epochs == result.best_epoch + 2 < 50


def test_micro_batches_make_the_same_step(planted, small, quick):
    still = small.model_copy(update={"dropout": 0, "input_dropout": 0})
    fit = quick.model_copy(update={"epochs": 2, "batch_size": 20})
    whole, result = train(planted, still, fit)
    parts, other = train(planted, still, fit.model_copy(update={"micro_batch_size": 7}))
    for a, b in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=2e-4, rtol=1e-3)
    assert other.history[-1]["train_loss"] == pytest.approx(
        result.history[-1]["train_loss"], rel=1e-3
    )


def test_huber_and_a_set_number_of_batches_train_too(planted, small, quick):
    fit = quick.model_copy(
        update={"loss": "huber", "huber_delta": 0.5, "batches_per_epoch": 15, "epochs": 4}
    )
    _, result = train(planted, small, fit)
    losses = [row["validation_loss"] for row in result.history]
    assert losses[-1] < losses[0]


def test_bfloat16_is_close_to_float32(planted, small, quick):
    fit = quick.model_copy(update={"epochs": 2})
    exact, _ = train(planted, small, fit)
    coarse, _ = train(planted, small, fit.model_copy(update={"precision": "bfloat16"}))
    a, b = (predict_network(n, planted.X, planted.test) for n in (exact, coarse))
    assert correlation(a, b) > 0.98


def test_validation_can_be_limited_to_the_same_few_trials(planted, small, quick):
    fit = quick.model_copy(update={"epochs": 1, "validation_batches": 1, "batch_size": 8})
    seen = []

    class Watched(ArrayTrials):
        def batch(self, rows):
            seen.append(rows)
            return super().batch(rows)

    network = build_network(small, planted.mask, 3)
    data = FitData(Watched(planted.X.array), planted.Y, planted.train, planted.validation)
    fit_network(network, data, fit)
    assert len(seen[-1]) == 8
    assert set(seen[-1]) <= set(planted.validation)


def test_the_report_preset_trains_on_a_small_brain(planted):
    """Dense tokens, shared embedding, CLS, given scale: the plain setting keeps working."""
    model = ViT3DConfig(patch_size=(3, 4, 5), embed_dim=32, n_layers=3, n_heads=8)
    fit = FitConfig(
        epochs=3, batches_per_epoch=8, target_scaling="none", device="cpu", precision="float32"
    )
    _, result = train(planted, model, fit)
    losses = [row["validation_loss"] for row in result.history]
    assert losses[-1] < losses[0]
    assert math.isfinite(result.best_value)


@pytest.mark.parametrize("part", ["train", "validation"])
def test_an_empty_part_is_refused(planted, small, quick, part):
    data = {"train": planted.train, "validation": planted.validation, part: np.array([], int)}
    word = {"train": "training", "validation": "validation"}[part]
    with pytest.raises(ModelError, match=f"the {word} part has no trials"):
        fit_network(
            build_network(small, planted.mask, 3), FitData(planted.X, planted.Y, **data), quick
        )


def test_missing_ratings_are_refused(planted, small, quick):
    Y = planted.Y.copy()
    Y[planted.validation[:3], 0] = np.nan
    with pytest.raises(ModelError, match=r"3 of 64 validation trials lack a rating"):
        train(planted, small, quick, Y=Y)


def test_a_loss_that_is_no_number_stops_the_training(planted, small, quick):
    broken = planted.X.array.copy()
    broken[planted.train] = np.nan
    network = build_network(small, planted.mask, 3)
    data = FitData(ArrayTrials(broken), planted.Y, planted.train, planted.validation)
    with pytest.raises(ModelError, match=r"loss became nan in epoch 1, batch 1: lower the learn"):
        fit_network(network, data, quick)


def test_no_rows_give_no_predictions(planted, small):
    network = build_network(small, planted.mask, 3)
    assert predict_network(network, planted.X, np.array([], int)).shape == (0, 3)


def test_predictions_do_not_depend_on_the_batch(planted, small):
    network = build_network(small.model_copy(update={"start": "random"}), planted.mask, 3)
    one = predict_network(network, planted.X, planted.test, FitConfig(batch_size=1))
    many = predict_network(network, planted.X, planted.test, FitConfig(batch_size=64))
    np.testing.assert_allclose(one, many, atol=0.05)


def test_a_step_of_ones_own_is_what_is_learned(planted, small, quick):
    """The recipe's own loss handed in is the same training; another loss is another one."""
    plain, _ = train(planted, small, quick)
    same, _ = train(planted, small, quick, Hooks(step=supervised(quick)))
    for ours, theirs in zip(plain.parameters(), same.parameters(), strict=True):
        assert torch.equal(ours, theirs)

    def to_zero(model, batch):
        return model(batch.x).square().mean()

    _, result = train(planted, small, quick, Hooks(step=to_zero))
    losses = [row["train_loss"] for row in result.history if row["train_loss"] is not None]
    assert losses[-1] < 0.05  # of outputs that begin at, and need only stay at, zero
