"""What a running job writes and hears, without any training."""

import os
import signal

import numpy as np
import pytest

from thingsviz.jobs.job_folder import JobFolder
from thingsviz.queue import reporter as clerk_module
from thingsviz.queue.reporter import Interruptible, Reporter, StoppedError


@pytest.fixture
def reporter(tmp_path):
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    yield Reporter(JobFolder(tmp_path))
    signal.signal(signal.SIGTERM, handlers[0])
    signal.signal(signal.SIGINT, handlers[1])


def row(step, kind="step", epoch=1):
    return {"kind": kind, "step": step, "epoch": epoch, "train_loss": 0.5, "lr": 1e-4}


def test_each_report_is_a_line_with_the_time(reporter):
    reporter.report(row(4))
    reporter.report(row(8, "epoch"))
    rows, _ = reporter.job.metrics()
    assert [r["step"] for r in rows] == [4, 8]
    assert all(r["time"] > 1.7e9 for r in rows)


def test_progress_has_a_share_and_an_end(reporter, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(clerk_module.time, "monotonic", lambda: now[0])
    reporter.expect(n_epochs=2, n_steps=20)
    reporter.report(row(2))
    assert reporter.status.eta_s is None
    now[0] = 104
    reporter.report(row(6))
    # 4 steps took 4 s: the other 14 take 14 s
    assert reporter.status.eta_s == 14
    assert reporter.status.share == 0.3
    assert reporter.status.message == "epoch 1 of 2"


def test_a_resumed_job_goes_on_from_where_it_was(reporter):
    reporter.expect(n_epochs=2, n_steps=20)
    reporter.report(row(12, epoch=2))
    reporter.say("stopped", "on request")
    again = Reporter(reporter.job)
    assert (again.status.state, again.status.step, again.status.n_steps) == ("running", 12, 20)
    again.keep_reports(1)
    assert again.status.step == 12
    again.keep_reports(0)
    assert (again.status.step, again.status.epoch) == (0, 0)


def test_status_is_not_written_for_every_batch(reporter, monkeypatch):
    written = []
    monkeypatch.setattr(JobFolder, "write_status", lambda _, status: written.append(status))
    for step in range(100):
        reporter.report(row(step))
    assert len(written) <= 2
    reporter.report(row(100, "epoch"))
    assert written[-1].step == 100


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_wish(reporter, number):
    reporter.listen()
    assert not reporter.should_stop()
    os.kill(os.getpid(), number)
    assert reporter.should_stop()
    with pytest.raises(StoppedError):
        reporter.check()


def test_a_second_interrupt_is_an_order(reporter):
    reporter.listen()
    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_a_file_is_a_wish(reporter):
    reporter.job.file("stop").touch()
    with pytest.raises(StoppedError):
        reporter.check()


@pytest.mark.parametrize("n", [0, 1, 3, 9])
def test_metrics_after_the_checkpoint_are_dropped(reporter, n):
    for step in range(5):
        reporter.report(row(step))
    with reporter.job.file("metrics.jsonl").open("ab") as file:
        file.write(b'{"torn')
    reporter.keep_reports(n)
    rows, _ = reporter.job.metrics()
    assert [r["step"] for r in rows] == list(range(min(n, 5)))
    assert not reporter.job.file("metrics.jsonl").read_bytes().endswith(b"torn")


class Plain:
    shape = (4, 6)

    def batch(self, rows):
        return np.ones((len(rows), 6), np.float32)

    def blocks(self, rows, width):
        for first in range(0, 6, width):
            yield slice(first, first + width), np.ones((len(rows), width), np.float32)


def test_reading_stops_between_blocks(reporter):
    X = Interruptible(Plain(), reporter)
    assert X.shape == (4, 6)
    blocks = X.blocks(np.arange(4), 2)
    next(blocks)
    reporter.job.file("stop").touch()
    with pytest.raises(StoppedError):
        next(blocks)
    with pytest.raises(StoppedError):
        X.batch(np.arange(2))
