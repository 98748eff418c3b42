"""What an operator reads: one line an event, and no password in it."""

from __future__ import annotations

import json
import logging

import pytest

from thingsviz.core import log


@pytest.fixture(autouse=True)
def _as_before():
    kept = (log.OURS.handlers, log.OURS.propagate, log.OURS.level)
    yield
    log.OURS.handlers, log.OURS.propagate = kept[:2]
    log.OURS.setLevel(kept[2])


@pytest.fixture
def lines(monkeypatch, capsys):
    """Begin in a mode; returns what is on stderr so far."""

    def begin(mode: str | None = "json", where: str = "app"):
        if mode is None:
            monkeypatch.delenv("THINGSVIZ_LOG", raising=False)
        else:
            monkeypatch.setenv("THINGSVIZ_LOG", mode)
        log.begin(where)
        return lambda: capsys.readouterr().err.splitlines()

    return begin


def test_an_event_is_one_json_object_with_what_is_known(lines):
    said = lines("json", "supervisor")
    log.event("job started", job="vit-2", who="ada", worker=17, gpu="")
    (line,) = said()
    row = json.loads(line)
    assert row.pop("time").endswith("Z")
    assert row.pop("pid") > 0
    assert row == {
        "level": "info",
        "where": "supervisor",
        "event": "job started",
        "job": "vit-2",
        "who": "ada",
        "worker": 17,
    }


@pytest.mark.parametrize("words", ["two\nlines", 'a "quote"', "back\\slash", "ä", "\x00\x1b[31m"])
def test_whatever_comes_stays_one_line(lines, words):
    said = lines()
    log.event(words, job=words)
    (line,) = said()
    assert json.loads(line)["job"] == words


@pytest.mark.parametrize(
    "secret",
    [
        "postgresql://lab:hunter2@db/studies is down",
        "client_secret = hunter2",
        "THINGSVIZ_TOKEN=hunter2 was given",
        '{"password": "hunter2"}',
        "Authorization: Bearer hunter2",
        "cookie_secret='hunter2'",
    ],
)
@pytest.mark.parametrize("mode", ["json", "text"])
def test_no_password_is_written(lines, secret, mode):
    said = lines(mode)
    log.event(secret, why=secret)
    log.OURS.getChild("doors").warning("refused: %s", secret)
    try:
        raise RuntimeError(secret)
    except RuntimeError:
        log.failure("it failed", what=secret)
    text = "\n".join(said())
    assert "(hidden)" in text
    assert "hunter2" not in text


def test_an_error_brings_its_traceback_along_in_the_same_line(lines):
    said = lines()
    try:
        int("x")
    except ValueError:
        log.failure("a look failed", job="vit")
    (line,) = said()
    row = json.loads(line)
    assert row["level"] == "error"
    assert "ValueError" in row["trace"]
    assert log.readable(line).splitlines()[0].endswith(" a look failed")
    assert "ValueError" in log.readable(line)


def test_text_is_for_the_eye(lines):
    said = lines("text", "app")
    log.event("start training", who="ada")
    log.event("odd", level=logging.WARNING)
    first, second = said()
    assert first.endswith(" app: start training who=ada")
    assert " WARNING app: odd" in second


def test_a_service_gets_json_and_a_terminal_text(lines, monkeypatch):
    said = lines(None)
    assert log.is_json()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    lines(None)
    assert not log.is_json()
    log.event("x")
    assert not said()[0].startswith("{")


def test_a_job_log_is_for_people_unless_json_is_wanted(monkeypatch):
    monkeypatch.delenv("THINGSVIZ_LOG", raising=False)
    log.begin("worker", usual="text")
    assert not log.is_json()
    monkeypatch.setenv("THINGSVIZ_LOG", "json")
    log.begin("worker", usual="text")
    assert log.is_json()


def test_a_wrong_setting_is_said_and_does_no_harm(lines):
    said = lines("yaml")
    assert "THINGSVIZ_LOG is 'yaml'" in said()[0]


@pytest.mark.parametrize("line", ["plain", '{"time": 3}', '{"time": "x", "event": 1}', '{"time"'])
def test_what_is_no_line_of_ours_is_shown_as_it_is(line):
    assert log.readable(line) == line


def test_long_values_are_cut(lines):
    said = lines()
    log.event("x" * 10**5, why="y" * 10**5)
    assert len(said()[0]) < 3 * log.LONGEST
