"""The table of scores: what each row says, and what a constant predictor gets for nothing."""

import time

import numpy as np
import pandas as pd
import pytest

from thingsviz.analysis.scores.concept_sums import part
from thingsviz.analysis.scores.metrics import constant_confidence, spread_ratio
from thingsviz.analysis.scores.score_table import (
    COLUMNS,
    MEAN,
    ScorePlace,
    ceiling_rows,
    model_rows,
)
from thingsviz.data.things.ratings import TARGETS_12

WHERE = ScorePlace("test", "single", ("nameability", "lives", "heavy"))


def make(rng, targets=3, n_concepts=100, n_repeats=12, gain=0.5):
    concepts = np.repeat(np.arange(n_concepts), n_repeats)
    true = np.clip(rng.normal(4, 1.2, (n_concepts, targets)), 1, 7)[concepts]
    predicted = 4 + gain * (true - 4) + rng.normal(0, 1.5, true.shape)
    sd = rng.uniform(1, 2, (n_concepts, targets))[concepts]
    sd[:, 0] = np.nan
    return part(true, predicted, sd, concepts)


@pytest.fixture
def data(rng):
    return make(rng)


def table(rows):
    frame = pd.DataFrame(rows).astype({"low": float, "p": float})
    assert tuple(frame.columns) == COLUMNS
    return frame.set_index(["model", "target", "metric"]).sort_index()


def test_every_target_and_the_mean_have_every_metric(data):
    rows = table(model_rows("ridge", WHERE, data, chance=True, n_draws=99))
    assert rows.index.is_unique
    metrics = {"r", "mse", "mae", "mse_unit", "mae_unit"}
    for model in ("ridge", "chance"):
        for target in (MEAN, "lives", "heavy"):
            assert set(rows.loc[(model, target)].index) == metrics | {"confidence"}
        # labels have no SD, hence no confidence
        assert set(rows.loc[(model, "nameability")].index) == metrics
    assert set(rows["n_trials"]) == {1200}
    assert set(rows["n_concepts"]) == {100}
    assert set(rows["part"]) == {"test"}
    assert set(rows["n_averaged"]) == {"single"}


def test_mean_row_is_the_mean_of_its_targets(data):
    rows = table(model_rows("ridge", WHERE, data, chance=False, n_draws=99))["value"]
    for metric in ("r", "mse", "mae_unit"):
        expected = np.mean([rows["ridge", target, metric] for target in WHERE.targets])
        assert rows["ridge", MEAN, metric] == pytest.approx(expected)


def test_unit_losses_are_on_the_scale_of_the_report(data):
    rows = table(model_rows("ridge", WHERE, data, chance=False, n_draws=9))["value"]
    assert rows["ridge", "lives", "mse_unit"] == pytest.approx(rows["ridge", "lives", "mse"] / 36)
    assert rows["ridge", "lives", "mae_unit"] == pytest.approx(rows["ridge", "lives", "mae"] / 6)
    assert rows["ridge", "nameability", "mse_unit"] == rows["ridge", "nameability", "mse"]


def test_signal_is_significant_and_its_chance_row_holds_zero(data):
    rows = table(model_rows("ridge", WHERE, data, chance=True, n_draws=199))
    for metric in ("r", "mse", "mae", "mse_unit", "mae_unit", "confidence"):
        assert rows.loc[("ridge", MEAN, metric), "p"] == 1 / 200, metric
    chance = rows.loc[("chance", MEAN, "r")]
    assert chance["low"] < 0 < chance["high"] < rows.loc[("ridge", MEAN, "r"), "low"]
    assert np.isnan(chance["p"])


def test_a_constant_predictor_gets_its_confidence_for_nothing(data):
    flat = data._replace(predicted=np.broadcast_to(data.true.mean(0), data.true.shape))
    rows = table(model_rows("mean", WHERE, flat, chance=False, n_draws=99))
    assert np.isnan(rows.loc[("mean", MEAN, "r"), "value"])
    assert rows.loc[("mean", MEAN, "mse"), "p"] == 1
    free = constant_confidence(spread_ratio(flat.true, flat.sd))[1:].mean()
    assert rows.loc[("mean", MEAN, "confidence"), "value"] == pytest.approx(free, abs=0.05)


def test_ceiling_stands_above_every_decoder(data):
    rows = table(
        [
            *model_rows("ridge", WHERE, data, chance=False, n_draws=9),
            *ceiling_rows(WHERE, data, np.full_like(data.true, 38)),
        ]
    )["value"]
    assert rows["ridge", "lives", "r"] < rows["ceiling", "lives", "r"] < 1
    assert rows["ceiling", "lives", "mse"] < rows["ridge", "lives", "mse"]
    assert ("ceiling", "nameability", "r") not in rows.index


def test_a_thousand_draws_of_twelve_targets_take_well_under_a_second(rng):
    data = make(rng, targets=12)
    where = ScorePlace("test", "single", TARGETS_12)
    start = time.process_time()
    model_rows("vit3d", where, data, chance=True, n_draws=1000)
    # 0.16 s on the machine it was written on
    assert time.process_time() - start < 2


def test_no_draws_from_two_concepts(rng):
    rows = table(model_rows("ridge", WHERE, make(rng, n_concepts=2), chance=True, n_draws=99))
    row = rows.loc[("ridge", "lives", "mse")]
    assert row["value"] > 0
    assert np.isnan(row["low"])
    assert np.isnan(row["p"])
