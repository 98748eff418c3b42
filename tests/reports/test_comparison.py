"""What a comparison says, against plain computations of the same."""

import numpy as np
import pytest

from tests.figures.plain import TARGETS
from tests.finished_jobs import class_table, finished, ratings_table
from thingsviz.reports.comparison import (
    agreements,
    class_tests,
    pair_tests,
    settings_that_differ,
    told_apart,
)


@pytest.fixture(scope="module")
def pair():
    return [finished("good", ratings_table(0.9, 1)), finished("bad", ratings_table(0.1, 2))]


def test_all_pairs_and_properties_are_tested(pair):
    three = [*pair, finished("other", ratings_table(0.5, 3))]
    rows = pair_tests(three, "test", averaged=False, metric="r")
    assert len(rows) == 3 * (len(TARGETS) + 1)
    found = next(r for r in rows if (r["a"], r["b"], r["target"]) == ("good", "bad", "mean"))
    assert found["difference"] > 0.2
    assert found["p_holm"] >= found["p"] > 0
    assert found["p_holm"] <= 0.05


def test_averages_are_tested_by_themselves(pair):
    rows = pair_tests(pair, "test", averaged=True, metric="mse_unit")
    assert {row["n_averaged"] for row in rows} == {"averaged"}
    assert next(r for r in rows if r["target"] == "mean")["difference"] < 0


def test_agreement_is_the_correlation_of_predictions_and_of_errors(pair):
    found = agreements(pair, "test", averaged=False)
    a, b = (job.predictions.query("n_averaged == 1") for job in pair)
    for row in found:
        true, one, two = a[f"true_{row.target}"], a[f"pred_{row.target}"], b[f"pred_{row.target}"]
        assert row.predictions_r == pytest.approx(np.corrcoef(one, two)[0, 1])
        assert row.errors_r == pytest.approx(np.corrcoef(one - true, two - true)[0, 1])
    assert tuple(row.target for row in found) == TARGETS


def test_trials_are_ordered_by_who_was_nearer(pair):
    table = told_apart(pair, "test", averaged=False, by_rank=False)
    assert table["gain"].is_monotonic_decreasing
    assert (table["gain"] > 0).mean() > 0.6
    first, a, b = table.iloc[0], pair[0].predictions, pair[1].predictions

    def off(frame):
        row = frame[(frame["row"] == first["row"]) & (frame["n_averaged"] == 1)].iloc[0]
        spread = a.query("n_averaged == 1")[[f"true_{t}" for t in TARGETS]].std(ddof=0)
        errors = [abs(row[f"pred_{t}"] - row[f"true_{t}"]) / spread[f"true_{t}"] for t in TARGETS]
        return np.mean(errors)

    assert first["gain"] == pytest.approx(off(b) - off(a))


def test_classes_are_compared_by_hits_among_the_first_k():
    jobs = [
        finished("sharp", class_table(0.6, 1), learns="concepts"),
        finished("blunt", class_table(0.1, 2), learns="concepts"),
    ]
    rows = {row["k"]: row for row in class_tests(jobs, "test")}
    hits = [(job.predictions["rank"] <= 1).to_numpy() for job in jobs]
    assert (rows[1]["hits_a"], rows[1]["hits_b"]) == (hits[0].sum(), hits[1].sum())
    assert rows[1]["only_a"] - rows[1]["only_b"] == hits[0].sum() - hits[1].sum()
    assert rows[1]["low"] < rows[1]["difference"] < rows[1]["high"]
    assert rows[1]["p_mcnemar"] < 0.01
    assert rows[1]["p_holm"] < 0.01
    assert set(rows) == {1, 5, 10}
    order = told_apart(jobs, "test", averaged=False, by_rank=True)
    assert order["gain"].iloc[0] > 0 > order["gain"].iloc[-1]


def test_a_trial_that_one_job_could_not_place_counts_for_neither():
    jobs = [finished(n, class_table(0.5, i), learns="concepts") for i, n in enumerate("ab")]
    blank = jobs[1].predictions.astype({"rank": "Int64"})
    blank.loc[blank.index[:7], "rank"] = None
    rows = class_tests([jobs[0], jobs[1]._replace(predictions=blank)], "test")
    first = (jobs[0].predictions["rank"].iloc[7:] <= 1).sum()
    assert (rows[0]["n_trials"], rows[0]["hits_a"]) == (53, first)


def test_settings_that_differ_are_named_with_their_values():
    one = finished("one")
    two = finished("two", seed=4, model={"name": "ridge"})
    table = settings_that_differ([one, two])
    assert table["model.name"] == ["vit3d", "ridge"]
    assert table["seed"] == ["0", "4"]
    assert table["model.tokens"] == ["brain", "–"]
    whole = finished("whole", fit={"batches_per_epoch": None})
    assert settings_that_differ([one, whole])["fit.batches_per_epoch"] == ["64", "not set"]
    assert "name" not in table
    assert "fit.epochs" not in table
    assert settings_that_differ([one, one]) == {}
