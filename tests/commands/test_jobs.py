"""`thingsviz jobs` lists what is there, as a table or as JSON."""

from __future__ import annotations

import json

import pytest

from tests.ui.made_jobs import made_job
from thingsviz.commands import jobs


@pytest.fixture
def two(tiny_env):
    made_job("first")
    made_job("second")


def test_the_table_has_a_line_a_job(two, capsys):
    assert jobs.main([]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["job", "state", "decoder"]
    assert {line.split()[0] for line in lines} == {"first", "second"}


def test_json_and_state_are_for_scripts(two, capsys):
    assert jobs.main(["--json", "--state", "running"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    jobs.main(["--json"])
    assert {row["job"] for row in json.loads(capsys.readouterr().out)} == {"first", "second"}


def test_a_long_list_is_cut_and_says_so(two, capsys):
    jobs.main(["--most", "1"])
    assert "and 1 more" in capsys.readouterr().out


def test_no_jobs_is_a_sentence(tiny_env, capsys):
    assert jobs.main([]) == 0
    assert capsys.readouterr().out.startswith("no such jobs in ")
