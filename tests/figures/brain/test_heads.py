import numpy as np
import pytest

from thingsviz.analysis.maps.volumes import head_volumes
from thingsviz.core.errors import ConfigError
from thingsviz.core.space import Grid
from thingsviz.figures.brain import heads
from thingsviz.figures.brain.heads import HeadsChoice

GRID = Grid.of((12, 14, 10), np.diag([2.0, 2, 2, 1]))


@pytest.fixture
def mask():
    mask = np.zeros(GRID.shape, bool)
    mask[1:-1, 1:-1, 1:-1] = True
    return mask


@pytest.fixture
def volumes(mask):
    """One head that looks at a corner, one that looks everywhere."""
    maps = np.ones((2, int(mask.sum())))
    maps[0, :40] = 200
    return head_volumes(maps, mask, GRID, 0)


def info(volumes, mask, **choice):
    return heads.heads_info(volumes, mask, GRID, ("Head 1", "Head 2"), HeadsChoice(**choice))


def test_values_are_in_multiples_of_the_mean(volumes, mask):
    np.testing.assert_allclose([v[mask].mean() for v in volumes], 1, rtol=1e-5)
    assert (volumes[:, ~mask] == 0).all()


def test_one_scale_shows_the_head_that_chooses(volumes, mask):
    found = info(volumes, mask, percent=30, shared=True)
    assert [head.n_voxels for head in found.heads] == [40, 0]
    assert found.heads[0].level == found.heads[1].level
    assert found.heads[0].limit == found.heads[1].limit
    assert found.heads[0].peak_mm == (2.0, 2.0, 2.0)


def test_own_scales_show_each_head(volumes, mask):
    first, second = info(volumes, mask, percent=30, shared=False).heads
    assert first.n_voxels == 40
    assert second.n_voxels == int(mask.sum())  # an even map has no strongest part
    assert second.limit < first.limit


def test_more_mass_is_more_voxels(volumes, mask):
    counts = [info(volumes, mask, percent=p, shared=False).heads[0].n_voxels for p in (5, 60, 99)]
    assert counts[0] <= counts[1] < counts[2]


@pytest.mark.parametrize(
    ("n", "rows", "columns"),
    [(1, 1, 1), (2, 1, 2), (3, 1, 3), (4, 2, 2), (6, 2, 3), (8, 2, 4), (12, 3, 4)],
)
def test_the_grid_is_wider_than_high(n, rows, columns):
    assert heads.layout_of(n) == (rows, columns)


def test_words_say_which_scale(volumes, mask):
    together = heads.describe(info(volumes, mask, percent=20))
    assert "strongest 20 % of the mass, smoothed by 8 mm" in together
    assert "One scale for all pictures" in together
    assert "cannot be compared" in heads.describe(info(volumes, mask, shared=False))
    alone = info(volumes, mask, percent=20)
    assert "scale" not in heads.describe(alone._replace(heads=alone.heads[:1]))


def test_bad_choices(volumes, mask):
    with pytest.raises(ConfigError, match="0 % of the mass was asked for"):
        info(volumes, mask, percent=0)
    with pytest.raises(ConfigError, match="1 to 16 maps"):
        heads.heads_info(volumes[:0], mask, GRID, (), HeadsChoice())
