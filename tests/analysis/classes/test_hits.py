"""Top-k scores: counts against plain ones, intervals that cover, chance where there is nothing."""

import numpy as np
import pytest
from scipy.stats import beta, binomtest

from thingsviz.analysis.classes.hit_table import (
    HitPlace,
    class_curve,
    class_rows,
    headline_metric,
    ks_of,
    prior_line,
    prior_rows,
    usual_top,
)
from thingsviz.analysis.classes.hits import (
    Guesses,
    binomial_interval,
    chance_curve,
    hits_at,
    p_at_least,
    permutation,
    prior_curve,
    rank_classes,
    share_interval,
)
from thingsviz.analysis.classes.limits import class_sentences
from thingsviz.data.trials.splits import Audit

PLACE = HitPlace("logistic", "test", "single")


def guesses(n_concepts=30, repeats=4, n_classes=30, skill=0.0, seed=0) -> Guesses:
    """One class a concept; scores are noise plus `skill` at the true class."""
    rng = np.random.default_rng(seed)
    true = np.repeat(rng.permutation(n_classes)[:n_concepts], repeats)
    scores = rng.standard_normal((len(true), n_classes))
    scores[np.arange(len(true)), true] += skill
    return Guesses(rank_classes(scores), true, np.char.add("c", true.astype(str)))


def test_ranks_are_those_of_a_plain_sort(rng):
    scores = rng.standard_normal((20, 9))
    plain = [[sorted(row, reverse=True).index(value) + 1 for value in row] for row in scores]
    np.testing.assert_array_equal(rank_classes(scores), plain)


def test_a_constant_guess_gets_chance():
    ranks = rank_classes(np.zeros((5, 100)))
    assert (np.sort(ranks, axis=1) == np.arange(1, 101)).all()
    assert (ranks == ranks[0]).all()
    assert (ranks[0] != np.arange(1, 101)).sum() > 90  # not the order of the names


def test_hits_are_plain_counts():
    own = np.array([1, 3, 3, 10])
    np.testing.assert_array_equal(hits_at(own, 10), [(own <= k).sum() for k in range(1, 11)])
    assert chance_curve(4).tolist() == [0.25, 0.5, 0.75, 1]


def test_intervals_are_scipys():
    for hits, n in ((0, 12), (2, 157), (12, 12), (7, 20)):
        theirs = binomtest(hits, n).proportion_ci(method="exact")
        assert binomial_interval(hits, n) == pytest.approx((theirs.low, theirs.high))
    assert all(np.isnan(binomial_interval(0, 0)))


@pytest.mark.parametrize(("hits", "percent"), [(2, 1.27), (3, 1.91), (1, 0.64)])
def test_the_reports_results_are_chance(hits, percent):
    """Its Top-10 of logistic, MLP and CNN (§6): 2, 3 and 1 of 157 trials, 720 concepts."""
    true = np.arange(157)
    scores = np.random.default_rng(0).standard_normal((157, 720))
    scores[true, true] = np.where(true < hits, 9, 0)
    data = Guesses(rank_classes(scores), true, true.astype(str))
    assert int((data.own <= 10).sum()) == hits
    assert round(100 * hits / 157, 2) == percent
    span = share_interval(data.own <= 10, data.concepts)
    assert span.low < 10 / 720 < span.high  # 1.39 % is inside each of the three
    assert span == pytest.approx(
        tuple(
            beta.ppf(q, a, b)
            for q, a, b in ((0.025, hits, 158 - hits), (0.975, hits + 1, 157 - hits))
        )
    )
    (row,) = [
        r for r in class_rows(PLACE, data, chance=False, n_draws=99) if r["metric"] == "top10"
    ]
    assert (row["hits"], row["n_trials"]) == (hits, 157)
    assert row["p"] > 0.05


def test_alike_trials_widen_the_interval():
    hit = np.repeat(np.arange(20) < 6, 10)
    alike = share_interval(hit, np.repeat(np.arange(20), 10).astype(str))
    apart = share_interval(hit, np.arange(200).astype(str))
    few = binomial_interval(6, 20)
    assert alike.high - alike.low > 2.5 * (apart.high - apart.low)
    assert (alike.low, alike.high) == pytest.approx(few, abs=0.05)  # worth 20 trials
    nothing = share_interval(np.zeros(200), np.repeat(np.arange(20), 10).astype(str))
    assert nothing == binomial_interval(0, 20)


def test_intervals_cover_the_truth():
    """300 runs of 20 concepts × 6 trials whose concepts differ in hit rate around 0.3.

    At a true coverage of 95 % fewer than 271 of 300 inside have a chance of 0.1 %.
    """
    rng = np.random.default_rng(1)
    inside = 0
    concepts = np.repeat(np.arange(20), 6).astype(str)
    for _ in range(300):
        rate = np.repeat(rng.beta(1.5, 3.5, 20), 6)
        span = share_interval(rng.random(120) < rate, concepts)
        inside += span.low <= 0.3 <= span.high
    assert inside >= 271


def test_prior_names_the_frequent_classes():
    trained = np.array([5, 9, 5, 0])
    true = np.array([1, 0, 2, 3])
    # class 1 always first; 0 and 2 share places 2 and 3; 3 is last
    np.testing.assert_allclose(prior_curve(true, trained), [0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(prior_curve(true, np.full(4, 12)), chance_curve(4))
    data = Guesses(rank_classes(np.zeros((4, 4))), true, true.astype(str))
    rows = prior_rows(PLACE._replace(model="prior"), data, trained)
    assert [(r["metric"], r["value"], r["hits"]) for r in rows][:1] == [("top1", 0.25, 1.0)]
    assert prior_line(PLACE, data, trained)["hits"] == [1.0, 2.0, 3.0, 4.0]


def test_p_without_signal_is_uniform():
    """40 null classifiers: P(more than 6 of them have p ≤ .05) is 0.5 %."""
    small = 0
    for seed in range(40):
        data = guesses(seed=seed)
        null = permutation(data, 99, seed)
        small += p_at_least(hits_at(data.own, 30), null.hits)[4] <= 0.05
    assert small <= 6


def test_skill_is_found():
    rows = class_rows(PLACE, guesses(skill=2.0), chance=True, n_draws=200)
    table = {(row["model"], row["metric"]): row for row in rows}
    top, chance = table["logistic", "top10"], table["chance", "top10"]
    assert top["low"] > chance["high"] > chance["value"] == pytest.approx(10 / 30)
    assert top["p"] == pytest.approx(1 / 201)
    assert top["hits"] == round(top["value"] * 120)
    rank = table["logistic", "mean_rank"]
    assert rank["high"] < table["chance", "mean_rank"]["low"] < 15.5
    assert rank["p"] == pytest.approx(1 / 201)


def test_rows_are_as_many_as_classes_allow():
    assert ks_of(27) == (1, 2, 3, 5, 10, 20)
    assert ks_of(2) == (1,)
    rows = class_rows(PLACE, guesses(n_concepts=2, n_classes=2), chance=True, n_draws=9)
    assert {row["metric"] for row in rows} == {"top1", "mean_rank"}
    assert all(row["p"] is None for row in rows)  # two concepts cannot be shuffled


def test_the_curve_has_what_the_rows_have():
    data = guesses(skill=1.0)
    curve = class_curve(PLACE, data, full=True, n_draws=100)
    rows = {r["metric"]: r for r in class_rows(PLACE, data, chance=False, n_draws=100)}
    assert curve["hits"][-1] == curve["n_trials"] == 120
    for k in (1, 5, 10):
        row = rows[f"top{k}"]
        at = [curve[name][k - 1] for name in ("hits", "low", "high", "p")]
        assert at == pytest.approx([row[name] for name in ("hits", "low", "high", "p")])
    assert "p" not in class_curve(PLACE, data, full=False, n_draws=100)


def test_mean_rank_of_a_perfect_guess():
    data = Guesses(rank_classes(np.eye(5)), np.arange(5), np.arange(5).astype(str))
    rows = class_rows(PLACE, data, chance=False, n_draws=100)
    row = next(row for row in rows if row["metric"] == "mean_rank")
    assert (row["value"], row["low"], row["high"]) == (1, 1, 1)


def test_limits_say_what_could_be_learned():
    rows = class_rows(PLACE, guesses(), chance=True, n_draws=100)
    found = class_sentences(rows, Audit(0, 3, 100, 0, 100), (27, 157), simulated=True)
    assert found[0].startswith("The data are SIMULATED")
    assert found[1].startswith("Only 27 of 157 test trials (17 %) show a class that was trained")
    assert found[2].startswith("3 of 100 test images were also seen in training")
    assert "a top-10 of" in found[3]
    clean = class_sentences([], Audit(0, 0, 100, 0, 100), (157, 157), simulated=False)
    assert len(clean) == 1


@pytest.mark.parametrize(
    ("metrics", "top", "headline"),
    [
        ({"r", "mse", "top1", "top10"}, "top10", "r"),
        ({"top1", "top10", "top20", "mean_rank"}, "top10", "top10"),
        ({"top1", "top5", "mean_rank"}, "top1", "top1"),
        (set(), None, "r"),
    ],
)
def test_one_metric_stands_for_a_job(metrics, top, headline):
    assert (usual_top(metrics), headline_metric(metrics)) == (top, headline)
