"""The real supervisor and real jobs: killed at any time, it finds everything again."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import psutil

from tests.queue.test_submit import wait_for, wait_for_end
from thingsviz.commands import supervisor
from thingsviz.core.locks import is_locked, try_lock
from thingsviz.queue import submit
from thingsviz.queue.database import Queue, queue_folder


def supervisors(root):
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "thingsviz.commands.supervisor" in command and str(root) in command:
            found.append(process.pid)
    return found


def rows():
    with closing(Queue(queue_folder())) as queue:
        return {row.name: row for row in queue.rows()}


def test_killed_and_started_again_it_loses_and_doubles_nothing(make_vit, make_job, tiny_env):
    long = make_vit(epochs=500)
    nexts = [make_job(model={"name": "mean"}, name=f"next-{i}") for i in range(2)]
    submit.start(long)
    wait_for(lambda: long.status().step > 0)
    for job in nexts:
        submit.start(job)
    (first,) = supervisors(tiny_env)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not supervisors(tiny_env))
    # The running one goes on, the waiting ones wait; whoever looks at one brings a supervisor
    at = long.status().step
    wait_for(lambda: long.status().step > at)
    assert [job.status().state for job in nexts] == ["queued", "queued"]
    assert submit.is_alive(nexts[0])
    wait_for(lambda: supervisors(tiny_env) not in ([], [first]))
    wait_for(lambda: rows()["vit"].memory_mb > 0)
    assert rows()["vit"].state == "running"
    assert [job.status().state for job in nexts] == ["queued", "queued"]
    submit.stop(long)
    assert wait_for_end(long).state == "stopped"
    for job in nexts:
        assert wait_for_end(job).state == "done"
        assert len(job.manifest()["starts"]) == 1
    assert len(long.manifest()["starts"]) == 1


def test_the_end_of_any_job_brings_a_supervisor_to_those_that_wait(make_job, tiny_env, run):
    waiting = make_job(model={"name": "mean"}, name="waiting")
    queue_folder().mkdir()
    handle = try_lock(queue_folder() / "lock")
    submit.start(waiting)  # a supervisor seems to be there, and does nothing
    assert waiting.status().state == "queued"
    os.close(handle)
    assert supervisors(tiny_env) == []
    assert run(make_job(model={"name": "mean"}, name="by-hand"))[0] == 0
    assert wait_for_end(waiting).state == "done"


def test_a_second_one_goes_at_once(tiny_env, capsys):
    queue_folder().mkdir()
    handle = try_lock(queue_folder() / "lock")
    assert supervisor.main([str(tiny_env)]) == 0
    os.close(handle)


def test_idle_it_ends_and_frees_its_lock(tiny_env):
    command = [
        sys.executable,
        "-m",
        "thingsviz.commands.supervisor",
        str(tiny_env),
        "--idle",
        "0.1",
    ]
    assert subprocess.run(command, timeout=60, check=False).returncode == 0
    assert (queue_folder() / "lock").is_file()
    assert not is_locked(queue_folder() / "lock")


def test_bad_limits_are_one_sentence(tiny_env, monkeypatch, capsys):
    monkeypatch.setenv("THINGSVIZ_QUOTA", "some")
    assert supervisor.main([str(tiny_env)]) == 2
    assert capsys.readouterr().err.startswith("supervisor: THINGSVIZ_QUOTA is 'some': give")


def test_a_disk_that_is_full_is_not_its_end(tiny_env, monkeypatch, capsys):
    """What fails for one look is tried at the next."""
    looks = []

    def look(self):
        looks.append(1)
        if len(looks) == 1:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(supervisor.Dispatcher, "look", look)
    monkeypatch.setattr(supervisor, "TICK_S", 0.05)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert supervisor.main([str(tiny_env), "--idle", "0.3"]) == 0
    assert len(looks) > 1
    assert "No space left" in capsys.readouterr().err


def test_a_job_is_in_the_line_even_if_the_database_cannot_be_written(make_job, monkeypatch):
    def refuse(*_):
        raise sqlite3.OperationalError("disk I/O error")

    job = make_job(model={"name": "mean"})
    with monkeypatch.context() as patch:
        patch.setattr(Queue, "add", refuse)
        submit.start(job)
    assert job.is_alive()
    assert wait_for_end(job).state == "done"
