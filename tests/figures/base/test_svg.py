"""Pictures as SVG: well-formed, to scale, in the page's own colours."""

import xml.etree.ElementTree as ET

import pytest

from thingsviz.figures.base.svg import DotRow, SvgLine, SvgMark, dots, lines, ticks


def test_ticks_are_round_and_inside():
    assert ticks(0.03, 0.98) == [0.2, 0.4, 0.6, 0.8]
    assert ticks(-1, 1) == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert len(ticks(3, 3)) >= 1


def test_dots_stand_where_their_values_are():
    rows = [
        DotRow("a", 0.0, -0.5, 0.5, (SvgMark("ridge", 1.0),)),
        DotRow("b <i>", 1.0, None, None),
    ]
    root = ET.fromstring(dots(rows, "r"))
    circles = [float(c.get("cx")) for c in root.iter("circle")]
    ridge = next(line for line in root.iter("line") if line.find("title") is not None)
    assert ridge.find("title").text == "ridge 1.000"
    assert float(ridge.get("x1")) == circles[1] > circles[0]
    span = next(line for line in root.iter("line") if line.get("stroke") == "var(--c0)")
    assert float(span.get("x1")) + float(span.get("x2")) == pytest.approx(2 * circles[0], abs=0.3)
    assert "b <i>" in [t.text for t in root.iter("text")]
    assert root.get("aria-label") == "r of 2 rows"


def test_lines_run_from_left_to_right_and_larger_is_higher():
    root = ET.fromstring(lines([SvgLine("one", (1, 2, 3), (0.1, 0.5, 0.3))], "epoch", "r"))
    points = [p.split(",") for p in root.find("polyline").get("points").split()]
    xs, ys = ([float(p[i]) for p in points] for i in (0, 1))
    assert xs == sorted(xs)
    assert ys[1] < ys[2] < ys[0]


def test_nothing_and_constants_are_drawn_too():
    for svg in (dots([], "r"), lines([], "x", "y"), lines([SvgLine("c", (1,), (2,))], "x", "y")):
        assert ET.fromstring(svg).tag == "svg"


def test_a_long_name_ends_inside_the_picture_and_says_that_it_goes_on():
    text = lines([SvgLine("ViT3D, patch 12 × 13 × 15, 3 layers", (1,), (1,))], "epoch", "loss")
    assert "3 layers<" in text
    assert "a" * 39 + "…<" in lines([SvgLine("a" * 60, (1,), (1,))], "epoch", "loss")
