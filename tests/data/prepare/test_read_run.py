from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from thingsviz.core.errors import DataError
from thingsviz.core.space import Grid
from thingsviz.data.prepare.plan import RunPlan
from thingsviz.data.prepare.read_run import LARGEST, checked
from thingsviz.data.things.layout import RunFiles
from thingsviz.data.volumes.nifti import Header

GRID = Grid.of((2, 2, 2), np.eye(4))
RUN = RunPlan(
    RunFiles(3, 4, Path("b.nii.gz"), None),
    Path("b.nii.gz"),
    Header(GRID, 9, np.dtype("f4"), 1, 0, 352, ""),
    18,
)
VALUES = st.floats(-1000, 1000, width=32) | st.sampled_from([np.nan, np.inf, -np.inf])


def test_a_run_fills_the_rows_behind_the_one_before():
    assert (RUN.first, RUN.last) == (18, 27)


@given(arrays.arrays(np.float32, st.integers(2, 40), elements=VALUES))
def test_what_passes_is_finite_varied_and_fits_float16(values):
    try:
        clean, n_bad = checked(values, RUN, 6)
    except DataError as error:
        assert str(error).startswith("'b.nii.gz', volume 6 (ses-03 run-04 trial 7): ")  # noqa: PT017
        return
    finite = np.isfinite(values)
    assert n_bad == (~finite).sum()
    np.testing.assert_array_equal(clean[finite], values[finite])
    assert (clean[~finite] == 0).all()
    assert np.isfinite(clean.astype(np.float16)).all()
    assert clean.min() < clean.max()


def test_half_of_the_voxels_may_be_missing_not_more():
    half = np.array([1, 2, np.nan, np.nan])
    assert checked(half, RUN, 0)[1] == 2
    with pytest.raises(DataError, match="3 of 4 brain voxels are not finite"):
        checked(np.array([1, np.nan, np.nan, np.nan]), RUN, 0)


def test_the_largest_float16_passes_and_the_next_does_not():
    checked(np.array([0, LARGEST]), RUN, 0)
    with pytest.raises(DataError, match="values up to 70000, expected % signal change"):
        checked(np.array([0, -70000.0]), RUN, 0)


def test_a_brain_of_one_voxel_is_not_constant():
    assert checked(np.array([2.0]), RUN, 0)[0].tolist() == [2]
