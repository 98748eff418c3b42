import gzip

import nibabel as nib
import numpy as np
import pytest

from tests.data.published import AFFINE, GRID, N_BRAIN_VOXELS, brain, write_nifti
from thingsviz.core.errors import DataError
from thingsviz.core.space import Grid
from thingsviz.data.volumes.masks import BrainMask, read_mask, write_mask


@pytest.fixture
def mask():
    return BrainMask(brain(), Grid.of(GRID, AFFINE))


def test_the_order_of_voxels_is_that_of_flatnonzero(mask):
    flat = np.ravel_multi_index(tuple(mask.ijk.T), GRID)
    assert mask.n_voxels == N_BRAIN_VOXELS
    np.testing.assert_array_equal(flat, np.flatnonzero(mask.inside))


def test_positions_in_a_volume_as_nifti_writes_it(mask, rng):
    volume = rng.normal(size=GRID)
    np.testing.assert_array_equal(
        volume.ravel(order="F")[mask.fortran_positions], volume[mask.inside]
    )


def test_unmask_undoes_masking(mask, rng):
    vector = rng.normal(size=N_BRAIN_VOXELS).astype(np.float16)
    volume = mask.unmask(vector)
    assert volume.dtype == np.float32
    np.testing.assert_array_equal(volume[mask.inside], vector)
    assert (volume[~mask.inside] == 0).all()
    assert np.isnan(mask.unmask(vector, np.nan)[~mask.inside]).all()


def test_a_mask_survives_the_disk(mask, tmp_path):
    write_mask(tmp_path / "a.nii.gz", mask)
    found, _ = read_mask(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(found.inside, mask.inside)
    assert found.grid == mask.grid


def test_the_same_mask_gives_the_same_bytes(mask, tmp_path):
    write_mask(tmp_path / "a.nii.gz", mask)
    write_mask(tmp_path / "b.nii.gz", mask)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_any_type_and_a_fourth_axis_of_one(tmp_path, dtype):
    write_nifti(tmp_path / "a.nii.gz", brain()[..., None].astype(dtype))
    assert read_mask(tmp_path / "a.nii.gz")[0].n_voxels == N_BRAIN_VOXELS


def test_nan_is_not_brain(tmp_path):
    volume = np.where(brain(), 1, np.nan).astype(np.float32)
    write_nifti(tmp_path / "a.nii.gz", volume)
    assert read_mask(tmp_path / "a.nii.gz")[0].n_voxels == N_BRAIN_VOXELS


def test_a_mask_larger_than_any_head_is_refused_unread(tmp_path):
    """400³ zeros pack into 250 kB; they are not unpacked."""
    header = nib.Nifti1Image(np.zeros((1, 1, 1), np.uint8), AFFINE).header
    header["dim"][1:4] = 400
    raw = header.binaryblock + bytes(4)
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(raw) + gzip.compress(bytes(1 << 20), 9) * 61)
    with pytest.raises(DataError, match=r"claims the shape \(400, 400, 400\): no brain mask"):
        read_mask(path)


def test_an_empty_mask_is_refused(tmp_path):
    write_nifti(tmp_path / "a.nii.gz", np.zeros(GRID, np.uint8))
    with pytest.raises(DataError, match="marks no voxel as brain"):
        read_mask(tmp_path / "a.nii.gz")


def test_a_missing_mask_is_refused(tmp_path):
    with pytest.raises(DataError, match="there is no brain mask"):
        read_mask(tmp_path / "a.nii.gz")


def test_a_mask_of_four_dimensions_is_refused(tmp_path):
    write_nifti(tmp_path / "a.nii.gz", np.ones((*GRID, 2), np.uint8))
    with pytest.raises(DataError, match=r"shape \(5, 6, 4, 2\), expected 3 axes"):
        read_mask(tmp_path / "a.nii.gz")


def test_a_scaled_mask_is_read_by_its_values(tmp_path):
    """With an intercept of −1 the stored ones are zeros, and the stored zeros are not."""
    stored = np.zeros((3, 4, 5), np.uint8)
    stored[1] = 1
    image = nib.Nifti1Image(stored, np.diag([2.0, 2.0, 2.0, 1.0]))
    image.header["scl_slope"], image.header["scl_inter"] = 1.0, -1.0
    path = tmp_path / "mask.nii"
    raw = bytearray(image.to_bytes())
    raw[112:120] = np.array([1.0, -1.0], np.float32).tobytes()
    path.write_bytes(raw)
    expected = np.asarray(nib.load(path).dataobj) != 0
    assert expected.sum() == 40
    np.testing.assert_array_equal(read_mask(path)[0].inside, expected)
