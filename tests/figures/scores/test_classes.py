"""Figures of classifiers: what they hold, in both themes."""

import numpy as np
import pandas as pd
import pytest

from thingsviz.analysis.classes.hit_table import (
    HitPlace,
    class_curve,
    class_rows,
    prior_line,
    rows_at,
)
from thingsviz.analysis.classes.hits import Guesses, rank_classes
from thingsviz.figures.scores.classes import draw_mixed, draw_top, mixed_info, top_info


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    true = np.repeat(np.arange(12), 3)
    scores = rng.standard_normal((36, 12))
    scores[np.arange(36), true] += 1.5
    return Guesses(rank_classes(scores), true, true.astype(str))


@pytest.fixture(scope="module")
def curves(data):
    place = HitPlace("mlp", "test", "single")
    prior = prior_line(place._replace(model="prior"), data, np.full(12, 7))
    return [class_curve(place, data, full=True, n_draws=40), prior]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_curve_holds_every_k_and_its_references(theme, data, curves):
    info = top_info(curves, "mlp", ("test", "single"), 5)
    assert info.own.share[4] == (data.own <= 5).mean()
    assert info.own.share[-1] == 1
    assert [curve.label for curve in info.references] == ["prior"]
    figure = draw_top(info, theme)
    names = [trace.name for trace in figure.data if trace.showlegend is not False]
    assert names == ["chance", "prior-only", "mlp"]
    assert figure.data[-1].x == (5,)  # the k that was chosen
    assert figure.layout.yaxis.range == (0, 1)


def test_without_a_curve_there_is_no_picture(curves):
    assert top_info(curves, "mlp", ("test", "mean of 3"), 5) is None
    assert top_info(curves, "prior", ("test", "single"), 5) is None


def test_rows_at_any_k_are_those_of_the_table(data, curves):
    rows = class_rows(HitPlace("mlp", "test", "single"), data, chance=True, n_draws=40)
    for k in (1, 5, 10):
        found = {row["model"]: row for row in rows_at(curves, rows, k)}
        plain = {r["model"]: r for r in rows if r["metric"] == f"top{k}"}
        assert set(found) == {"mlp", "chance", "prior"}
        for model, names in (
            ("mlp", ("value", "low", "high", "p")),
            ("chance", ("value", "high")),
        ):
            wanted = [plain[model][name] for name in names]
            assert [found[model][name] for name in names] == pytest.approx(wanted)
        assert found["mlp"]["n_concepts"] == 12
    assert {row["metric"] for row in rows_at(curves, rows, 7)} == {"top7"}


def test_mixed_up_classes_are_counted():
    rows = pd.DataFrame({"true_class": ["a", "a", "b"], "top_1": ["a", "b", "b"]})
    info = mixed_info(rows)
    assert info.names == ("a", "b")
    np.testing.assert_allclose(info.share, [[0.5, 0.5], [0, 1]])
    assert info.counts == (2, 1)
    assert draw_mixed(info, "dark").data[0].y == ("a (2)", "b (1)")
    many = pd.DataFrame({"true_class": list("abc"), "top_1": list("aaa")})
    assert mixed_info(many.iloc[:1]) is None  # one class
    wide = pd.DataFrame({"true_class": range(70), "top_1": range(70)}).astype(str)
    assert mixed_info(wide) is None


def test_a_classifier_s_curves_show_its_hits():
    from thingsviz.figures.training.curves import curves_info, draw_curves

    rows = [
        {"kind": "epoch", "epoch": e, "step": 10 * e, "lr": 1e-3, "train_loss": 3 - e}
        | {"validation_loss": 3.0, "validation_top1": 0.1, "validation_top10": 0.1 * e}
        for e in (1, 2)
    ]
    info = curves_info(rows, "Cross-entropy of classes", None, "validation_top10")
    assert info.correlation.y == (0.1, 0.2)
    assert info.best == 1
    assert draw_curves(info, "light").layout.yaxis2.title.text == "Validation Top-10"
