"""Paired differences: narrower than the scores' own intervals, right in sign and in error rate."""

import numpy as np
import pandas as pd
import pytest

from thingsviz.analysis.scores.concept_sums import concept_sums, part, scores
from thingsviz.analysis.scores.differences import comparison_sentences, difference_rows, verdict
from thingsviz.analysis.scores.resampling import bootstrap, interval
from thingsviz.analysis.scores.score_table import ScorePlace

WHERE = ScorePlace("test", "single", ("lives", "heavy"))


def pair(rng, gains=(0.6, 0.6), n_concepts=60, n_repeats=6):
    """Two decoders that share what makes a concept hard, and have noise of their own."""
    concepts = np.repeat(np.arange(n_concepts), n_repeats)
    true = np.clip(rng.normal(4, 1.2, (n_concepts, 2)), 1, 7)[concepts]
    shared = rng.normal(0, 0.8, (n_concepts, 2))[concepts]
    sd = np.full_like(true, 1.2)
    return [
        part(true, 4 + g * (true - 4) + shared + rng.normal(0, 0.6, true.shape), sd, concepts)
        for g in gains
    ]


def rows_of(ours, other, name="ridge"):
    rows = pd.DataFrame(difference_rows(WHERE, ours, other, name, 400))
    return rows.set_index(["target", "metric"])


def test_difference_of_the_scores(rng):
    ours, other = pair(rng, (0.8, 0.4))
    rows = rows_of(ours, other)
    one, two = (scores(concept_sums(p)) for p in (ours, other))
    for metric in ("r", "mse", "mae", "confidence"):
        expected = (one[metric] - two[metric])[0]
        assert rows.loc[("lives", metric), "difference"] == pytest.approx(expected)
        mean = (one[metric] - two[metric]).mean()
        assert rows.loc[("mean", metric), "difference"] == pytest.approx(mean)
    expected = rows.loc[("lives", "mse"), "difference"] / 36
    assert rows.loc[("lives", "mse_unit"), "difference"] == pytest.approx(expected)


def test_drawing_together_sharpens(rng):
    ours, other = pair(rng)
    row = rows_of(ours, other).loc[("lives", "mse")]
    alone = interval(bootstrap(concept_sums(ours), 400)["mse"][:, 0])
    assert row["high"] - row["low"] < 0.8 * (alone.high - alone.low)


def test_equal_decoders_are_rarely_told_apart(rng):
    """95 % intervals: of 200 comparisons of equals at most 20 exclude 0 (binomial, 1e-3)."""
    wrong = 0
    for _ in range(200):
        row = rows_of(*pair(rng, n_concepts=100, n_repeats=3)).loc[("lives", "r")]
        wrong += not row["low"] <= 0 <= row["high"]
    assert wrong <= 20


def test_a_better_decoder_is_found(rng):
    ours, other = pair(rng, (0.9, 0.4))
    for metric in ("r", "mse", "confidence"):
        row = {**rows_of(ours, other).loc[("mean", metric)].to_dict(), "metric": metric}
        assert verdict(row) == "better"
        row = {**rows_of(other, ours).loc[("mean", metric)].to_dict(), "metric": metric}
        assert verdict(row) == "worse"


def test_itself_is_no_better(rng):
    ours, _ = pair(rng)
    row = rows_of(ours, ours).loc[("mean", "r")]
    assert (row["difference"], row["low"], row["high"]) == (0, 0, 0)


def test_against_a_constant_only_errors_compare(rng):
    ours, other = pair(rng)
    flat = other._replace(predicted=np.full_like(other.predicted, 4.0))
    rows = rows_of(ours, flat, "mean")
    assert "r" not in rows.index.get_level_values("metric")
    assert rows.loc[("mean", "mse"), "difference"] != 0


def test_other_trials_are_refused(rng):
    ours, other = pair(rng)
    with pytest.raises(ValueError, match="different trials"):
        difference_rows(WHERE, ours, other._replace(concepts=other.concepts[::-1]), "ridge", 9)


def test_what_is_not_shown_is_said(rng):
    ours, other = pair(rng, (0.4, 0.9))
    rows = difference_rows(WHERE, ours, other, "ridge", 200)
    (sentence,) = comparison_sentences(rows)
    assert sentence.startswith("It is worse than ridge (test, single): the mean r differs by −")
    (sentence,) = comparison_sentences(difference_rows(WHERE, ours, ours, "ridge", 200))
    assert sentence.startswith("It is not shown to be better than ridge (test, single)")
    assert comparison_sentences(difference_rows(WHERE, other, ours, "ridge", 200)) == []


def test_a_constant_is_compared_by_its_errors(rng):
    ours, other = pair(rng, (0.9, 0.9))
    flat = other._replace(predicted=np.full_like(other.predicted, 4.0))
    (sentence,) = comparison_sentences(difference_rows(WHERE, flat, ours, "ridge", 200))
    assert "the mean squared error differs by +" in sentence


def test_too_few_concepts_give_no_interval(rng):
    ours, other = pair(rng, n_concepts=2)
    rows = difference_rows(WHERE, ours, other, "ridge", 200)
    assert {row["low"] for row in rows} == {None}
    assert {verdict(row) for row in rows} == {"no difference shown"}
    assert len(comparison_sentences(rows)) == 1
