import numpy as np
import pytest

from thingsviz.core.errors import DataError
from thingsviz.core.json_files import crc_of, is_sound, sealed
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.store.matrix_file import SUMS, checksums, row_crc
from thingsviz.data.trials.standardise import StandardisedBetas


def flip(path, place, bit=0):
    raw = bytearray(path.read_bytes())
    raw[place] ^= 1 << bit
    path.write_bytes(raw)


def reopened(store):
    return BetaStore(store.folder, store.manifest)


def test_each_row_has_its_own_checksum(store):
    kept = np.load(store.folder / SUMS)
    assert kept.tolist() == [row_crc(row) for row in store.betas]
    assert len(set(kept.tolist())) == store.shape[0]


def test_only_the_damaged_row_is_refused(store):
    flip(store.folder / "betas.npy", 128 + 7 * 2 * store.shape[1] + 11, bit=3)
    opened = reopened(store)
    assert opened.vector(6).shape == (store.shape[1],)
    for read in (opened.vector, opened.volume, lambda row: opened.read([1, row])):
        with pytest.raises(DataError, match=r"betas\.npy' is damaged in row 7 \(trial 8 of"):
            read(7)
    with pytest.raises(DataError, match="damaged in row 7"):
        next(StandardisedBetas(opened).blocks(np.arange(10), 5))


def test_a_row_is_compared_once(store, monkeypatch):
    opened = reopened(store)
    opened.read(slice(3, 6))
    monkeypatch.setattr(
        "thingsviz.data.store.matrix_file.row_crc", lambda _: pytest.fail("compared again")
    )
    assert opened.read([3, 5, 3]).shape[0] == 3


def test_a_store_without_checksums_is_read_as_before(store):
    (store.folder / SUMS).unlink()
    np.testing.assert_array_equal(reopened(store).read([2]), store.betas[[2]])


def test_a_store_of_an_earlier_version_is_compared_by_its_ranges(store):
    """It has the checksums of ranges of rows in its manifest, and none of single rows."""
    (store.folder / SUMS).unlink()
    half = store.shape[0] // 2
    ranges = [(0, half), (half, store.shape[0])]
    sums = checksums(store.folder / "betas.npy", ranges, store.shape[1])
    listed = [{"rows": list(rows), "crc32": crc} for rows, crc in zip(ranges, sums, strict=True)]
    old = BetaStore(store.folder, {**store.manifest, "checksums": listed})
    assert old.damaged_rows() == []
    flip(store.folder / "betas.npy", 128 + 2 * store.shape[1] * half + 11)
    assert old.damaged_rows() == [ranges[1]]


@pytest.mark.parametrize("name", ["trials.parquet", "brain_mask.nii.gz"])
def test_damaged_tables_are_refused(store, name):
    flip(store.folder / name, (store.folder / name).stat().st_size // 2)
    with pytest.raises(DataError, match=f"{name}' is damaged"):
        reopened(store)


def test_checksums_of_json_do_not_mind_order_and_mind_all_else():
    one, other = {"a": 1.5, "b": [1, None]}, {"b": [1, None], "a": 1.5}
    assert crc_of(one) == crc_of(other)
    assert is_sound(sealed(one))
    assert is_sound(one)
    assert not is_sound({**sealed(one), "a": 1.25})
    assert sealed(sealed(one)) == sealed(one)
