import numpy as np
import pytest

from thingsviz.analysis.maps import auc_gap
from thingsviz.analysis.maps.planted_truth import auc
from thingsviz.core.space import Grid

GRID = Grid.of((12, 12, 12), np.diag([4.0, 4.0, 6.0, 1.0]))


@pytest.fixture
def brain(rng):
    mask = rng.random(GRID.shape) < 0.8
    return mask, auc_gap.blocks(mask, GRID)


def test_blocks_are_cubes_of_the_same_size_in_mm(brain):
    mask, block = brain
    assert len(block) == mask.sum()
    assert block.max() + 1 == 2 * 2 * 3
    at = np.argwhere(mask)[block == 0]
    assert at.max(0).tolist() == [5, 5, 3]


def test_placements_average_to_the_auc(rng):
    signal = np.where(rng.random(400) < 0.3, 1.0, 0)
    values = np.round(signal + rng.standard_normal(400), 1)  # with ties
    found = auc_gap.placements(values, signal > 0)
    wanted = auc(values, signal, weighted=False)
    assert found[signal > 0].mean() == pytest.approx(wanted)
    assert found[signal == 0].mean() == pytest.approx(wanted)


def test_the_gap_is_the_difference_of_the_aucs_and_none_with_itself(brain, rng):
    _, block = brain
    signal = (rng.random(len(block)) < 0.3).astype(float)
    a, b = signal + rng.standard_normal((2, len(block)))
    gap = auc_gap.auc_gap(a, b, signal > 0, block)
    assert gap.value == pytest.approx(auc(a, signal, False) - auc(b, signal, False))
    assert gap.low < gap.value < gap.high
    assert auc_gap.auc_gap(a, 3 * a + 1, signal > 0, block) == (0, 0, 0)


def test_the_interval_is_that_of_drawing_blocks_again(rng):
    """Blocks whose voxels are alike: single voxels as draws would promise far too much."""
    block = np.repeat(np.arange(120), 25)
    planted = (block % 5 < 2) ^ (rng.random(3000) < 0.1)  # whole regions, ragged
    shift = rng.standard_normal((2, 120))[:, block]
    a, b = 0.8 * planted + shift + rng.standard_normal((2, 3000))
    gap = auc_gap.auc_gap(a, b, planted, block)
    several = []
    for _ in range(300):
        chosen = rng.integers(0, 120, 120)
        rows = (25 * chosen[:, None] + np.arange(25)).ravel()
        signal = planted[rows].astype(float)
        several.append(auc(a[rows], signal, False) - auc(b[rows], signal, False))
    low, high = np.percentile(several, [2.5, 97.5])
    assert gap.high - gap.low == pytest.approx(high - low, rel=0.25)
    alone = auc_gap.auc_gap(a, b, planted, np.arange(3000))
    assert alone.high - alone.low < 0.6 * (gap.high - gap.low)


def test_maps_of_the_same_worth_are_seldom_told_apart(rng):
    block = np.repeat(np.arange(60), 10)
    planted = np.arange(600) % 3 == 0
    told = 0
    for _ in range(400):
        shift = rng.standard_normal((2, 60))[:, block]
        gap = auc_gap.auc_gap(*(planted + shift + rng.standard_normal((2, 600))), planted, block)
        told += gap.low > 0 or gap.high < 0
    assert 4 <= told <= 40  # 5 % of 400 is 20


def test_where_all_or_nothing_is_planted_there_is_no_gap():
    values = np.arange(4.0)
    assert np.isnan(auc_gap.auc_gap(values, values, np.ones(4, bool), np.arange(4))).all()


def test_what_is_surely_above():
    over = {"auc": [0.1, 0.05, 0.2], "auc_smooth": [0.01, -0.02, 0.04]}
    assert auc_gap.above(over) == ("by voxel",)
    assert auc_gap.above({"auc": [0.004, 0.003, 0.005]}) == ()  # sure, but nothing to speak of
    assert auc_gap.above({"auc": [0, 0, 0], "auc_smooth": [0, 0, 0]}) == ()
