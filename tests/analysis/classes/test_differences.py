"""Paired differences of hits: plain counts, intervals that hold, sentences that are true."""

import numpy as np
import pytest

from thingsviz.analysis.classes.differences import (
    hit_rows,
    hit_sentence,
    hit_sentences,
)
from thingsviz.analysis.classes.hit_table import HitPlace

PLACE = HitPlace("ridge", "test", "single")


def ranks(skill, seed, n=200, n_classes=50):
    """Ranks of which a share `skill` is 1 and the rest anything."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(n) < skill, 1, rng.integers(1, n_classes + 1, n))


CONCEPTS = np.repeat([f"thing{i}" for i in range(50)], 4)


def test_differences_are_those_of_the_counts():
    ours, other = ranks(0.5, 0), ranks(0.2, 1)
    one, ten = hit_rows(PLACE, (ours, other), CONCEPTS, (1, 10))
    assert one["difference"] == pytest.approx(((ours == 1).sum() - (other == 1).sum()) / 200)
    assert (ten["metric"], ten["versus"], ten["target"]) == ("top10", "ridge", "mean")
    assert one["low"] < one["difference"] < one["high"]
    assert one["p"] < 0.01
    assert hit_sentences([one]) == []  # it is better
    text = hit_sentence(one)
    assert text.startswith("It is better than one-hot ridge (test, single): the Top-1 share")
    swapped = hit_rows(PLACE, (other, ours), CONCEPTS, (10,))
    assert hit_sentences(swapped)[0].startswith("It is worse than one-hot ridge (test, single)")
    assert "−" in hit_sentences(swapped)[0]


def test_equal_decoders_are_told_apart_as_rarely_as_promised():
    """Hits that come in concepts: the interval misses zero, and p is below 5 %, in about 5 %."""
    rng, missed, small = np.random.default_rng(4), 0, 0
    for _ in range(200):
        luck = np.repeat(rng.random((2, 50)), 4, axis=1)
        own = [np.where(rng.random(200) < share, 1, 20) for share in luck]
        (row,) = hit_rows(PLACE, tuple(own), CONCEPTS, (10,), n_draws=200)
        missed += not row["low"] <= 0 <= row["high"]
        small += row["p"] < 0.05
    assert missed <= 19  # more than 19 of 200 at 5 % has a chance of 0.003
    assert small <= 19


def test_too_few_concepts_have_no_interval():
    (row,) = hit_rows(
        PLACE, (ranks(0.5, 0, 4), ranks(0.5, 1, 4)), np.array(["a", "a", "b", "b"]), (1,)
    )
    assert row["low"] is None
    assert row["p"] is None
    assert "not shown to be better" in hit_sentence(row)


def test_the_sentence_is_about_top_10_where_there_is_one():
    rows = hit_rows(PLACE, (ranks(0.3, 0), ranks(0.3, 1)), CONCEPTS, (1, 5, 10, 20))
    (text,) = hit_sentences(rows)
    assert "Top-10" in text
