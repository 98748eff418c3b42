from __future__ import annotations

from thingsviz.figures.base.counts import CountsInfo, counts_info, draw_counts

BY_SESSION = {"10": {"train": 5, "test": 2}, "2": {"train": 4, "test": 2, "catch": 1}}


def test_sessions_are_in_order_and_absent_types_count_zero():
    assert counts_info(BY_SESSION) == CountsInfo(
        ("02", "10"), {"train": (4, 5), "test": (2, 2), "catch": (1, 0)}
    )


def test_types_that_nobody_has_are_left_out():
    assert counts_info({"1": {"train": 3}}).numbers == {"train": (3,)}


def test_the_picture_stacks_the_types():
    figure = draw_counts(counts_info(BY_SESSION), "dark")
    assert [trace.name for trace in figure.data] == ["train", "test", "catch"]
    assert figure.layout.barmode == "stack"
    assert figure.layout.title.text == "Trials by session and type"
    assert figure.layout.xaxis.title.text == "session"
    assert figure.layout.yaxis.title.text == "trials"
    assert tuple(figure.data[0].x) == ("02", "10")
