"""Scores over folds: the corrected t by hand, its coverage by simulation, tables put together."""

import math

import numpy as np
import pytest
from scipy import stats

from thingsviz.analysis.scores.folds import (
    VARIED,
    FoldSizes,
    curves_over_folds,
    differences_over_folds,
    fold_mean,
    over_folds,
    p_above,
)

K = 12
SIZES = FoldSizes(np.full(K, 220.0), np.full(K, 20.0))


def test_the_interval_is_nadeau_and_bengios():
    values = np.array([0.5, 0.7, 0.6, 0.4])
    sizes = FoldSizes(np.full(4, 30.0), np.full(4, 10.0))
    found = fold_mean(values, sizes)
    se = math.sqrt((1 / 4 + 10 / 30) * values.var(ddof=1))
    low, high = stats.t.interval(0.95, 3, values.mean(), se)
    assert found == pytest.approx((0.55, se, low, high))
    assert p_above(found, 4, 0.5) == pytest.approx(stats.t.sf((0.55 - 0.5) / se, 3))
    assert p_above(found, 4, 0.5, less=True) == pytest.approx(1 - p_above(found, 4, 0.5))


def test_without_two_finite_folds_there_is_no_interval():
    for values in ([0.4], [0.4, math.nan]):
        assert math.isnan(fold_mean(values, SIZES).low)
    assert math.isnan(p_above(fold_mean([0.4], SIZES), 1, 0.5))


def experiment(rng, run_sd, n=1):
    """Hits (n, K, 20) of nearest class means, leave-one-run-out: 12 runs of 20 trials, 2 classes.

    Runs differ by how strongly they answer, SD `run_sd` of the mean: a run's trials are alike.
    """
    y = np.tile([-1.0, 1.0], (n, K, 10))
    strength = 0.25 * (1 + run_sd * rng.standard_normal((n, K, 1, 1)))
    X = strength * y[..., None] + rng.standard_normal((n, K, 20, 5))
    sums, counts = {}, {}
    for label in (-1.0, 1.0):
        own = (y == label)[..., None]
        sums[label], counts[label] = (X * own).sum(2), own.sum(2)
    hits = np.empty((n, K, 20), bool)
    for run in range(K):
        rest = np.arange(K) != run
        means = {c: sums[c][:, rest].sum(1) / counts[c][:, rest].sum(1) for c in sums}
        away = {c: ((X[:, run] - means[c][:, None]) ** 2).sum(-1) for c in means}
        hits[:, run] = np.where(away[1.0] < away[-1.0], 1.0, -1.0) == y[:, run]
    return hits


@pytest.mark.parametrize("run_sd", [0.0, 0.6])
def test_the_interval_holds_the_expected_accuracy(run_sd):
    """400 experiments each: the stated rates of `fold_mean`."""
    hits = experiment(np.random.default_rng(3), run_sd, 400)
    truth = experiment(np.random.default_rng(4), run_sd, 4000).mean()
    rates = {"corrected": 0.0, "independent folds": 0.0, "independent trials": 0.0}
    for one in hits:
        folds = one.mean(1)
        trials = stats.binomtest(int(one.sum()), one.size).proportion_ci()
        spans = {
            "corrected": fold_mean(folds, SIZES)[2:],
            "independent folds": stats.t.interval(
                0.95, K - 1, folds.mean(), folds.std(ddof=1) / math.sqrt(K)
            ),
            "independent trials": trials,
        }
        for name, (low, high) in spans.items():
            rates[name] += (low <= truth <= high) / len(hits)
    assert 0.95 <= rates["corrected"] <= 0.999
    assert rates["independent folds"] < rates["corrected"]
    if run_sd:
        assert rates["independent folds"] < 0.95
        assert rates["independent trials"] < 0.85


def row(model, value, low=None, high=None, **more):
    cells = {"part": "test", "n_averaged": "single", "target": "mean", "metric": "r"}
    numbers = {"value": value, "low": low, "high": high, "p": 0.5, "n_trials": 10}
    return {"model": model, **cells, **numbers, "n_concepts": 3, **more}


def test_tables_of_folds_come_together():
    values = [0.2, 0.4, 0.3, 0.5]
    tables = [[row("ridge", v), row("chance", 0.0, -0.2, 0.2), row("x", 1)] for v in values]
    tables[2].pop()
    sizes = FoldSizes(np.full(4, 30.0), np.full(4, 10.0))
    found = over_folds(tables, sizes, {("test", False): 7})
    ridge, chance = found.rows
    span = fold_mean(values, sizes)
    assert (ridge["value"], ridge["low"], ridge["high"]) == pytest.approx(
        (span.mean, span.low, span.high)
    )
    assert (ridge["n_trials"], ridge["n_concepts"]) == (40, 7)
    assert ridge["p"] == pytest.approx(p_above(span, 4, 0.0))
    assert (chance["low"], chance["high"]) == pytest.approx((-0.1, 0.1))  # a mean of 4
    assert found.by_fold[0]["values"] == values


def test_a_fold_without_a_score_leaves_none():
    tables = [[row("mean", None)], [row("mean", 0.1)]]
    (whole,) = over_folds(tables, SIZES, {}).rows
    assert whole["value"] is None
    assert whole["low"] is None


def test_averagings_that_differ_between_folds_are_called_so():
    tables = [[row("ridge", 0.1, n_averaged=f"mean of {k}")] for k in (2, 3)]
    (whole,) = over_folds(tables, SIZES, {}).rows
    assert whole["n_averaged"] == VARIED


def test_less_is_better_where_it_is():
    def table(value):
        chance = row("chance", 1.0, 0.9, 1.1, metric="mse")
        return [row("ridge", value, metric="mse"), chance]

    sizes = FoldSizes(np.full(3, 20.0), np.full(3, 10.0))
    ridge, _ = over_folds([table(v) for v in (0.4, 0.5, 0.45)], sizes, {}).rows
    assert ridge["p"] < 0.01


def test_differences_are_paired_fold_by_fold():
    cells = {"versus": "ridge", "part": "test", "n_averaged": "single", "target": "mean"}
    gains = [0.1, 0.12, 0.11, 0.09]
    tables = [[{**cells, "metric": "top1", "difference": g, "p": 0.4}] for g in gains]
    sizes = FoldSizes(np.full(4, 30.0), np.full(4, 10.0))
    (found,) = differences_over_folds(tables, sizes)
    assert found["low"] > 0
    assert found["p"] < 0.01


def test_curves_are_sums_of_hits():
    def curve(hits):
        place = {"model": "lda", "part": "test", "n_averaged": "single", "n_trials": 10}
        band = {"chance": [0.5, 1.0], "chance_low": [0.2, 1.0], "chance_high": [0.8, 1.0]}
        return [{**place, "hits": [hits, 10], **band}]

    sizes = FoldSizes(np.full(3, 20.0), np.full(3, 10.0))
    (whole,) = curves_over_folds([curve(h) for h in (6, 7, 8)], sizes)
    assert whole["hits"] == [21, 30]
    assert whole["n_trials"] == 30
    assert whole["low"][0] < 0.7 < whole["high"][0] <= 1
    assert whole["chance_low"][0] == pytest.approx(0.5 - 0.3 / math.sqrt(3))
