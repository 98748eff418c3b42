"""Figures beside a map: its regions, its judgements, its slices."""

import numpy as np
import pandas as pd
import pytest

from thingsviz.analysis.maps.by_region import BACKGROUND
from thingsviz.core.space import Grid
from thingsviz.figures.maps.faithfulness import curves_info, draw_curves, draw_sanity, sanity_info
from thingsviz.figures.maps.map_agreement import agreement_info, draw_agreement, head_profiles_info
from thingsviz.figures.maps.map_regions import draw_regions, regions_info, short
from thingsviz.figures.maps.map_slices import draw_map_slices, map_slices_info

GRID = Grid.of((10, 12, 8), np.diag([2.0, 3, 2, 1]))


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "region": ["in no region", "early_visual", "white_matter", "nothing", BACKGROUND],
            "share": [0.1, 0.5, 0.3, 0.0, 0.1],
            "uniform": [0.2, 0.2, 0.2, 0.0, 0.4],
            "ceiling": [np.nan, 12.3, 0.1, 0, np.nan],
            "q": [0.9, 0.01, 0.2, np.nan, np.nan],
            "no_signal": [False, False, True, False, False],
        }
    )


def test_regions_come_by_share_with_what_is_special(table):
    info = regions_info(table)
    assert info.names == ("early visual", "white matter", "background")
    assert info.shares == (50, 30, 10)
    assert info.uniform == (20, 20, 40)
    assert info.ceilings == (12.3, 0.1, None)
    assert info.marks == ("more", "no signal", "10.0 % of it")
    assert regions_info(table, most=1).n_left_out == 1
    assert regions_info(table, most=1).names == ("early visual", "background")


def test_what_lies_in_no_region_has_a_bar_only_when_no_region_is_known(table):
    assert "in no region" not in regions_info(table).names
    assert regions_info(table[:1]).names == ("in no region",)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_bars_stand_beside_uniform_attention(table, theme):
    figure = draw_regions(regions_info(table), theme, "Head 1")
    bars, ticks = figure.data
    assert list(bars.x) == [50, 30, 10]
    assert list(ticks.x) == [20, 20, 40]
    colours = bars.marker.color
    assert colours[1] == colours[2] != colours[0]  # no signal, background: grey
    assert figure.layout.xaxis.title.text == "share of the map, %"


def test_a_large_background_does_not_dwarf_the_regions(table):
    table.loc[4, "share"] = 5.0
    info = regions_info(table)
    assert info.names[-1] == "background"
    figure = draw_regions(info, "light", "Head 1")
    assert figure.layout.xaxis.range[1] == pytest.approx(1.25 * 50)
    assert figure.data[0].textposition[-1] == "inside"


def test_long_names_are_cut():
    assert short("a_b") == "a b"
    assert len(short("x" * 80)) == 28


def test_curves_of_a_method_beside_plain_orders():
    facts = {
        "shares": [0.0, 0.5, 1.0],
        "deletion": {"occlusion": [1, 0.2, 0], "random order": [1, 0.6, 0]},
        "insertion": {"occlusion": [0, 0.9, 1], "random order": [0, 0.7, 1]},
    }
    orders = ("random order", "noise ceiling")
    info = curves_info(facts, "occlusion", "Occlusion by patch", orders)
    assert info.names == ("Occlusion by patch", "random order")
    assert info.shares == (0, 50, 100)
    figure = draw_curves(info, "light")
    assert len(figure.data) == 4
    assert list(figure.data[0].y) == [1, 0.2, 0]
    assert figure.data[2].xaxis == "x2"


def test_sanity_begins_with_the_whole_decoder():
    steps = [{"what": "head", "correlation": 0.91}, {"what": "embedding", "correlation": None}]
    info = sanity_info(steps)
    assert info.steps == ("nothing", "+ head", "+ embedding")
    assert info.correlations == (1.0, 0.91, None)
    assert list(draw_sanity(info, "dark").data[0].x) == list(info.steps)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_slices_pass_through_the_peak_and_colour_the_top_only(theme):
    mask = np.ones(GRID.shape, bool)
    volume = np.full(GRID.shape, 0.1, "f4")
    volume[4, 5, 6] = 50
    under = np.random.default_rng(0).standard_normal(GRID.shape)
    info = map_slices_info(volume, under, mask, GRID, 30)
    assert info.over.voxel == (4, 5, 6)
    assert info.over.mm == (8.0, 15.0, 12.0)
    assert info.level == 50
    assert [int(np.isfinite(plane.image).sum()) for plane in info.over.planes] == [1, 1, 1]
    figure = draw_map_slices(info, theme)
    assert len(figure.data) == 6
    assert {trace.zmin for trace in figure.data[3:]} == {0}
    assert "× mean" in figure.data[3].colorbar.title.text
    assert figure.layout.xaxis2.title.text == "y = 15 mm"
    assert not any(trace.showscale for trace in figure.data[:3])
    assert figure.layout.title.text == "Strongest at x 8, y 15, z 12 mm · 50.0 × mean"


def test_agreement_puts_kin_side_by_side(rng):
    a, b = rng.random((2, 300))
    maps = {"a": a, "b": b, "like a": a + 0.02 * rng.random(300)}
    info = agreement_info(maps)
    at = [info.names.index(name) for name in ("a", "like a", "b")]
    assert abs(at[0] - at[1]) == 1
    assert info.correlation[at[0]][at[1]] > 0.95
    assert abs(info.correlation[at[0]][at[2]]) < 0.3
    assert info.overlap[at[0]][at[0]] == 1
    figure = draw_agreement(info, "dark")
    assert list(figure.layout.xaxis.ticktext) == list(info.names)


def test_the_tree_joins_what_is_alike_first(rng):
    a, b = rng.random((2, 300))
    info = agreement_info({"a": a, "b": b, "like a": a + 0.02 * rng.random(300)})
    low, high = info.tree
    assert max(low[0]) < 0.05 < max(high[0])
    first = {info.names[round(place)] for place in (low[1][0], low[1][-1])}
    assert first == {"a", "like a"}
    figure = draw_agreement(info, "light")
    assert [trace.xaxis for trace in figure.data[1:]] == ["x2", "x2"]
    assert not agreement_info({"a": a, "b": b}).tree


def test_head_profiles_need_no_order_of_heads(rng):
    one = rng.random((4, 9))
    info = head_profiles_info({"one": one, "turned": one[::-1], "other": rng.random((6, 9))})
    at = {name: n for n, name in enumerate(info.names)}
    assert info.correlation[at["one"]][at["turned"]] == 1
    assert abs(info.correlation[at["one"]][at["other"]]) < 0.7
    assert info.words == "RSA, rank r"


def test_slices_use_the_whole_width_of_a_narrow_column(rng):
    mask = np.ones(GRID.shape, bool)
    volume = rng.random(GRID.shape).astype("f4")
    figure = draw_map_slices(map_slices_info(volume, volume, mask, GRID, 20), "light")
    domains = [figure.layout[side].domain for side in ("xaxis", "xaxis2", "xaxis3")]
    assert domains[0][0] < 0.02
    assert domains[2][1] > 0.98
    assert domains[0][1] < domains[1][0]
    assert domains[1][1] < domains[2][0]
    bars = [t.colorbar for t in figure.data if t.showscale is not False]
    assert bars
    assert all(bar.orientation != "h" for bar in bars), "it would cover the titles below"
    assert all(len(line) < 50 for line in figure.layout.title.text.split("<br>"))
