import subprocess
import sys

import h5py
import numpy as np
import pytest

from tests.data import published
from thingsviz.data.prepare.build import BuildOptions, build_store
from thingsviz.data.store import hdf5
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.store.state import store_state


@pytest.fixture
def file(little):
    build_store(little, "sub-01", BuildOptions(hdf5=True))
    with h5py.File(little.store_dir("sub-01") / "subject.h5") as found:
        yield found


def test_betas_and_geometry(file):
    np.testing.assert_array_equal(file["betas"][:], published.expected_betas())
    np.testing.assert_array_equal(file["mask"][:], published.brain())
    np.testing.assert_array_equal(file["affine"][:], published.AFFINE)
    assert file.attrs["simulated"] == np.False_


def test_each_column_of_the_tables(file, little):
    store = BetaStore.open(little, "sub-01")
    assert set(file["trials"]) == set(store.trials.columns)
    names = file["trials/image_filename"].asstr()[:]
    assert names.tolist() == store.trials["image_filename"].tolist()
    np.testing.assert_array_equal(
        file["trials/property_lives_mean"][:], store.trials["property_lives_mean"]
    )
    np.testing.assert_array_equal(file["voxels/i"][:], store.voxels["i"])


def test_asked_for_later_it_is_added(little):
    build_store(little, "sub-01")
    made = (little.store_dir("sub-01") / "betas.npy").stat().st_mtime_ns
    assert build_store(little, "sub-01", BuildOptions(hdf5=True)).state == "ready"
    assert (little.store_dir("sub-01") / "subject.h5").is_file()
    assert (little.store_dir("sub-01") / "betas.npy").stat().st_mtime_ns == made


def test_a_lost_export_is_noticed(little):
    build_store(little, "sub-01", BuildOptions(hdf5=True))
    (little.store_dir("sub-01") / "subject.h5").unlink()
    assert store_state(little, "sub-01").state == "broken"


def test_a_failed_export_leaves_the_store_ready(little, monkeypatch):
    monkeypatch.setattr(hdf5, "_fill", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build_store(little, "sub-01", BuildOptions(hdf5=True))
    assert store_state(little, "sub-01").state == "ready"
    assert not list(little.store_dir("sub-01").glob("*h5*"))
    assert not list(little.store_dir("sub-01").glob(".*"))


LIMITED = """
import pathlib, resource, sys
from thingsviz.commands import prepare
assert prepare.main([sys.argv[1]]) == 0
resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
sys.exit(prepare.main([sys.argv[1], "--hdf5"]))
"""


def test_a_full_disk_while_exporting(little):
    """What HDF5 says of a failed write becomes the same sentence as elsewhere."""
    command = [sys.executable, "-c", LIMITED, str(little.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is full: free space there" in done.stderr
    assert done.stderr.count("\n") == 1
    assert store_state(little, "sub-01").state == "ready"
    assert not list(little.store_dir("sub-01").glob("*h5*"))
