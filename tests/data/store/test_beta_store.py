import numpy as np
import pandas as pd
import pytest

from tests.data import published
from thingsviz.core.errors import DataError
from thingsviz.core.json_files import sealed, write_json
from thingsviz.core.trial_key import TrialKey
from thingsviz.data.store import beta_store
from thingsviz.data.store.beta_store import BetaStore, NoSuchTrialError, say_range


def test_a_vector_is_a_row_as_float32(store):
    expected = published.expected_betas()
    for row in (0, 17, len(expected) - 1):
        vector = store.vector(row)
        assert vector.dtype == np.float32
        np.testing.assert_array_equal(vector, expected[row])


def test_a_volume_is_the_published_one_inside_the_brain(store):
    volume = store.volume(store.row(TrialKey(2, 2, 3)))
    expected = np.where(published.brain(), published.values_of(2, 2)[..., 2], 0)
    np.testing.assert_array_equal(volume, expected)


def test_row_and_key_undo_each_other(store):
    for row in range(len(store.trials)):
        assert store.row(store.key(row)) == row


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (TrialKey(4, 1, 1), "there is no session 4: sessions are 1 to 3"),
        (TrialKey(1, 3, 1), "session 1 has no run 3: its runs are 1 to 2"),
        (TrialKey(1, 2, 9), "ses-01 run-02 has no trial 9: trials are 1 to 8"),
        (TrialKey(0, 0, 0), "there is no session 0"),
    ],
)
def test_a_wrong_key_names_what_exists(store, key, message):
    with pytest.raises(NoSuchTrialError, match=message):
        store.row(key)
    with pytest.raises(IndexError):
        store.row(key)


def test_ranges_are_said_shortly():
    assert say_range([1, 2, 3]) == "1 to 3"
    assert say_range([1, 2, 5]) == "1, 2, 5"
    assert say_range([7]) == "7"
    assert say_range([]) == "none"


def test_a_store_that_is_not_there_names_the_command(little):
    with pytest.raises(DataError, match=r"is not prepared: run '.*thingsviz prepare"):
        BetaStore.open(little, "sub-01")


def test_a_cut_store_is_not_opened(store, little):
    (store.folder / "betas.npy").write_bytes((store.folder / "betas.npy").read_bytes()[:-2])
    with pytest.raises(DataError, match="has 4926 bytes instead of 4928: run prepare again"):
        BetaStore.open(little, "sub-01")


def test_a_flipped_bit_in_the_store_is_found_on_demand(store):
    path = store.folder / "betas.npy"
    raw = bytearray(path.read_bytes())
    raw[128 + 20 * 100 + 7] ^= 1
    path.write_bytes(raw)
    row = (20 * 100 + 7) // (2 * store.shape[1])
    assert store.damaged_rows() == [(row, row + 1)]


def test_an_open_store_outlives_its_replacement(store, little):
    from thingsviz.data.prepare.build import build_store

    before = store.vector(3)
    published.write_ratings(little.ratings_file, published.CONCEPTS[:-1])
    build_store(little, "sub-01")
    np.testing.assert_array_equal(store.vector(3), before)


def test_the_fingerprint_is_of_the_content(store, little, tmp_path):
    from thingsviz.data.prepare.build import build_store

    copy = published.write_subject(tmp_path / "copy")
    build_store(copy, "sub-01")
    assert BetaStore.open(copy, "sub-01").fingerprint == store.fingerprint
    values = published.values_of(1, 1)
    values[..., 0] += 1
    published.write_nifti(published.run_path(copy.root, 1, 1, "betas.nii.gz"), values)
    build_store(copy, "sub-01")
    assert BetaStore.open(copy, "sub-01").fingerprint != store.fingerprint


def test_trials_and_voxels_stand_in_the_order_of_the_matrix(store):
    assert len(store.trials) == store.shape[0]
    assert len(store.voxels) == store.shape[1]
    np.testing.assert_array_equal(store.voxels[["i", "j", "k"]], np.argwhere(store.mask))
    keys = store.trials[["session", "run", "trial"]]
    pd.testing.assert_frame_equal(keys, keys.sort_values(["session", "run", "trial"]))


def test_the_planted_subject_opens(tiny):
    from thingsviz.data.things.layout import Dataset

    planted = BetaStore.open(Dataset(tiny / "tiny"), "sub-01")
    assert planted.simulated
    assert planted.shape == (4 * 2 * 22, int(planted.mask.sum()))


def test_tables_of_another_store_are_refused(store, little):
    store.trials.iloc[:-1].to_parquet(store.folder / "trials.parquet")
    store.manifest["files"]["trials.parquet"] = (store.folder / "trials.parquet").stat().st_size
    del store.manifest["file_crc32"]
    with pytest.raises(DataError, match=r"betas \(48, 50\) but 47 trials and 50 voxels"):
        BetaStore(store.folder, store.manifest)


def test_voxels_of_another_store_are_refused(store):
    store.voxels.iloc[:-1].to_parquet(store.folder / "voxels.parquet")
    write_json(store.folder / "manifest.json", sealed({**store.manifest, "warnings": ["new"]}))
    del store.voxels
    with pytest.raises(DataError, match="was replaced while it was open"):
        store.voxels  # noqa: B018


@pytest.mark.parametrize(
    "rows",
    [3, np.int64(5), slice(2, 9), slice(None, None, 5), [7, 1, 1], np.array([], np.int64), -1],
    ids=str,
)
@pytest.mark.parametrize("voxels", [None, slice(3, 11), slice(5, 5)], ids=str)
def test_read_is_indexing(store, rows, voxels, monkeypatch):
    monkeypatch.setattr(beta_store, "ROWS_AT_ONCE", 2)
    found = store.read(rows, voxels)
    plain = np.asarray(store.betas)[rows]
    assert np.array_equal(found, plain if voxels is None else plain[..., voxels])
    assert not np.shares_memory(found, store.betas)


def test_what_was_read_is_given_back(store, monkeypatch):
    """However few voxels are read: the system maps much more than a page around each."""
    given = []
    store.most_rows = 15
    monkeypatch.setattr(beta_store, "ROWS_AT_ONCE", 5)
    plain = store.release
    monkeypatch.setattr(store, "release", lambda: (given.append(store._touched), plain()))
    before = np.array(store.betas[:40])
    pieces = [store.read(slice(0, 40), slice(i, i + 1)) for i in range(4)]
    assert given == [20] * 8
    assert np.array_equal(np.hstack(pieces), before[:, :4])
