import pytest

from thingsviz.figures.scores.folds import FoldSeries, FoldsInfo, describe_folds, draw_folds

NAMES = tuple(f"run {n}" for n in range(1, 5))
ONE = FoldSeries("linear_svm", (0.5, 0.6, None, 0.7), 0.6, 0.4, 0.8)
TWO = FoldSeries("lda", (0.4, 0.5, 0.5, 0.6), 0.5, None, None)


def info(*series, metric="top1"):
    return FoldsInfo(metric, NAMES, (32,) * 4, series, 0.125)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_dot_a_fold_beside_mean_interval_and_chance(theme):
    figure = draw_folds(info(ONE), theme)
    (dots,) = figure.data
    assert tuple(dots.y) == ONE.values
    assert tuple(figure.layout.xaxis.ticktext) == NAMES
    lines = {shape.y0 for shape in figure.layout.shapes}
    assert {0.6, 0.4, 0.125} <= lines
    assert not figure.layout.showlegend


def test_two_decoders_have_marks_and_a_legend():
    figure = draw_folds(info(ONE, TWO, metric="r"), "light")
    assert [trace.name for trace in figure.data] == ["linear_svm", "lda"]
    assert len({trace.marker.symbol for trace in figure.data}) == 2
    assert figure.layout.showlegend


def test_the_sentence_says_range_and_mean():
    assert describe_folds(info(ONE)) == (
        "Top-1 share of hits in each of 4 folds: linear_svm 0.50 to 0.70, mean 0.60"
    )
    nothing = FoldSeries("mean", (None,) * 4, 0.0, None, None)
    assert "mean unknown" in describe_folds(info(nothing))
