import math

import pytest

from thingsviz.figures.training.study import (
    draw_epochs,
    draw_history,
    draw_importance,
    epochs_info,
    history_info,
    importance_info,
)
from thingsviz.figures.training.study_space import draw_parallel, draw_slices, space_info
from thingsviz.studies.rows import CandidateRow


def row(number, value, params=None, state="done", epochs=(), **more):
    start = {"phase": "search", "attempt": 1, "job": f"s-c{number + 1:04d}", "seconds": 2.0}
    start |= {"number": number, "value": value, "params": params or {}, "state": state}
    return CandidateRow(**(start | {"epochs": tuple(epochs), "reason": ""} | more))


ROWS = [
    row(1, 0.1, {"model.n_layers": 2, "fit.learning_rate": 1e-3, "model.pooling": "sum"}),
    row(0, 0.2, {"model.n_layers": 1, "fit.learning_rate": 1e-5, "model.pooling": "cls"}),
    row(2, None, state="running"),
    row(3, 0.3, {"model.n_layers": 1, "fit.learning_rate": 1e-4, "model.pooling": "cls"}),
    row(4, None, state="failed"),
]


def test_history_follows_the_order_of_the_candidates():
    info = history_info(ROWS, [row(0, 0.25, job="s-r0001")], "validation_r")
    assert info.search == ((1, 2, 4), (0.2, 0.1, 0.3), ("s-c0001", "s-c0002", "s-c0004"))
    assert info.search_best == (0.2, 0.2, 0.3)
    assert info.random_best == (0.25,)
    assert history_info(ROWS, [], "validation_loss").search_best == (0.2, 0.1, 0.1)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_history_is_drawn(theme):
    figure = draw_history(history_info(ROWS, [row(0, 0.25)], "validation_r"), theme)
    assert [trace.name for trace in figure.data] == [
        *("study", "best so far, study", "random search", "best so far, random search"),
    ]
    assert figure.layout.title.text == "Candidates, and the best so far"
    assert figure.layout.yaxis.title.text == "Validation r"
    assert figure.data[1].line.shape == "hv"
    assert (figure.layout.xaxis.tick0, figure.layout.xaxis.dtick) == (1, 1)
    assert not draw_history(history_info([], [], "validation_r"), theme).data


def test_epochs_keep_the_last_attempt_and_mark_the_best():
    rows = [
        row(0, None, state="failed", epochs=[(1, 0.1)]),
        row(0, 0.3, epochs=[(1, 0.1), (2, 0.3)], attempt=2),
        row(1, None, state="pruned", epochs=[(1, 0.05)]),
        row(2, None, state="waiting"),
    ]
    info = epochs_info(rows, "validation_r")
    assert info.best == "s-c0001"
    assert info.curves == (
        ("s-c0001", "done", (1, 2), (0.1, 0.3)),
        ("s-c0002", "pruned", (1,), (0.05,)),
    )
    figure = draw_epochs(info, "light")
    assert [trace.line.dash for trace in figure.data] == ["solid", "dot"]
    assert figure.data[0].name == "s-c0001 (best)"
    assert [trace.showlegend for trace in figure.data] == [True, False]


def test_importance_grows_upwards():
    info = importance_info({"a": 0.7, "b": 0.1, "c": 0.2})
    assert info == (("b", "c", "a"), (0.1, 0.2, 0.7))
    figure = draw_importance(info, "dark")
    assert list(figure.data[0].text) == ["10 %", "20 %", "70 %"]
    assert list(figure.data[0].x) == pytest.approx([10, 20, 70])


def test_axes_hold_numbers_logarithms_and_choices():
    logs = {"model.n_layers": False, "fit.learning_rate": True, "model.pooling": False}
    titles = {name: name.split(".")[1].capitalize() for name in logs}
    info = space_info(ROWS, logs, "validation_r", titles)
    assert info.values == (0.1, 0.2, 0.3)
    layers, rate, pooling = info.axes
    assert layers.places == (2.0, 1.0, 1.0)
    assert layers.ticks == ((1.0, "1"), (2.0, "2"))
    assert rate.places == pytest.approx((-3, -5, -4))
    assert rate.ticks[0] == (-5.0, "1e-05")
    assert math.isclose(rate.ticks[-1][0], -3)
    assert pooling == ("Pooling", (1.0, 0.0, 0.0), ((0.0, "cls"), (1.0, "sum")), False)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_space_is_drawn_in_slices_and_lines(theme):
    logs = {f"model.{name}": False for name in "abcd"}
    rows = [row(i, i / 10, dict.fromkeys(logs, i)) for i in range(9)]
    titles = {name: f"The setting with the long name {name[-1]}" for name in logs}
    info = space_info(rows, logs, "validation_loss", titles)
    slices = draw_slices(info, theme)
    assert len(slices.data) == 4
    assert slices.layout.xaxis4.title.text == "The setting with the<br>long name d"
    lines = draw_parallel(info, theme).data[0]
    labels = [d.label for d in lines.dimensions]
    assert labels[0] == "The setting with<br>the long name a"
    assert labels[4:] == ["Validation loss"]
    # the better the stronger: a small loss has the strong colour
    higher = draw_parallel(info._replace(higher_is_better=True), theme).data[0]
    assert lines.line.colorscale[0][1] == higher.line.colorscale[1][1]


def test_an_empty_choice_and_a_missing_setting_have_places():
    rows = [row(0, 0.1, {"a": None}), row(1, 0.2, {"a": 64}), row(2, 0.3)]
    (axis,) = space_info(rows, {"a": False}, "validation_r", {"a": "A"}).axes
    assert axis.places == (1.0, 0.0, 1.0)
    assert axis.ticks == ((0.0, "64"), (1.0, "empty"))
