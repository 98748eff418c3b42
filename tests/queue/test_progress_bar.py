import io
import json

from thingsviz.core.progress import Progress
from thingsviz.queue import progress_bar
from thingsviz.queue.progress_bar import ProgressBar, seconds_left


class Clock:
    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(progress_bar.time, "monotonic", lambda: self.now)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_time_left_is_in_proportion():
    assert seconds_left(Progress(1, 4, ""), 10) == "30 s left"
    assert seconds_left(Progress(1, 21, ""), 10) == "3 min left"


def test_nothing_is_said_where_nothing_is_known():
    assert seconds_left(Progress(0, 4, ""), 10) == ""
    assert seconds_left(Progress(4, 4, ""), 10) == ""
    assert seconds_left(Progress(1, 4, ""), 0.1) == ""


def test_a_log_gets_a_line_now_and_then(monkeypatch):
    clock, out = Clock(monkeypatch), io.StringIO()
    with ProgressBar("planting", out=out) as report:
        for step in range(1, 11):
            clock.now += 2
            report(Progress(step, 10, f"run {step}"))
    lines = out.getvalue().splitlines()
    assert lines[0] == "planting  30 % · run 3 · 14 s left"
    assert len(lines) == 3


def test_a_terminal_has_one_line_that_is_cleared(monkeypatch):
    clock, out = Clock(monkeypatch), Terminal()
    with ProgressBar("planting", out=out) as report:
        clock.now += 1
        report(Progress(1, 2, "oracle"))
    text = out.getvalue()
    assert "\n" not in text
    assert "planting  50 % · oracle · 1 s left" in text
    assert text.endswith("\r\033[K")


def test_the_file_holds_the_time_left_too(monkeypatch, tmp_path):
    clock = Clock(monkeypatch)
    path = tmp_path / "progress.json"
    with ProgressBar("planting", path, io.StringIO()) as report:
        clock.now += 10
        report(Progress(1, 2, "oracle"))
    row = json.loads(path.read_text())
    assert (row["done"], row["total"]) == (1, 2)
    assert row["message"] == "oracle · 10 s left"
