"""The table of the maps' benchmark and its goals; the benchmark itself runs by hand."""

from benchmarks import maps

ROW = {
    "decoder": "ridge",
    "method": "Activation pattern",
    "resolution": "6 mm",
    "auc": 0.93,
    "smooth": 0.91,
    "above": ("by voxel",),
    "area": (0.4, 0.3, 0.5),
    "sanity": 0.2,
    "seconds": 3.0,
}
LIMIT = {"decoder": "the limit", "method": "true", "resolution": "a voxel", "auc": 0.7}
EVEN = {**LIMIT, "decoder": "ridge", "method": "even", "auc": 0.95, "smooth": 0.97}


def test_a_row_that_meets_all_goals():
    assert maps.missed([ROW, {**ROW, "method": "Weights", "auc": 0.6}], 0.9) == []


def test_each_goal_can_be_missed():
    low = maps.missed([{**ROW, "auc": 0.8, "smooth": 0.95}], 0.9)
    assert low == ["ridge: the best AUC at a map's own resolution is 0.800 (goal ≥ 0.9)"]
    (insane,) = maps.missed([{**ROW, "sanity": 0.95}], 0.9)
    assert "with its weights lost the map still correlates 0.95" in insane
    (unfaithful,) = maps.missed([{**ROW, "area": (0.1, -0.1, 0.3)}], 0.9)
    assert "no map is surely better than random order" in unfaithful


def test_the_even_map_is_no_method_and_meets_no_goal():
    low = maps.missed([EVEN, {**ROW, "auc": 0.8}], 0.9)
    assert low == ["ridge: the best AUC at a map's own resolution is 0.800 (goal ≥ 0.9)"]


def test_the_table_has_a_cell_a_column():
    rows = [{**LIMIT, "smooth": 0.9}, ROW, {**ROW, "sanity": None, "above": ()}]
    lines = maps.table(rows).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2].endswith("| 0.900 | | | | |")
    assert "| by voxel | +0.400 [+0.300, +0.500] | +0.20 | 3.0 |" in lines[3]
    assert "| flat |" in lines[4]
    assert "| **no** |" in lines[4]
