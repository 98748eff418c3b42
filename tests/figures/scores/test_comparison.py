import pytest

from tests.figures.plain import metrics, scores
from thingsviz.figures.scores.comparison import (
    draw_overlay,
    draw_side_by_side,
    overlay_info,
    side_by_side_info,
)
from thingsviz.figures.scores.scores import ScoreQuestion


def test_curves_over_epochs_are_the_rows():
    rows = {"a": metrics(3), "b": metrics(2), "ridge": metrics(1), "none": []}
    info = overlay_info(rows, "validation_loss", "epochs")
    assert info.curves == (
        ("a", (1.0, 2.0, 3.0), (0.9, 0.7, 0.8)),
        ("b", (1.0, 2.0), (0.9, 0.7)),
    )


def test_seconds_start_with_the_first_batch():
    info = overlay_info({"a": metrics(3)}, "validation_r", "seconds")
    assert info.curves[0].x == (3.0, 7.0, 11.0)
    assert info.curves[0].y == pytest.approx((0.1, 0.2, 0.3))


def test_rows_without_time_or_value_are_left_out():
    rows = [{"kind": "epoch", "epoch": n, "step": n, "train_loss": None} for n in (1, 2)]
    for clock in ("epochs", "seconds"):
        assert overlay_info({"a": rows}, "train_loss", clock).curves == ()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_overlay_has_a_line_a_job(theme):
    rows = {"a": metrics(3), "b": metrics(2)}
    figure = draw_overlay(overlay_info(rows, "validation_r", "seconds"), theme)
    assert [trace.name for trace in figure.data] == ["a", "b"]
    assert figure.layout.xaxis.title.text == "Seconds of training"
    assert figure.layout.title.text == "Validation r of each job"
    assert len({trace.line.color for trace in figure.data}) == 2


def test_few_epochs_are_labelled_one_by_one():
    few = overlay_info({"a": metrics(3)}, "validation_r", "epochs")
    assert draw_overlay(few, "light").layout.xaxis.dtick == 1
    assert draw_overlay(few._replace(clock="seconds"), "light").layout.xaxis.dtick is None


def test_a_job_keeps_its_colour_where_another_one_has_no_curve():
    both = overlay_info({"a": metrics(3), "b": metrics(3)}, "validation_r", "epochs")
    one = overlay_info({"a": [], "b": metrics(3)}, "validation_r", "epochs")
    colours = [draw_overlay(info, "light").data[-1].line.color for info in (both, one)]
    assert colours[0] == colours[1]


def tables():
    worse = scores("cnn")
    own = worse["model"].eq("cnn") & worse["metric"].eq("r")
    worse.loc[own, "value"] -= 0.1
    return {"one": ("vit3d", scores()), "two": ("cnn", worse)}


def test_scores_of_all_jobs_in_the_order_of_the_first():
    info = side_by_side_info(tables(), ScoreQuestion())
    assert info.targets == ("mean", "heavy", "lives", "grasp", "size")
    values = {job.name: [s.value for s in job.scores] for job in info.jobs}
    assert values["one"] == pytest.approx([0.35, 0.5, 0.4, 0.3, 0.2])
    assert values["two"] == pytest.approx([0.25, 0.4, 0.3, 0.2, 0.1])
    assert [r.model for r in info.references[0]] == ["ridge", "ceiling", "oracle"]


def test_of_errors_the_smallest_comes_first():
    info = side_by_side_info(tables(), ScoreQuestion(metric="mse"))
    assert info.targets[1] == "heavy"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_side_by_side_draws_references_and_jobs(theme):
    figure = draw_side_by_side(side_by_side_info(tables(), ScoreQuestion()), theme)
    assert [t.name for t in figure.data] == ["ridge", "noise ceiling", "oracle", "one", "two"]
    assert figure.layout.yaxis.ticktext == ("mean of all", "heavy", "lives", "grasp", "size")
    one, two = figure.data[-2:]
    assert one.error_x.array == pytest.approx([0.2] * 5)
    assert one.error_x.arrayminus == pytest.approx([0.1] * 5)
    assert [b - a for a, b in zip(one.y, two.y, strict=True)] == pytest.approx([0.52] * 5)


def test_a_reference_that_is_one_of_the_jobs_is_drawn_once():
    found = {"one": ("vit3d", scores()), "plain": ("ridge", scores())}
    names = [
        t.name for t in draw_side_by_side(side_by_side_info(found, ScoreQuestion()), "light").data
    ]
    assert names == ["noise ceiling", "oracle", "one", "plain"]


def test_a_job_without_a_score_has_no_dot():
    empty = scores("cnn").query("model != 'cnn'")
    info = side_by_side_info({"one": ("vit3d", scores()), "two": ("cnn", empty)}, ScoreQuestion())
    assert set(info.jobs[1].scores) == {None}
    assert len(draw_side_by_side(info, "light").data[-1].x) == 0
