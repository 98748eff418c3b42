"""Arrays on disk: round trip, and every damaged byte is noticed."""

import numpy as np
import pytest

from thingsviz.core.errors import JobError
from thingsviz.jobs.arrays import read_arrays, write_arrays


@pytest.fixture
def arrays(rng):
    return {
        "weights": rng.normal(size=(5, 3)).astype("f4"),
        "rows": np.arange(4),
        "empty": np.empty(0, np.int64),
        "turned": rng.normal(size=(3, 4)).T,
    }


def test_there_and_back(tmp_path, arrays):
    path = tmp_path / "x.safetensors"
    write_arrays(path, arrays)
    found = read_arrays(path)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert list(tmp_path.iterdir()) == [path]


def test_every_flipped_bit_is_noticed(tmp_path, arrays):
    path = tmp_path / "x.safetensors"
    write_arrays(path, arrays)
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        try:
            found = read_arrays(path)
        except JobError:
            continue
        # Some bytes of the header are padding: then nothing has changed.
        assert all(np.array_equal(found[name], arrays[name]) for name in arrays)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_a_cut_file_is_one_sentence(tmp_path, arrays, share):
    path = tmp_path / "x.safetensors"
    write_arrays(path, arrays)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(JobError, match=r"x\.safetensors cannot be read .*delete it"):
        read_arrays(path)


def test_no_file(tmp_path):
    with pytest.raises(JobError, match="cannot be read"):
        read_arrays(tmp_path / "none.safetensors")
