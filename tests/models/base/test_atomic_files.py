import pytest

from models.base.atomic_files import replacing
from tests.disk_steps import is_durable, recorded


def test_a_new_file_and_its_name_outlive_a_power_cut(tmp_path, monkeypatch):
    steps = recorded(monkeypatch)
    with replacing(tmp_path / "a") as temporary:
        temporary.write_bytes(b"new")
    assert is_durable(steps, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_reader_keeps_the_old_file_while_a_new_one_takes_its_place(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old bytes")
    with path.open("rb") as reader:
        with replacing(path) as temporary:
            temporary.write_bytes(b"new")
        assert reader.read() == b"old bytes"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), replacing(path) as temporary:
        temporary.write_bytes("text where bytes are wanted")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["a"]
