"""The numbers behind the 3D pictures."""

import numpy as np
import pytest
from scipy import ndimage

from tests.figures.brains import BLOB, GRID, PEAK, SHAPE, bump, mask
from thingsviz.analysis.regions.smoothing import FWHM_PER_SIGMA, smooth_in_brain
from thingsviz.core.errors import ConfigError
from thingsviz.figures.base.style import BETA_UNIT, diverging_table
from thingsviz.figures.brain.volume import (
    BrainPlace,
    VolumeChoice,
    VolumeInfo,
    colours,
    volume_info,
)

WHERE_MM = (-34.0, -50.0, -18.0)  # of BLOB


def test_info_of_a_planted_response_is_known_to_the_last_number():
    volume = np.zeros(SHAPE, np.float32)
    volume[BLOB] = 5.0
    volume[20, 20, 20] = -3.0
    low = (10.0, -6.0, 18.0)
    info = volume_info(volume, mask(), GRID, VolumeChoice(0.0, "value", 2.0))
    n = int(mask().sum())
    assert info == VolumeInfo(
        unit=BETA_UNIT,
        smoothing_mm=0.0,
        threshold=2.0,
        percentile=round(100 * (n - 2) / n, 2),
        limit=2.0,
        n_brain=n,
        n_positive=1,
        n_negative=1,
        highest=BrainPlace(5.0, BLOB, WHERE_MM),
        lowest=BrainPlace(-3.0, (20, 20, 20), low),
        crosshair=BrainPlace(5.0, BLOB, WHERE_MM),
    )


def test_a_percentile_keeps_that_share_of_the_brain(rng):
    volume = np.where(mask(), rng.standard_normal(SHAPE), 0).astype(np.float32)
    info = volume_info(volume, mask(), GRID, VolumeChoice(0.0, "percentile", 95.0))
    share = (info.n_positive + info.n_negative) / info.n_brain
    assert share == pytest.approx(0.05, abs=1e-3)
    assert info.percentile == pytest.approx(95.0, abs=0.02)
    assert info.threshold == pytest.approx(1.96, abs=0.05)
    assert info.limit > info.threshold


def test_what_lies_outside_the_brain_never_counts():
    volume = np.full(SHAPE, 100.0, np.float32)
    volume[mask()] = 0.0
    volume[BLOB] = 1.0
    info = volume_info(volume, mask(), GRID, VolumeChoice(0.0, "value", 0.5))
    assert (info.n_positive, info.n_negative, info.highest.ijk) == (1, 0, BLOB)


def test_nothing_above_the_threshold_is_empty_not_an_error():
    info = volume_info(bump(), mask(), GRID, VolumeChoice(0.0, "value", 50.0))
    assert info.empty
    assert info.highest.value == pytest.approx(PEAK)
    flat = volume_info(np.zeros(SHAPE, np.float32), mask(), GRID, VolumeChoice())
    assert flat.empty
    assert flat.threshold == 0


def test_the_crosshair_goes_where_it_is_put_and_stays_inside_the_grid():
    at = volume_info(bump(), mask(), GRID, VolumeChoice(crosshair_mm=(10.6, -6.0, 18.0))).crosshair
    assert (at.ijk, at.mm) == ((20, 20, 20), (10.0, -6.0, 18.0))
    far = volume_info(bump(), mask(), GRID, VolumeChoice(crosshair_mm=(1e5, -1e5, 0.0))).crosshair
    assert far.ijk == (SHAPE[0] - 1, 0, 16)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (VolumeChoice(by="value", threshold=0.0), "not above 0"),
        (VolumeChoice(by="value", threshold=-1.0), "not above 0"),
        (VolumeChoice(by="percentile", threshold=100.0), "not between 0 and 100"),
        (VolumeChoice(by="percentile", threshold=0.0), "97 shows the strongest 3 %"),
    ],
)
def test_a_threshold_that_cannot_work_is_refused(choice, words):
    with pytest.raises(ConfigError, match=words):
        volume_info(bump(), mask(), GRID, choice)


def test_an_empty_mask_is_refused():
    with pytest.raises(ConfigError, match="holds no voxel"):
        volume_info(bump(), np.zeros(SHAPE, bool), GRID, VolumeChoice())


def test_smoothing_is_a_gaussian_of_that_width_far_from_the_edge():
    spike = np.zeros(SHAPE, np.float32)
    spike[18, 22, 16] = 1.0
    smoothed = smooth_in_brain(spike, mask(), GRID, 10.0)
    plain = ndimage.gaussian_filter(spike, 10.0 / FWHM_PER_SIGMA / 4.0, truncate=3)
    near = np.s_[15:22, 19:26, 13:20]
    np.testing.assert_allclose(smoothed[near], plain[near], rtol=1e-4, atol=1e-7)


def test_smoothing_keeps_a_constant_brain_constant_up_to_its_edge():
    smoothed = smooth_in_brain(np.where(mask(), 3.0, 0.0), mask(), GRID, 8.0)
    np.testing.assert_allclose(smoothed[mask()], 3.0, rtol=1e-5)
    assert not smoothed[~mask()].any()


def test_no_smoothing_only_clears_the_outside_and_what_is_no_number():
    volume = np.full(SHAPE, 2.0)
    volume[BLOB] = np.nan
    found = smooth_in_brain(volume, mask(), GRID, 0.0)
    assert found.dtype == np.float32
    assert found[BLOB] == 0
    assert set(np.unique(found)) == {0.0, 2.0}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_have_zero_in_the_middle_and_end_at_the_limit(theme):
    table = diverging_table(theme, 255)
    values = np.array([-9.0, -2.0, 0.0, 2.0, 9.0, np.nan], np.float32)
    expected = table[[0, 0, 127, 254, 254, 127]]
    np.testing.assert_array_equal(colours(values, 2.0, theme), expected)
