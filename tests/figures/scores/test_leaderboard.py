import numpy as np
import pandas as pd
import pytest

from thingsviz.figures.scores.leaderboard import draw_heat, heat_info, region_volume, words_of


def board():
    rows = []
    for region, heavy, lives in (("v1", 0.1, -0.2), ("loc_inferior", 0.5, 0.3), ("ppa", 0.2, 0.6)):
        for target, r in (("heavy", heavy), ("lives", lives)):
            row = {"region": region, "property": target, "r": r, "low": r - 0.1, "high": r + 0.1}
            row |= {"p": 0.0002 if r > 0.4 else 0.5, "q": 0.001 if r > 0.4 else 0.6}
            row |= {"chance": 0.0, "chance_high": 0.2, "ceiling": 0.9, "n_trials": 100}
            rows.append(row | {"n_concepts": 100, "n_voxels": 317})
    return pd.DataFrame(rows)


def test_the_best_stand_first():
    info = heat_info(board())
    assert info.regions == ("ppa", "loc_inferior", "v1")
    assert info.properties == ("lives", "heavy")
    assert info.r[0] == (0.6, 0.2)
    assert info.survives == ((True, False), (False, True), (False, False))


def test_a_field_says_all_that_belongs_to_its_score():
    row = board().iloc[3].to_dict()
    assert words_of(row) == (
        "loc inferior, lives: r 0.30<br>95 % interval 0.20 to 0.40; chance 0.00, 95 % of it below "
        "0.20<br>permutation p 0.5000, corrected q 0.600<br>noise ceiling of the ratings 0.90<br>"
        "100 test trials of 100 concepts, 317 voxels"
    )
    bare = words_of(row | {"low": None, "ceiling": np.nan})
    assert "no interval" in bare
    assert "ratings –" in bare


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_picture_marks_what_survives(theme):
    figure = draw_heat(heat_info(board()), theme, "A title")
    heat, dots = figure.data
    assert (heat.zmin, heat.zmax) == (-0.6, 0.6)
    assert list(zip(dots.x, dots.y, strict=True)) == [("lives", "ppa"), ("heavy", "loc inferior")]
    assert figure.layout.title.text == "A title"


def test_a_voxel_has_its_best_region_s_score():
    member = {"a": np.array([1, 1, 0, 0], bool), "b": np.array([0, 1, 1, 0], bool)}
    values = region_volume({"a": 0.2, "b": 0.5}, member, 4)
    np.testing.assert_allclose(values, [0.2, 0.5, 0.5, 0])
    np.testing.assert_allclose(region_volume({"a": -0.2, "b": -0.5}, member, 4)[:2], -0.2)
