import json
import os

import pytest

from thingsviz.core.json_files import is_sound, loads_json, read_value, sealed

DEEP = [b"[" * 10**5, b'{"a":' * 10**5, b"[" * 10**5 + b"]" * 10**5]


@pytest.mark.parametrize("text", DEEP)
def test_what_is_nested_too_deeply_is_no_json(tmp_path, text):
    (tmp_path / "a.json").write_bytes(text)
    for read in (lambda: loads_json(text), lambda: read_value(tmp_path / "a.json")):
        with pytest.raises(ValueError, match="nested too deeply"):
            read()


def test_a_large_file_is_not_even_read(tmp_path):
    path = tmp_path / "a.json"
    path.touch()
    os.truncate(path, 2**40)  # a hole: it takes no room on the disk
    with pytest.raises(ValueError, match="more than 67,108,864 bytes"):
        read_value(path)


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, "é"]}, [], "x", 3])
def test_json_is_what_python_reads(tmp_path, value):
    text = json.dumps(value, ensure_ascii=False)
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    assert loads_json(text) == read_value(tmp_path / "a.json") == json.loads(text) == value


@pytest.mark.parametrize("text", ["", "{", "{} {}", "\x00", "9" * 5000])
def test_what_is_no_json_is_said(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=r"."):
        read_value(tmp_path / "a.json")


def test_a_checksum_of_what_is_too_deep_does_not_fit():
    deep = []
    for _ in range(950):  # less than JSON's own limit, more than is left of it further down
        deep = [deep]

    def from_below(frames):
        return is_sound({**sealed({}), "a": deep}) if frames == 0 else from_below(frames - 1)

    assert from_below(500) is False
