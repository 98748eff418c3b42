import gzip
import hashlib
import random
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thingsviz.core.errors import DataError
from thingsviz.data.volumes.gzip_stream import GzipStream, digest_file

RAW = np.random.default_rng(0).normal(0, 300, 30_000).astype("<i2").tobytes()
HEADER_BITS = 80  # a gzip header without a name: magic, method, flags, date, system


def read_all(path, n=60_000, step=7000):
    with GzipStream(path) as source:
        parts = [source.read(min(step, n - at)) for at in range(0, n, step)]
        return b"".join(parts), source.finish()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(RAW, 6, mtime=0))
    return path


def test_reads_what_was_packed_and_takes_the_sha256_on_the_way(path):
    raw, digest = read_all(path)
    assert raw == RAW
    assert digest == digest_file(path)
    assert digest.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_plain_file_reads_alike(tmp_path):
    path = tmp_path / "a.nii"
    path.write_bytes(RAW)
    raw, digest = read_all(path)
    assert raw == RAW
    assert digest == digest_file(path)


@given(cuts=st.lists(st.integers(0, 2000), max_size=5), padding=st.integers(0, 600))
@settings(deadline=None)
def test_several_members_and_zero_padding_are_one_stream(tmp_path_factory, cuts, padding):
    raw = RAW[:2000]
    edges = [0, *sorted(cuts), len(raw)]
    members = [gzip.compress(raw[a:b]) for a, b in pairwise(edges)]
    path = tmp_path_factory.mktemp("m") / "a.nii.gz"
    path.write_bytes(b"".join(members) + b"\0" * padding)
    assert read_all(path, len(raw), 300)[0] == raw


def test_no_single_flipped_bit_passes(path):
    """nibabel let 59 of 60 such files through; here none gives other numbers."""
    packed = path.read_bytes()
    n_bits = 8 * len(packed)
    rng = random.Random(1)
    inner = [rng.randrange(HEADER_BITS, n_bits) for _ in range(300)]
    for bit in [*inner, *range(n_bits - 64, n_bits)]:
        damaged = bytearray(packed)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"a\.nii\.gz' .*download it again"):
            read_all(path)


def test_flipped_bits_of_the_gzip_header_are_found_or_harmless(path):
    packed = path.read_bytes()
    for bit in range(HEADER_BITS):
        damaged = bytearray(packed)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            raw, _ = read_all(path)
        except DataError:
            continue
        assert raw == RAW


@pytest.mark.parametrize("keep", [2, 11, 1000, -9, -8, -1])
def test_a_cut_file_is_found(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"ends too early, at .* bytes"):
        read_all(path)


def test_another_magic(path):
    path.write_bytes(b"PK\x03\x04" + path.read_bytes())
    with pytest.raises(DataError, match=r"is not a gzip file \(it begins with b'PK'\)"):
        read_all(path)


def test_an_empty_file(path):
    path.write_bytes(b"")
    with pytest.raises(DataError, match="is not a gzip file"):
        read_all(path)


def test_foreign_bytes_behind(path):
    packed = path.read_bytes()
    path.write_bytes(packed + b"\0\0more than a header of gzip has")
    with pytest.raises(DataError, match="foreign bytes after its gzip data"):
        read_all(path)
    path.write_bytes(packed + b"\0\0more")  # might be the beginning of a header
    with pytest.raises(DataError, match="ends too early"):
        read_all(path)


def test_more_data_than_expected(path):
    with pytest.raises(DataError, match="holds more bytes than its header says"):
        read_all(path, len(RAW) - 1)


def test_a_bomb_costs_no_memory(tmp_path):
    """2 MB that would unpack to 2 GB: the reader stops behind the bytes it asked for."""
    path = tmp_path / "bomb.nii.gz"
    path.write_bytes(gzip.compress(bytes(1 << 20), 9) * 2000)
    tracemalloc.start()
    with GzipStream(path) as source:
        source.read(348)
        with pytest.raises(DataError, match="more bytes than its header"):
            source.finish()
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match=r"cannot be read \(No such file"):
        GzipStream(tmp_path / "none.nii.gz")
