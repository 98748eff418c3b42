import os

import pytest

from tests.data import published
from thingsviz.core.errors import DataError
from thingsviz.data.prepare import pieces
from thingsviz.data.prepare.build import build_store
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.store.state import store_state
from thingsviz.data.store.verify import refresh_dates, verify_store


def touch_all(root):
    for path in root.rglob("*"):
        if path.is_file() and "derivatives" not in path.parts:
            os.utime(path)


def test_a_sound_store_passes(store, little):
    seen = []
    verify_store(little, "sub-01", seen.append)
    assert len(seen) == len(store.manifest["sources"]) + 1


def test_a_source_changed_without_a_trace_is_found(store, little):
    path = published.run_path(little.root, 2, 1, "betas.nii.gz")
    stat = path.stat()
    raw = bytearray(path.read_bytes())
    raw[9] ^= 1
    path.write_bytes(raw)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert store_state(little, "sub-01").state == "ready"
    with pytest.raises(
        DataError, match=r"ses-things02_run-01_betas\.nii\.gz .* has changed since"
    ):
        verify_store(little, "sub-01")


def test_a_damaged_store_is_found(store, little):
    path = store.folder / "betas.npy"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"betas\.npy' is damaged in row 47: delete"):
        verify_store(little, "sub-01")


def test_a_copied_dataset_is_not_built_again(store, little, monkeypatch):
    touch_all(little.root)
    assert store_state(little, "sub-01").state == "stale"
    monkeypatch.setattr(pieces, "fill_run", lambda *_: pytest.fail("built again"))
    assert build_store(little, "sub-01").state == "ready"


def test_a_change_behind_a_new_date_is_built(store, little):
    path = published.run_path(little.root, 1, 1, "betas.nii.gz")
    values = published.values_of(1, 1)
    values[..., 0] *= -1
    published.write_nifti(path, values)
    touch_all(little.root)
    assert not refresh_dates(little, "sub-01")
    assert build_store(little, "sub-01").state == "ready"
    assert (BetaStore.open(little, "sub-01").betas[0] == values[published.brain()][:, 0]).all()


def test_nothing_to_refresh_without_a_store(little):
    assert not refresh_dates(little, "sub-01")
