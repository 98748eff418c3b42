"""The README of the benchmarks says what the newest results say; a broken result is refused."""

from __future__ import annotations

import json

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.results import tables

BLOCK = "# B\n\n<!-- results: loop -->\n<!-- end of results -->\n"
ROW = {"measured": "a loop", "against": "", "goal": "< 1 s", "result": "0.5 s", "met": True}


@pytest.fixture
def kept(tmp_path):
    """Write a result; returns a function that changes parts of it."""

    def write(date="2026-01-02", name="loop", **parts):
        table = {"title": "All", "shown": False, "columns": ["a", "b"], "rows": [["1", "2"]]}
        result = {"benchmark": "loop", "date": date, "machine": "a desk", "seed": 1}
        result |= {"summary": [ROW], "tables": [table], "notes": [], **parts}
        path = tmp_path / f"{date}-{name}.json"
        path.write_text(json.dumps(result))
        return path

    return write


@pytest.fixture
def run(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(BLOCK)
    return lambda *words: (tables.main(list(words), tmp_path, readme), readme.read_text())


def test_the_readme_is_that_of_the_newest_results():
    assert tables.main(["--check"]) == 0


def test_results_are_of_benchmarks_that_there_are():
    known = set(benchmarks.found())
    assert {name.partition("-")[0] for name in tables.newest()} <= known


def test_the_newest_result_is_shown(kept, run):
    kept("2026-01-02")
    kept("2026-02-01", summary=[ROW | {"result": "0.4 s", "met": False}])
    assert run("--check") == (1, BLOCK)
    code, text = run()
    assert code == 0
    assert "| a loop |  | < 1 s | 0.4 s | **no** |" in text
    assert "0.5 s" not in text
    assert "1 February 2026, seed 1. Machine: a desk." in text
    assert run("--check") == (0, text)


@pytest.mark.parametrize(
    "parts",
    [
        {"machine": ""},
        {"seed": "one"},
        {"summary": []},
        {"summary": [ROW | {"met": None}]},
        {"summary": [ROW | {"goal": ""}]},
        {"summary": [ROW | {"by": "me"}]},
        {"tables": [{"title": "t", "shown": True, "columns": ["a"], "rows": [["1", "2"]]}]},
        {"name": "other"},
        {"name": "other", "benchmark": "other"},
    ],
)
def test_a_broken_result_changes_nothing(kept, run, parts):
    kept(**parts)
    assert run() == (1, BLOCK)


def test_a_cut_file_changes_nothing(kept, run, capsys):
    path = kept()
    path.write_text(path.read_text()[:-20])
    assert run() == (1, BLOCK)
    assert path.name in capsys.readouterr().err
