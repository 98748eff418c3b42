"""Paired tests: right in sign, right in error rate, equal to plain versions of themselves."""

import numpy as np
import pytest
from scipy import stats

from thingsviz.analysis.scores.concept_sums import part
from thingsviz.analysis.scores.metrics import mse, pearson
from thingsviz.analysis.scores.paired_tests import (
    corrected,
    hits_sentence,
    holm,
    mcnemar,
    nearer,
    paired_rows,
    sentence,
    swapped,
    swapped_hits,
    two_sided,
)
from thingsviz.analysis.scores.resampling import false_discovery
from thingsviz.analysis.scores.score_table import ScorePlace

WHERE = ScorePlace("test", "single", ("lives", "heavy"))
NAMES = ("vit", "ridge")


def pair(rng, gains=(0.6, 0.6), n_concepts=60, n_repeats=4):
    """Two decoders that share what makes a concept hard, and have noise of their own."""
    concepts = np.repeat(np.arange(n_concepts), n_repeats)
    true = np.clip(rng.normal(4, 1.2, (n_concepts, 2)), 1, 7)[concepts]
    shared = rng.normal(0, 0.8, (n_concepts, 2))[concepts]
    return [
        part(true, 4 + g * (true - 4) + shared + rng.normal(0, 0.6, true.shape), None, concepts)
        for g in gains
    ]


def by_target(rows, metric="r"):
    return {row["target"]: row for row in rows if row["metric"] == metric}


def test_a_better_decoder_is_told_from_a_worse_one(rng):
    rows = paired_rows(WHERE, *pair(rng, (0.9, 0.3)), NAMES, 400)
    for metric, sign in (("r", 1), ("mse_unit", -1)):
        row = by_target(rows, metric)["mean"]
        assert (row["a"], row["b"]) == NAMES
        assert row["difference"] * sign > 0
        assert row["low"] * row["high"] > 0
        assert row["p"] < 0.01


def test_equal_decoders_differ_in_one_of_twenty_tests(rng):
    """Valid p: of 300 tests of equals at 5 % at most 26 reject (binomial, one in a thousand)."""
    wrong = {"r": 0, "mse_unit": 0}
    for _ in range(300):
        rows = paired_rows(WHERE, *pair(rng, n_concepts=30), NAMES, 100)
        for metric in wrong:
            wrong[metric] += by_target(rows, metric)["lives"]["p"] <= 0.05
    assert max(wrong.values()) <= 26, wrong


def test_level_and_spread_of_a_decoder_make_no_difference_of_r(rng):
    a, b = pair(rng)
    moved = b._replace(predicted=100 + 3 * b.predicted)
    before, after = (by_target(paired_rows(WHERE, a, other, NAMES, 200)) for other in (b, moved))
    for target in ("mean", "lives"):
        assert after[target]["difference"] == pytest.approx(before[target]["difference"])
        assert after[target]["p"] == before[target]["p"]


def test_a_decoder_and_itself_do_not_differ(rng):
    a, _ = pair(rng)
    assert {row["p"] for row in paired_rows(WHERE, a, a, NAMES, 50)} == {1.0}


def test_swapping_is_swapping(rng):
    """The sums of the clever path are the scores of parts whose concepts really change places."""
    a, b = pair(rng, (0.8, 0.4), n_concepts=12, n_repeats=3)
    coins = np.random.default_rng([0, 3]).integers(0, 2, (20, 12)).astype(bool)

    def plain(metric, score):
        first, second = a.predicted, b.predicted
        if metric == "r":
            first, second = (stats.zscore(x, axis=0) for x in (first, second))
        out = []
        names = np.unique(a.concepts)
        for coin in coins:
            swap = coin[np.searchsorted(names, a.concepts)][:, None]
            one, other = np.where(swap, second, first), np.where(swap, first, second)
            out.append(score(a.true, one) - score(a.true, other))
        return np.array(out)

    assert swapped(a, b, "r", 20) == pytest.approx(plain("r", pearson))
    assert swapped(a, b, "mse", 20) == pytest.approx(plain("mse", mse))


def test_a_constant_has_no_r_but_an_error(rng):
    a, b = pair(rng)
    flat = b._replace(predicted=np.full_like(b.predicted, 4.0))
    rows = paired_rows(WHERE, a, flat, NAMES, 50)
    assert {row["metric"] for row in rows} == {"mse_unit"}
    assert all(row["p"] is not None for row in rows)


def test_two_concepts_tell_nothing(rng):
    rows = paired_rows(WHERE, *pair(rng, n_concepts=2), NAMES, 50)
    assert {row["p"] for row in rows} == {None}
    assert {row["p_holm"] for row in corrected(rows, "r")} == {None}


def test_corrections_against_published_examples():
    p = [0.01, 0.04, 0.03, 0.005]
    assert holm(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert false_discovery(p) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert holm([]) == []


def test_means_and_properties_are_corrected_each_among_their_own(rng):
    rows = paired_rows(WHERE, *pair(rng, (0.7, 0.5)), NAMES, 99)
    rows += paired_rows(WHERE, *pair(rng, (0.6, 0.6)), ("vit", "mlp"), 99)
    found = corrected(rows, "r")
    assert len(found) == 6
    means = [row for row in found if row["target"] == "mean"]
    assert [row["p_holm"] for row in means] == holm([row["p"] for row in means])
    assert all(row["p"] <= row["p_fdr"] <= row["p_holm"] for row in found)


def test_p_counts_the_observed_order():
    assert two_sided(0.5, np.array([0.1, -0.6, 0.2, np.nan])) == pytest.approx(2 / 4)
    assert two_sided(0.5, np.array([])) is None
    assert two_sided(float("nan"), np.array([1.0])) is None


def test_nearer_is_in_spreads_of_the_property(rng):
    true = np.array([[1.0, 10.0], [3.0, 10.0]])
    a, b = true.copy(), true.copy()
    b[0, 0] += 2.0
    concepts = ["x", "y"]
    gain = nearer(part(true, a, None, concepts), part(true, b, None, concepts))
    assert gain.tolist() == [2.0, 0.0]


def test_mcnemar_is_the_binomial_test(rng):
    a, b = rng.random(200) < 0.3, rng.random(200) < 0.2
    only_a, only_b, p = mcnemar(a, b)
    assert p == pytest.approx(stats.binomtest(only_a, only_a + only_b).pvalue)
    assert mcnemar(a, a) == (0, 0, 1.0)


def test_hits_of_one_concept_count_as_one_piece_of_evidence():
    """Ten trials of one concept that A hits and B misses: McNemar is sure, the concepts not."""
    concepts = np.repeat(["one", "two", "three"], 10)
    a = concepts == "one"
    b = np.zeros(30, bool)
    assert mcnemar(a, b)[2] < 0.01
    assert swapped_hits(a, b, concepts, 500) == 1.0
    assert swapped_hits(a[:20], b[:20], concepts[:20], 500) is None


def told(**more):
    row = {"a": "vit", "b": "ridge", "metric": "r", "target": "mean", "difference": 0.1}
    return sentence(row | {"low": 0.05, "high": 0.15, "p": 0.01, "p_holm": 0.02} | more)


def test_a_test_is_told_in_one_sentence():
    assert told() == (
        "r of vit minus that of ridge is +0.100, 95 % +0.050 to +0.150, p = 0.010, corrected "
        "0.020: vit is better."
    )
    assert told(metric="mse_unit").endswith(": ridge is better.")
    assert told(difference=-0.1).endswith(": ridge is better.")
    assert "is −0.100, 95 %" in told(difference=-0.1)
    assert told(p_holm=0.05).endswith(": no difference shown.")
    assert told(p=None, p_holm=None, low=None).endswith("too few concepts for a test.")


def hits_told(**more):
    row = {"a": "keen", "b": "dull", "k": 10, "hits_a": 83, "hits_b": 32, "n_trials": 394}
    row |= {"difference": 0.1294, "low": 0.0803, "high": 0.1837, "p": 0.0004, "p_holm": 0.0012}
    return hits_sentence(row | more)


def test_hits_are_told_in_one_sentence():
    assert hits_told() == (
        "Among the first 10, keen hits 83 and dull 32 of 394 trials: +12.9 % (+8.0 to +18.4 %), "
        "p = 0.000, corrected 0.001: keen is better."
    )
    assert hits_told(difference=-0.1).endswith(": dull is better.")
    assert hits_told(p_holm=0.2).endswith(": no difference shown.")
    assert hits_told(p=None, p_holm=None, low=None).endswith(
        "+12.9 %: there are too few concepts for a test."
    )
