import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thingsviz.data.store.matrix_file import StoreFile, checksums, open_matrix


@given(shape=st.tuples(st.integers(1, 12_000), st.integers(1, 3)), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=25)
def test_rows_in_any_order_make_a_npy(tmp_path_factory, shape, seed):
    rng = np.random.default_rng(seed)
    expected = rng.normal(size=shape).astype(np.float16)
    path = tmp_path_factory.mktemp("s") / "betas.npy"
    with StoreFile(path, shape) as store:
        store.reserve()
        for row in rng.permutation(shape[0])[:300]:
            store.write_row(int(row), expected[row])
        written = np.load(path, mmap_mode="r")
        assert written.shape == shape
        assert path.stat().st_size == store.n_bytes
    rows = np.random.default_rng(seed)
    rows.normal(size=shape)
    for row in rows.permutation(shape[0])[:300]:
        np.testing.assert_array_equal(written[row], expected[row])


def test_columns_and_rows_meet(tmp_path, rng):
    expected = rng.normal(size=(7, 10)).astype(np.float16)
    with StoreFile(tmp_path / "betas.npy", (7, 10)) as store:
        store.reserve()
        store.write_columns(4, expected[:, 4:])
        store.write_columns(0, expected[:, :4])
        store.sync()
    np.testing.assert_array_equal(np.load(tmp_path / "betas.npy"), expected)


def test_checksums_are_those_of_the_rows(tmp_path, rng):
    expected = rng.normal(size=(9, 6)).astype(np.float16)
    with StoreFile(tmp_path / "betas.npy", (9, 6)) as store:
        store.reserve()
        store.write_columns(0, expected)
    ranges = [(0, 4), (4, 9)]
    assert list(checksums(tmp_path / "betas.npy", ranges, 6)) == [
        zlib.crc32(expected[a:b].tobytes()) for a, b in ranges
    ]


def test_the_published_size_has_an_aligned_header(tmp_path, monkeypatch):
    """11,040 × 211,339 values: only the header is written here, the space is not claimed."""
    monkeypatch.setattr("os.posix_fallocate", lambda *_: None)
    with StoreFile(tmp_path / "betas.npy", (11_040, 211_339)) as store:
        store.reserve()
        assert store.n_bytes == 128 + 11_040 * 211_339 * 2


def test_it_may_be_opened_again_and_gone_on_with(tmp_path):
    for row in (0, 1):
        with StoreFile(tmp_path / "betas.npy", (2, 3)) as store:
            if row == 0:
                store.reserve()
            store.write_row(row, np.full(3, row + 1, np.float16))
    assert np.load(tmp_path / "betas.npy").tolist() == [[1, 1, 1], [2, 2, 2]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_are_stored_as_float16(tmp_path, dtype):
    with StoreFile(tmp_path / "betas.npy", (1, 2)) as store:
        store.reserve()
        store.write_row(0, np.array([0.1, 2], dtype))
    np.testing.assert_array_equal(
        np.load(tmp_path / "betas.npy"), np.array([[0.1, 2]], np.float16)
    )


@pytest.mark.parametrize("at", [0, 6, 8, 10, 25, 60, 70, 75, 90, 126, 127])
def test_a_damaged_header_is_no_matrix(tmp_path, at):
    path = tmp_path / "betas.npy"
    values = np.arange(24, dtype=np.float16).reshape(4, 6)
    np.save(path, values)
    np.testing.assert_array_equal(open_matrix(path), values)
    raw = bytearray(path.read_bytes())
    raw[at] ^= 0x09
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=r"its header is not|it has not the bytes"):
        open_matrix(path)


def test_a_matrix_has_all_its_bytes(tmp_path):
    path = tmp_path / "betas.npy"
    np.save(path, np.zeros((4, 6), np.float16))
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(ValueError, match=r"not the bytes of a matrix \(4, 6\)"):
        open_matrix(path)
