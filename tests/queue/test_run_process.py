"""One life for jobs and studies: who holds a folder, what is heard, how each ending is told."""

import os
import shutil
import signal

import pytest

from thingsviz.core.errors import EXIT_BAD_INPUT, EXIT_INTERRUPTED, JobError
from thingsviz.core.locks import LOCK_HANDLE, is_locked, try_lock
from thingsviz.jobs.run_folder import RunFolder, RunStatus
from thingsviz.queue import run_process
from thingsviz.queue.reporter import RunReporter, StoppedError
from thingsviz.queue.run_process import UNEXPECTED, hold, tell_ending, verdict
from thingsviz.queue.ticket import Ticket, write_ticket


@pytest.fixture(params=["one-job", ".studies/one-study"])
def folder(request, tmp_path, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path))
    path = tmp_path / request.param
    path.mkdir(parents=True)
    return RunFolder(path)


@pytest.fixture(autouse=True)
def handlers():
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    yield
    signal.signal(signal.SIGTERM, before[0])
    signal.signal(signal.SIGINT, before[1])


def nothing(error):
    return None


def fail(error):
    raise error


def test_the_lock_is_held_and_signed_while_the_work_runs(folder):
    seen = []

    def work():
        seen.append((is_locked(folder.file("lock")), folder.file("lock").read_text()))
        return 7

    assert hold(folder, work) == 7
    assert seen == [(True, str(os.getpid()))]
    assert not is_locked(folder.file("lock"))


def test_what_runs_already_is_left_alone(folder):
    handle = try_lock(folder.file("lock"))
    assert hold(folder, lambda: fail(AssertionError)) == 0
    os.close(handle)


def test_an_old_wish_to_stop_counts_only_for_what_was_launched(folder, monkeypatch):
    def work():
        return int(folder.wants_stop())

    folder.file("stop").touch()
    assert hold(folder, work) == 0  # by hand: the wish was for another process
    folder.file("stop").touch()
    write_ticket(folder, Ticket())
    assert hold(folder, work) == 1  # the ticket's writer had removed an old one
    assert not folder.is_waiting()
    monkeypatch.setenv(LOCK_HANDLE, str(try_lock(folder.file("lock"))))
    assert hold(folder, work) == 1  # as the launcher that took the lock had


def test_a_wish_to_stop_may_give_its_reason(folder):
    reporter = RunReporter(folder)
    folder.file("stop").write_text("it ran for the 2 h that a training may take here")
    assert tell_ending(reporter, reporter.check, nothing) == 0
    status = folder.status()
    assert (status.state, status.message) == (
        "stopped",
        "it ran for the 2 h that a training may take here",
    )
    assert not folder.wants_stop()


@pytest.mark.parametrize("wish", [StoppedError(), KeyboardInterrupt()])
def test_ctrl_c_has_an_exit_code_of_its_own(folder, wish):
    reporter = RunReporter(folder)
    reporter.signalled = signal.SIGINT if isinstance(wish, StoppedError) else None
    assert tell_ending(reporter, lambda: fail(wish), nothing) == EXIT_INTERRUPTED


def test_the_second_ctrl_c_ends_it_at_once(folder):
    reporter = RunReporter(folder)
    reporter.listen()
    os.kill(os.getpid(), signal.SIGINT)
    assert reporter.should_stop()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (JobError("mend this"), EXIT_BAD_INPUT),
        (MemoryError("known to the room"), EXIT_BAD_INPUT),
        (OSError(28, "No space left on device"), EXIT_BAD_INPUT),
        (RuntimeError("a fault of ours"), UNEXPECTED),
    ],
)
def test_a_failure_is_one_sentence_in_the_status(folder, error, code):
    def explain(error):
        return "memory ran out" if isinstance(error, MemoryError) else None

    assert tell_ending(RunReporter(folder), lambda: fail(error), explain) == code
    status = folder.status()
    assert status.state == "failed"
    assert status.message == verdict(error, folder.path, explain)[0]


def test_a_deleted_folder_is_not_a_fault_of_ours(folder):
    def work():
        shutil.rmtree(folder.path)
        raise RuntimeError

    assert tell_ending(RunReporter(folder), work, nothing) == EXIT_BAD_INPUT
    assert not folder.path.exists()


@pytest.mark.parametrize("text", ["{", '{"state": 7}'])
def test_a_damaged_status_does_not_keep_it_from_going_on(folder, text):
    folder.file("status.json").write_text(text)
    assert tell_ending(RunReporter(folder), lambda: None, nothing) == 0
    RunReporter(folder).finish(1)
    assert folder.status().state == "done"


def test_what_began_anew_between_two_looks_is_not_dead(folder, monkeypatch):
    folder.write_status(RunStatus("running"))

    def begin_anew(self):
        monkeypatch.undo()
        self.write_status(RunStatus("queued"))
        write_ticket(self, Ticket())
        return False

    monkeypatch.setattr(RunFolder, "is_alive", begin_anew)
    assert folder.status().state == "queued"


def test_a_full_disk_at_the_lock_is_a_sentence(folder, monkeypatch, capsys):
    monkeypatch.setattr(run_process, "try_lock", lambda lock: fail(OSError(28, "full")))
    assert hold(folder, lambda: 0) == EXIT_BAD_INPUT
    assert "no space is left" in capsys.readouterr().err
