import gzip
import struct

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.published import AFFINE, GRID, write_nifti
from thingsviz.core.errors import DataError
from thingsviz.data.volumes.nifti import VolumeReader, read_header


def values(dtype=np.float32, n=3):
    return np.random.default_rng(4).integers(-100, 100, (*GRID, n)).astype(dtype)


def read(path):
    """All values of a file as (X, Y, Z, n), the way a builder reads them."""
    with VolumeReader(path, n_axes=4) as reader:
        volumes = [reader.to_values(v).reshape(GRID, order="F") for v in reader.volumes()]
        reader.source.finish()
    return np.stack(volumes, -1)


def edited(path, offset, fmt, *numbers):
    """Overwrite a field of the packed header."""
    raw = bytearray(gzip.decompress(path.read_bytes()))
    struct.pack_into("<" + fmt, raw, offset, *numbers)
    path.write_bytes(gzip.compress(bytes(raw)))


@pytest.fixture
def path(tmp_path):
    write_nifti(tmp_path / "a.nii.gz", values(), descrip="SIMULATED")
    return tmp_path / "a.nii.gz"


def test_header_says_what_nibabel_says(path):
    header, other = read_header(path, n_axes=4), nib.load(path)
    assert (*header.grid.shape, header.n_volumes) == other.shape
    assert header.grid.matrix.tolist() == other.affine.tolist()
    assert header.dtype == other.get_data_dtype()
    assert header.description == "SIMULATED"


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i2", "u1", "i4", "u2", ">f4", ">i2", "i8"])
def test_any_number_type_gives_nibabels_values(tmp_path, dtype, suffix):
    path = tmp_path / f"a{suffix}"
    write_nifti(path, np.abs(values()).astype(dtype))
    np.testing.assert_array_equal(read(path), nib.load(path).get_fdata())


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float32])
def test_scaled_data(tmp_path, dtype):
    path = tmp_path / "a.nii.gz"
    write_nifti(path, np.abs(values()).astype(dtype), scl_slope=0.01, scl_inter=-3)
    assert read_header(path, n_axes=4).scaled
    np.testing.assert_allclose(read(path), nib.load(path).get_fdata(), rtol=1e-12)


def test_nifti_2(tmp_path):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(nib.Nifti2Image(values(), AFFINE).to_bytes()))
    np.testing.assert_array_equal(read(path), values())


def test_a_header_extension_is_skipped(tmp_path):
    image = nib.Nifti1Image(values(), AFFINE)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"x" * 5000))
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(image.to_bytes()))
    np.testing.assert_array_equal(read(path), values())


def test_trailing_axes_of_one_do_not_count(tmp_path):
    write_nifti(tmp_path / "a.nii.gz", values()[..., None])
    assert read_header(tmp_path / "a.nii.gz", n_axes=4).n_volumes == 3


DIM, DATATYPE, VOX_OFFSET, MAGIC, SROW_X = 40, 70, 108, 344, 280


@pytest.mark.parametrize(
    ("offset", "fmt", "numbers", "message"),
    [
        (
            DIM,
            "5h",
            (4, 32767, 32767, 32767, 92),
            "are .* bytes, more than the .* this file can hold",
        ),
        (DIM, "h", (3,), r"shape \(5, 6, 4\), expected 4 axes"),
        (DIM, "h", (9,), r"shape \(\), expected 4 axes"),
        (DIM, "5h", (4, 5, -6, 4, 3), "expected 4 axes"),
        (DIM, "5h", (4, 5, 0, 4, 3), "expected 4 axes"),
        (DATATYPE, "h", (32,), "numbers of type complex64"),
        (DATATYPE, "h", (999,), "unknown number type 999"),
        (VOX_OFFSET, "f", (1e9,), "data that begin at byte 1e"),
        (VOX_OFFSET, "f", (float("nan"),), "data that begin at byte nan"),
        (VOX_OFFSET, "f", (1e-30,), "data that begin at byte 1e-30"),
        (VOX_OFFSET, "f", (351.0,), "data that begin at byte 351"),
        (VOX_OFFSET, "f", (352.5,), "data that begin at byte 352.5"),
        (MAGIC, "4s", (b"ni1\0",), "wrong magic"),
        (MAGIC, "4s", (b"zzzz",), "wrong magic"),
        (SROW_X, "4f", (0, 0, 0, 0), "affine that is no map"),
        (SROW_X, "f", (float("nan"),), "affine that is no map"),
        (SROW_X - 26, "h", (-32768,), "a code of its space that does not exist"),
        (SROW_X - 28, "h", (7,), "a code of its space that does not exist"),
        (0, "i", (1,), "first bytes are not those of a NIfTI header"),
    ],
)
def test_false_headers_are_refused(path, offset, fmt, numbers, message):
    edited(path, offset, fmt, *numbers)
    with pytest.raises(DataError, match=message):
        read_header(path, n_axes=4)


def test_fewer_bytes_than_the_header_says(path):
    edited(path, DIM, "5h", 4, *GRID, 4)
    with pytest.raises(DataError, match="ends too early"):
        read(path)


def test_a_file_shorter_than_a_header(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"\x5c\x01\0\0" + bytes(100))
    with pytest.raises(DataError, match="ends too early, at 104 bytes"):
        read_header(tmp_path / "a.nii", n_axes=4)


@given(edits=st.lists(st.tuples(st.integers(0, 347), st.integers(0, 255)), min_size=1, max_size=6))
@settings(deadline=None, max_examples=200)
def test_no_header_crashes_the_reader(tmp_path_factory, edits):
    image = nib.Nifti1Image(values(), AFFINE)
    raw = bytearray(image.to_bytes())
    for place, byte in edits:
        raw[place] = byte
    path = tmp_path_factory.mktemp("h") / "a.nii"
    path.write_bytes(bytes(raw))
    try:
        header = read_header(path, n_axes=4)
    except DataError:
        return
    assert header.volume_bytes * header.n_volumes <= len(raw)
