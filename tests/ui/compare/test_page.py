"""Rows and tables of the Compare page, without a page around them."""

import pytest

from tests.finished_jobs import finished
from thingsviz.figures.scores.cost import CostRow
from thingsviz.figures.scores.scores import ScoreQuestion
from thingsviz.ui.compare.details import cost_table, shown_value
from thingsviz.ui.compare.page import ComparedJobs, mean_row


@pytest.fixture
def view():
    return ComparedJobs((finished("one"), finished("two")), ScoreQuestion(), "png")


def test_a_mean_stands_beside_its_references(view):
    row = mean_row(view, view.jobs[0])
    assert (row["training"], row["model"]) == ("one", "vit3d")
    assert (row["score"], row["p"]) == ("0.35 (0.25 to 0.55)", 0.01)
    found = [row[name] for name in ("chance", "ridge", "ceiling", "oracle")]
    assert found == pytest.approx([0.0, 0.45, 0.8, 0.7])
    assert row["mean"] is None
    assert row["n"] == "240, 20"


def test_a_job_without_that_score_has_no_row(view):
    asked = view._replace(question=ScoreQuestion(part="exemplars"))
    assert mean_row(asked, view.jobs[0]) == {}


def test_the_question_says_what_is_averaged(view):
    assert not view.averaged
    assert view._replace(question=ScoreQuestion(n_averaged="mean of 4")).averaged
    assert view.names == ["one", "two"]


def test_costs_that_nobody_recorded_stay_empty():
    table = cost_table(
        [
            CostRow("a", 0.1234, 0.0, None, 12.5, 1000, 812_000_000),
            CostRow("b", 0.5, 0.4, 0.6, None, None, None),
        ],
    )
    assert table.loc[0].tolist()[:3] == ["a", 12.5, 1000]
    assert table["peak memory, MB"].tolist()[0] == 812
    assert table.loc[1, ["seconds", "parameters", "peak memory, MB"]].isna().all()


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("split.kind", "unseen_concepts", "Unseen concepts"),
        ("rating_scale", "unit", "0 to 1"),
        ("learns", "another", "another"),
        ("model.patch_size", "[6, 7, 5]", "6 × 7 × 5"),
    ],
)
def test_a_setting_reads_as_on_the_form(name, text, shown):
    assert shown_value(name, text) == shown
