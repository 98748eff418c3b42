import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.figures.plain import metrics
from thingsviz.figures.training.curves import (
    LossCurve,
    LossCurvesInfo,
    curves_info,
    draw_curves,
    thinned,
)


def names(figure):
    return [trace.name for trace in figure.data]


def test_info_of_a_short_training():
    assert curves_info(metrics(2, 2), "MSE", 1.0) == LossCurvesInfo(
        batches=LossCurve((1, 2, 3, 4), (1, 1.01, 0.5, 0.51)),
        train=LossCurve((2, 4), (1, 0.5)),
        validation=LossCurve((2, 4), (0.9, 0.7)),
        correlation=LossCurve((2, 4), (0.1, 0.2)),
        rate=LossCurve((1, 2, 3, 4), (1e-3,) * 4),
        epochs=(1, 2),
        best=1,
        mean_loss=1.0,
        loss_label="MSE",
    )


def test_nothing_yet_draws_three_empty_panels():
    figure = draw_curves(curves_info([]), "light")
    assert names(figure) == []
    assert figure.layout.yaxis.title.text == "Loss"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_panel_has_a_title_and_the_axis_its_unit(theme):
    figure = draw_curves(curves_info(metrics(), "Huber loss"), theme)
    titles = [figure.layout[axis].title.text for axis in ("yaxis", "yaxis2", "yaxis3")]
    assert titles == ["Huber loss", "Validation r", "Learning rate"]
    assert figure.layout.xaxis3.title.text == "Training batches so far"
    assert figure.layout.title.text == "Training, batch by batch"
    assert names(figure) == [
        "single batches",
        "training",
        "validation",
        "validation r",
        "learning rate",
        "best epoch (its weights are kept)",
    ]


def test_the_star_stands_on_the_epoch_that_is_kept():
    by_loss, by_r = (
        curves_info(metrics(), best_by=b) for b in ("validation_loss", "validation_r")
    )
    assert (by_loss.epochs[by_loss.best], by_r.epochs[by_r.best]) == (2, 3)
    star = draw_curves(by_loss, "light").data[-1]
    assert (star.x, star.y) == ((8.0,), (0.7,))


def test_a_first_epoch_without_validation_has_no_star():
    rows = [{"kind": "epoch", "epoch": 1, "step": 4, "train_loss": 1.0, "validation_loss": None}]
    info = curves_info(rows)
    assert (info.best, info.validation) == (None, LossCurve())
    assert names(draw_curves(info, "dark")) == ["training"]


def test_infinite_losses_are_left_out():
    rows = [{"kind": "step", "step": s, "train_loss": v} for s, v in enumerate([1, float("inf")])]
    assert curves_info(rows).batches == LossCurve((0,), (1,))


def test_the_loss_of_the_mean_is_a_line_with_a_name():
    figure = draw_curves(curves_info(metrics(), mean_loss=1.0), "light")
    assert [shape.y0 for shape in figure.layout.shapes] == [1.0]
    assert [note.text for note in figure.layout.annotations] == ["predicting the mean"]


def test_thinning_keeps_the_mean_and_the_order(rng):
    y = tuple(rng.normal(size=4000))
    curve = thinned(LossCurve(tuple(range(4000)), y), most=400)
    assert len(curve.x) == 400
    assert sum(curve.y) / 400 == pytest.approx(sum(y) / 4000)
    assert curve.x[:2] == (4.5, 14.5)


def test_short_curves_are_not_thinned():
    curve = LossCurve((1, 2), (3, 4))
    assert thinned(curve, most=2) is curve


@given(some.lists(some.floats(-10, 10), min_size=1, max_size=60), some.integers(1, 20))
def test_a_thinned_curve_stays_within_the_curve_it_was(values, most):
    curve = LossCurve(tuple(map(float, range(len(values)))), tuple(values))
    thin = thinned(curve, most)
    assert 1 <= len(thin.x) <= most or len(values) <= most
    assert list(thin.x) == sorted(thin.x)
    slack = 1e-9
    assert min(values) - slack <= min(thin.y) <= max(thin.y) <= max(values) + slack


def test_a_job_without_learning_rate_steps_takes_the_epochs():
    rows = [row for row in metrics() if row["kind"] == "epoch"]
    info = curves_info(rows)
    assert info.batches == LossCurve()
    assert info.rate == LossCurve((4, 8, 12), (1e-3,) * 3)
