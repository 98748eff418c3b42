"""What an operator reads of a process: one line an event on stderr, as JSON or for the eye.

THINGSVIZ_LOG is json or text; without it a terminal gets text, a service JSON. What looks like a
password never gets into a line.
"""

from __future__ import annotations

import calendar
import json
import logging
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

from thingsviz.core.errors import ConfigError
from thingsviz.core.settings import LogForm, LogSettings

OURS = logging.getLogger("thingsviz")
# values longer than this say no more than their beginning
LONGEST = 2000
IN_ADDRESS = re.compile(r"(?<=://)[^/\s@]+@")
IN_WORDS = re.compile(
    r"(?i)((?:password|passwd|secret|token|api_?key|cookie|authorization)\w*[\"']?\s*[=:]\s*[\"']?)"
    r"(?:(?:bearer|basic)\s+)?[^\s,;&\"']+"
)


def begin(where: str, usual: LogForm | None = None) -> None:
    """Let this process write its events to stderr; `where` is app, supervisor or worker."""
    wrong = ""
    try:
        told = LogSettings.read().log
    except ConfigError as error:  # no reason to do without the process
        told, wrong = "text", str(error)
    wanted = told or usual or ("text" if sys.stderr.isatty() else "json")
    handler = logging.StreamHandler()
    handler.setFormatter(Lines(where) if wanted == "json" else Text(where))
    OURS.handlers, OURS.propagate = [handler], False
    OURS.setLevel(logging.INFO)
    if wrong:
        OURS.warning("%s; this is text", wrong)


def event(what: str, /, level: int = logging.INFO, **facts: object) -> None:
    """Tell of an event; `job` and `who` are the facts to search by."""
    OURS.log(level, what, extra={"facts": facts}, stacklevel=2)


def failure(what: str, /, **facts: object) -> None:
    """Tell of an error that is being handled, with its traceback."""
    OURS.error(what, exc_info=True, extra={"facts": facts}, stacklevel=2)


def without_secrets(text: str) -> str:
    """Hide what stands where a password stands."""
    return IN_WORDS.sub(r"\1(hidden)", IN_ADDRESS.sub("(hidden)@", text))


def is_json() -> bool:
    """Whether this process writes JSON."""
    return any(isinstance(handler.formatter, Lines) for handler in OURS.handlers)


def readable(line: str) -> str:
    """Return a line of a log for the eye, whichever way it was written."""
    if not line.startswith('{"time": '):
        return line
    try:
        row = json.loads(line)
        clock = time.strftime("%H:%M:%S", time.localtime(calendar.timegm(parsed(row["time"]))))
        words = [clock, str(row["event"])]
    except (ValueError, KeyError, TypeError):
        return line
    return " ".join(words) + (f"\n{row['trace']}" if row.get("trace") else "")


def tail(path: Path, n: int) -> str:
    """Return the last `n` lines of a log for the eye, JSON lines as text; empty without a file."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 400 * n))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return "\n".join(map(readable, lines[-n:]))


def parsed(text: str) -> time.struct_time:
    """Read what `stamp` wrote, without its milliseconds."""
    return time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")


class Lines(logging.Formatter):
    """One JSON object a line: time (UTC), level, where, event, then what is known of it."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        row: dict[str, Any] = {
            "time": stamp(record.created),
            "level": record.levelname.lower(),
            "where": self.where,
            "pid": record.process,
            "event": clean(record.getMessage()),
        }
        row |= {key: clean(value) for key, value in facts_of(record).items()}
        if record.exc_info:
            row["trace"] = clean(self.formatException(record.exc_info), LONGEST * 4)
        return json.dumps(row, ensure_ascii=False, default=str)


class Text(logging.Formatter):
    """The same for the eye."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback follows it."""
        more = "".join(f" {key}={clean(value)}" for key, value in facts_of(record).items())
        level = "" if record.levelno <= logging.INFO else f" {record.levelname}"
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        line = f"{clock}{level} {self.where}: {clean(record.getMessage())}{more}"
        if record.exc_info:
            line += "\n" + without_secrets(self.formatException(record.exc_info))
        return line


def facts_of(record: logging.LogRecord) -> dict[str, object]:
    """Return what is known of an event; what is empty says nothing."""
    facts: dict[str, object] = getattr(record, "facts", {})
    return {key: value for key, value in facts.items() if value is not None and value != ""}


def clean(value: object, longest: int = LONGEST) -> object:
    """Return numbers as they are, and anything else as text of a length, without secrets."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = without_secrets(str(value))
    return text if len(text) <= longest else f"{text[:longest]}…"


def stamp(seconds: float) -> str:
    """Write a time since 1970 as ISO 8601, UTC, with milliseconds."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"
