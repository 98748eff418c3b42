import numpy as np
import pytest

from thingsviz.core.errors import ConfigError
from thingsviz.data.planted.presets import PRESETS, SUB01_ORIGIN, get_preset, grid_over_sub01


def test_full_is_the_published_size():
    full = PRESETS["full"]
    assert (full.n_sessions, full.n_runs) == (12, 10)
    assert full.n_train + full.n_test + full.n_catch == 92
    assert (full.n_concepts, full.n_test_images) == (720, 100)
    assert (full.snr, full.exemplar_share, full.trial_state) == (1.0, 0.55, 0.75)
    assert full.shape == (72, 91, 75)


def test_demo_and_null_differ_in_signal_only():
    demo, null = PRESETS["demo"], PRESETS["null"]
    assert (demo.n_concepts, demo.n_test_images) == (144, 20)
    assert null.snr == 0
    assert null.grid == demo.grid


def test_the_published_affine():
    matrix = PRESETS["demo"].grid.matrix
    np.testing.assert_array_equal(np.diag(matrix), [2, 2, 2, 1])
    np.testing.assert_allclose(matrix[:3, 3], SUB01_ORIGIN, atol=1e-12)


def test_a_coarse_grid_covers_the_same_box():
    coarse, fine = grid_over_sub01((24, 28, 20)), PRESETS["full"].grid
    np.testing.assert_allclose(coarse.voxel_size, [6, 6.5, 7.5])
    for grid in (coarse, fine):
        corners = grid.to_mm(np.array([[-0.5] * 3, np.array(grid.shape) - 0.5]))
        np.testing.assert_allclose(corners[0], np.array(SUB01_ORIGIN) - 1)
        np.testing.assert_allclose(corners[1] - corners[0], [144, 182, 150])


def test_snr_scales_the_presets_own():
    assert get_preset("demo", 0.5).snr == PRESETS["demo"].snr * 0.5
    assert get_preset("demo") is PRESETS["demo"]
    assert get_preset("null", 5).snr == 0


def test_unknown_presets_and_impossible_snr_are_refused():
    with pytest.raises(ConfigError, match="preset 'huge' is unknown: choose one of tiny, demo"):
        get_preset("huge")
    for snr in (-1, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="give a factor between 0"):
            get_preset("tiny", snr)
