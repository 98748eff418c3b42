import errno

import pytest

from tests.disk_steps import is_durable, recorded
from thingsviz.core.errors import DataError
from thingsviz.core.files import is_writable, said_plainly, write_atomically
from thingsviz.core.json_files import write_json


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")

    def fail(file):
        file.write(b"half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_new_file_and_its_name_outlive_a_power_cut(tmp_path, monkeypatch):
    steps = recorded(monkeypatch)
    write_atomically(tmp_path / "a", lambda file: file.write(b"new"))
    assert is_durable(steps, tmp_path / "a")


def test_a_reader_keeps_the_old_file_while_a_new_one_takes_its_place(tmp_path):
    path = tmp_path / "a"
    path.write_text("old words")
    with path.open() as reader:
        write_atomically(path, lambda file: file.write(b"new"))
        assert reader.read() == "old words"
    assert path.read_text() == "new"


def test_json_refuses_what_json_has_not(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert not list(tmp_path.iterdir())


def test_json_keeps_unicode(tmp_path):
    write_json(tmp_path / "a.json", {"name": "Übung"})
    assert "Übung" in (tmp_path / "a.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_one_sentence(tmp_path, code):
    with pytest.raises(DataError, match=r"disk of .* is full"), said_plainly(tmp_path):
        raise OSError(code, "x")


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_a_read_only_folder_names_the_way_out(tmp_path, code):
    way_out = "--derivatives DIR or THINGSVIZ_DERIVATIVES"
    with pytest.raises(DataError, match=way_out), said_plainly(tmp_path):
        raise OSError(code, "x")


def test_other_errors_pass(tmp_path):
    with pytest.raises(OSError, match="strange"), said_plainly(tmp_path):
        raise OSError(errno.EIO, "strange")


def test_write_protection_counts_for_root_too(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    assert is_writable(folder / "not" / "yet")
    folder.chmod(0o555)
    assert not is_writable(folder / "not" / "yet")
    folder.chmod(0o755)
