"""Files that are read while being written: torn lines, cut files, values that JSON lacks."""

import errno
import math
import multiprocessing

import numpy as np
import pytest

from thingsviz.core.errors import JobError
from thingsviz.core.files import disk_sentence
from thingsviz.core.json_files import (
    append_line,
    finite,
    read_json,
    read_lines,
    write_sealed,
)


def test_json_there_and_back(tmp_path):
    path = tmp_path / "täst datei.json"
    write_sealed(path, {"a": np.float32(0.5), "b": [np.int64(3), True], "c": {"ä": None}})
    assert read_json(path) == {"a": 0.5, "b": [3, True], "c": {"ä": None}}
    assert list(tmp_path.iterdir()) == [path]


def test_what_json_lacks_becomes_null(tmp_path):
    write_sealed(
        tmp_path / "x.json", {"nan": math.nan, "inf": [np.inf], "arrays": np.float64("nan")}
    )
    assert read_json(tmp_path / "x.json") == {
        "nan": None,
        "inf": [None],
        "arrays": None,
    }
    assert finite((1, math.nan)) == [1, None]


@pytest.mark.parametrize("text", ["{", "", "[1]", "nonsense", "\x00\x01"])
def test_a_damaged_json_file_is_one_sentence(tmp_path, text):
    path = tmp_path / "status.json"
    path.write_text(text)
    with pytest.raises(JobError, match=r"status\.json should hold a JSON object"):
        read_json(path)


def test_no_file_is_none(tmp_path):
    assert read_json(tmp_path / "none.json") is None
    assert read_lines(tmp_path / "none.jsonl", 7) == ([], 0)


def test_lines_are_read_on_from_an_offset(tmp_path):
    path = tmp_path / "metrics.jsonl"
    append_line(path, {"step": 1})
    rows, offset = read_lines(path)
    assert rows == [{"step": 1}]
    assert read_lines(path, offset) == ([], offset)
    append_line(path, {"step": 2, "loss": math.nan})
    rows, offset = read_lines(path, offset)
    assert rows == [{"step": 2, "loss": None}]
    assert offset == path.stat().st_size


def test_a_torn_last_line_waits_for_its_rest(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 1}\n{"st')
    rows, offset = read_lines(path)
    assert rows == [{"step": 1}]
    with path.open("ab") as file:
        file.write(b'ep": 2}\n')
    assert read_lines(path, offset)[0] == [{"step": 2}]


@pytest.mark.parametrize("cut", range(1, 24))
def test_any_cut_leaves_whole_rows(tmp_path, cut):
    path = tmp_path / "metrics.jsonl"
    whole = b'{"step": 1}\n{"step": 2}\n'
    path.write_bytes(whole[:cut])
    rows, offset = read_lines(path)
    assert rows == [{"step": 1}, {"step": 2}][: whole[:cut].count(b"\n")]
    path.write_bytes(whole)
    assert rows + read_lines(path, offset)[0] == [{"step": 1}, {"step": 2}]


def test_a_line_of_garbage_is_skipped(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 1}\n\xff\xfe garbage\n[3]\n{"step": 2}\n')
    assert read_lines(path)[0] == [{"step": 1}, {"step": 2}]


@pytest.mark.parametrize("kept", [0, 12])
def test_reading_starts_again_when_the_file_was_cut(tmp_path, kept):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 1}\n{"step": 2}\n')
    _, offset = read_lines(path)
    path.write_bytes(path.read_bytes()[:kept] + b'{"step": 2, "new": true}\n')
    rows, _ = read_lines(path, offset)
    assert rows[-1] == {"step": 2, "new": True}


def _append(path):
    for step in range(200):
        append_line(path, {"step": step, "text": "x" * 200})


def test_lines_of_several_writers_never_mix(tmp_path):
    path = tmp_path / "metrics.jsonl"
    writers = [multiprocessing.Process(target=_append, args=(path,)) for _ in range(3)]
    for writer in writers:
        writer.start()
    seen, offset = 0, 0
    while any(writer.is_alive() for writer in writers):
        rows, offset = read_lines(path, offset)
        assert all(len(row["text"]) == 200 for row in rows)
        seen += len(rows)
    for writer in writers:
        writer.join()
    assert seen + len(read_lines(path, offset)[0]) == 600


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "no space is left to write in"),
        (errno.EDQUOT, "no space is left"),
        (errno.EROFS, "may not be written: set THINGSVIZ_JOBS"),
        (errno.EACCES, "may not be written"),
    ],
)
def test_disk_faults_are_said_plainly(tmp_path, number, words):
    assert words in disk_sentence(OSError(number, "x"), tmp_path)


def test_other_faults_are_not_the_disks(tmp_path):
    assert disk_sentence(OSError(errno.EINVAL, "x"), tmp_path) is None
