from __future__ import annotations

import itertools

import numpy as np
import plotly.graph_objects as go
import pytest

from thingsviz.figures.base import style

THEMES = ("light", "dark")

# Machado, Oliveira & Fernandes 2009, severity 1.0: what linear RGB looks like to each eye
SEEN_BY = {
    "deuteranope": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "protanope": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "tritanope": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def linear(rgb):
    value = np.asarray(rgb, float) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lightness(rgb):
    y = linear(rgb) @ [0.2126, 0.7152, 0.0722]
    return 116 * np.cbrt(np.maximum(y, 0.008856)) - 16


def contrast(one, other):
    light, dark = sorted(linear(style.rgb(c)) @ [0.2126, 0.7152, 0.0722] for c in (one, other))[
        ::-1
    ]
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_the_diverging_scale_is_symmetric_in_lightness_about_zero(theme):
    table = style.diverging_table(theme, 255)
    light = lightness(table)
    assert np.abs(light - light[::-1]).max() < 9
    away = light[127:] if theme == "dark" else -light[127:]
    assert (np.diff(away) > -0.2).all(), "further from zero is never nearer to its lightness"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("eye", SEEN_BY)
def test_signs_stay_apart_for_every_eye(theme, eye):
    table = linear(style.diverging_table(theme, 255)) @ np.array(SEEN_BY[eye]).T
    for step in (48, 80, 112):
        assert np.abs(table[127 - step] - table[127 + step]).max() > 0.08


def test_zero_is_the_colour_of_the_page():
    for theme in THEMES:
        middle = style.diverging_table(theme, 255)[127]
        assert abs(lightness(middle) - lightness(style.rgb(style.palette(theme).background))) < 8


@pytest.mark.parametrize("theme", THEMES)
def test_table_and_plotly_scale_are_one(theme):
    stops = style.diverging(theme)
    table = style.diverging_table(theme, len(stops))
    assert [place for place, _ in stops] == pytest.approx(np.linspace(0, 1, len(stops)))
    assert [tuple(row) for row in table] == [style.rgb(colour) for _, colour in stops]


@pytest.mark.parametrize("theme", THEMES)
def test_text_and_marks_can_be_read(theme):
    p = style.palette(theme)
    assert contrast(p.text, p.background) > 7
    assert contrast(p.muted, p.background) > 4.5
    assert all(contrast(c, p.background) > 3 for c in (p.truth, p.prediction))


def lab(rgb_linear):
    """CIE L*a*b* (D65) of linear RGB."""
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(np.maximum(to_xyz @ rgb_linear / [0.9505, 1.0, 1.089], 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("theme", THEMES)
def test_no_two_lines_of_a_figure_have_nearly_the_same_colour(theme):
    for eye, least in {"everybody": 25, **dict.fromkeys(SEEN_BY, 9.5)}.items():
        seen = np.array(SEEN_BY.get(eye, np.eye(3)))
        places = [lab(seen @ linear(style.rgb(c))) for c in style.palette(theme).series]
        apart = [np.linalg.norm(a - b) for a, b in itertools.combinations(places, 2)]
        assert min(apart) > least, eye


def test_the_limit_is_a_percentile_of_the_size():
    values = np.linspace(-1, 1, 2001)
    assert style.symmetric_limit(values) == pytest.approx(0.98, abs=1e-3)
    assert style.symmetric_limit(values, 50) == pytest.approx(0.5, abs=1e-3)


def test_the_limit_ignores_missing_values_and_is_never_zero():
    assert style.symmetric_limit(np.array([np.nan, 2.0, -2.0, np.inf])) == 2
    assert style.symmetric_limit(np.zeros(5)) == 1
    assert style.symmetric_limit(np.array([np.nan])) == 1
    assert style.symmetric_limit(np.array([])) == 1


@pytest.mark.parametrize("theme", THEMES)
def test_layout_is_plotlys_and_merges_what_is_given(theme):
    look = style.layout(theme, title={"text": "A"}, xaxis={"title": {"text": "mm"}}, height=50)
    figure = go.Figure(layout=look)
    assert figure.layout.title.text == "A"
    assert figure.layout.title.font.color == style.palette(theme).text
    assert figure.layout.xaxis.title.text == "mm"
    assert figure.layout.xaxis.gridcolor == style.palette(theme).grid
    assert figure.layout.height == 50
    assert style.layout(theme)["title"].get("text") is None, (
        "one figure leaves no trace in the next"
    )
