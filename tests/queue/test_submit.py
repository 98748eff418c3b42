"""Starting and stopping: detached, once, alive from the first moment, outliving its starter."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from thingsviz.core.errors import JobError
from thingsviz.core.locks import try_lock
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.queue import submit


def wait_for(what, seconds=100):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return
        time.sleep(0.05)
    raise TimeoutError


def wait_for_end(job: JobFolder):
    wait_for(lambda: not job.is_alive())
    return job.status()


HOLD = """
import sys, time
from pathlib import Path
from thingsviz.core.locks import try_lock
try_lock(Path(sys.argv[1], "lock")); print("held", flush=True); time.sleep(300)
"""


@pytest.fixture
def busy_env(make_job):
    """Something that runs here and was not started by the line: it takes the one place."""

    @contextmanager
    def run():
        job = make_job(name="busy")
        command = [sys.executable, "-c", HOLD, str(job.path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"held\n"
            yield process
            process.kill()

    return run


@pytest.fixture
def busy(busy_env):
    with busy_env() as process:
        yield process


def test_a_started_job_runs_to_its_end(make_job):
    job = make_job(model={"name": "mean"})
    started = time.monotonic()
    submit.start(job)
    assert time.monotonic() - started < 1
    # No gap in which the page would think that nothing runs
    assert submit.is_alive(job)
    assert job.status().state == "queued"
    status = wait_for_end(job)
    assert status.state == "done", job.log_tail()
    assert job.scores() is not None
    assert "done in" in job.log_tail()


def test_a_second_start_changes_nothing(make_job):
    job = make_job(model={"name": "mean"})
    submit.start(job)
    submit.start(job)
    assert wait_for_end(job).state == "done"
    assert len(job.manifest()["starts"]) == 1


def test_starting_by_hand_beside_a_running_one_is_harmless(make_job, run):
    job = make_job(model={"name": "mean"})
    handle = try_lock(job.file("lock"))
    assert run(job) == (0, f"{job.name} is already running")
    assert not job.file("status.json").exists()
    os.close(handle)


def test_a_job_outlives_the_process_that_started_it(make_job):
    job = make_job(model={"name": "mean"})
    code = (
        "import sys; from pathlib import Path;"
        "from thingsviz.queue import submit; from thingsviz.jobs import job_folder;"
        "submit.start(job_folder.JobFolder(Path(sys.argv[1]))); print('started', flush=True);"
        "import time; time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(job.path)], stdout=subprocess.PIPE, start_new_session=True
    ) as app:
        assert app.stdout.readline() == b"started\n"
        # As a terminal or a service manager ends an app: the whole group at once
        os.killpg(app.pid, signal.SIGKILL)
    assert job.is_alive()
    assert wait_for_end(job).state == "done"


def test_the_job_has_no_terminal_and_is_nice(make_job, monkeypatch):
    job = make_job()
    script = (
        "import os, sys; print(os.getsid(0) == os.getpid(), os.nice(0), sys.stdin.read() == '')"
    )
    handle = try_lock(job.file("lock"))
    submit.spawn([sys.executable, "-c", script], job.file("log.txt"), handle)
    os.close(handle)
    wait_for_end(job)
    assert job.log_tail() == f"True {min(19, os.nice(0) + submit.NICENESS)} True"


def test_stop_takes_a_waiting_job_out_of_the_line(make_job, busy):
    job = make_job(model={"name": "mean"})
    submit.start(job)
    assert job.status().state == "queued"
    submit.stop(job)
    assert (job.status().state, job.is_alive()) == ("stopped", False)
    assert "taken out of the line" in job.status().message
    assert not job.file("stop").exists()
    busy.kill()
    busy.wait()
    submit.start(job)
    assert wait_for_end(job).state == "done"


def test_more_slots_let_more_train(make_job, busy_env, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_SLOTS", "2")
    with busy_env():
        job = make_job(model={"name": "mean"})
        submit.start(job)
        assert wait_for_end(job).state == "done"


def test_stopping_what_does_not_run_leaves_no_wish(make_job):
    job = make_job()
    submit.stop(job)
    assert not job.file("stop").exists()


def test_a_killed_job_is_shown_as_stopped_and_starts_again(make_vit):
    job = make_vit(epochs=500)
    submit.start(job)
    wait_for(lambda: job.status().step > 0)
    holder = next(p for p in _processes() if str(job.path) in p[1])
    os.kill(holder[0], signal.SIGKILL)
    status = wait_for_end(job)
    assert status.state == "stopped"
    wait_for(lambda: "killed from outside (signal 9)" in job.status().message, 10)
    at = job.status().step
    submit.start(job)
    wait_for(lambda: job.status().step > at)
    submit.stop(job)
    assert wait_for_end(job).state == "stopped"


def _processes():
    import psutil

    for process in psutil.process_iter(["cmdline"]):
        yield process.pid, process.info["cmdline"] or []


def test_a_job_without_a_recipe_is_not_started(tmp_path):
    with pytest.raises(JobError, match="needs the recipe"):
        submit.start(JobFolder(tmp_path))


def test_a_read_only_folder_is_one_sentence(make_job, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", "/jobs/x/lock")

    monkeypatch.setattr(JobFolder, "held", refuse)
    with pytest.raises(JobError, match="/jobs/x/lock may not be written: set THINGSVIZ_JOBS"):
        submit.start(make_job())


def test_no_zombie_stays_behind(make_job):
    import psutil

    job = make_job(model={"name": "mean"})
    submit.start(job)
    wait_for_end(job)
    wait_for(lambda: not [p for p in psutil.Process().children() if p.status() == "zombie"], 10)
