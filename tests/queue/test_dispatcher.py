"""The line as a state machine: whatever dies and whenever, nothing is lost and nothing runs twice.

Workers are played in this process: they hold the lock that they were handed, as real ones do.
"""

import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from thingsviz.core.locks import LOCK_HANDLE, is_locked
from thingsviz.jobs.job_folder import JobFolder, create_job
from thingsviz.jobs.recipe import parse_config
from thingsviz.jobs.run_folder import RunStatus
from thingsviz.pipeline import out_of_memory
from thingsviz.queue import dispatcher as dispatcher_module
from thingsviz.queue import submit
from thingsviz.queue.database import DATABASE, Queue, recover
from thingsviz.queue.dispatcher import ATTEMPTS, Dispatcher
from thingsviz.queue.limits import Limits
from thingsviz.queue.processes import ProcessUsage
from thingsviz.queue.ticket import read_ticket, take_ticket
from thingsviz.studies import submit as study_launch
from thingsviz.studies.config import parse_study
from thingsviz.studies.study_folder import create_study

NO_PID = 2**30


class Worker:
    """A process that does what it is told; `code` is how it ended."""

    pid = NO_PID

    def __init__(self, path, handle):
        self.job = JobFolder(Path(path))
        self.handle = os.dup(handle)
        self.code = None
        self.begun = False

    def begin(self):
        self.begun = take_ticket(self.job)
        self.job.write_status(RunStatus("running", started_at=1.0))

    def end(self, state="", code=0):
        if state:
            self.job.write_status(RunStatus(state))
        self.code = code
        os.close(self.handle)

    def wait(self, seconds):
        return self.code


class Play:
    """A jobs folder with a dispatcher, whose workers are played."""

    def __init__(self, root, limits):
        self.root, self.limits = root, limits
        self.workers = []
        self.patches = [
            mock.patch.dict(os.environ, {"THINGSVIZ_JOBS": str(root)}),
            mock.patch.object(submit, "tend"),
            mock.patch.object(dispatcher_module, "spawn_process", self.spawn),
        ]
        for patch in self.patches:
            patch.start()
        self.begin_anew()

    def spawn(self, command, log, handle, extra):
        worker = Worker(command[-1], handle)
        self.workers.append(worker)
        return worker

    def begin_anew(self):
        """What a supervisor that starts after a kill knows: the folders, and the database."""
        self.queue = Queue(self.root / ".queue")
        self.dispatcher = Dispatcher(self.queue, self.limits, out_of_memory.advice)
        recover(self.queue)

    def alive(self):
        return [worker for worker in self.workers if worker.code is None]

    def close(self):
        for worker in self.alive():
            worker.end()
        self.queue.close()
        for patch in self.patches:
            patch.stop()


@pytest.fixture
def play(tmp_path):
    plays = []

    def begin(**limits):
        plays.append(Play(tmp_path / "jobs", Limits(**limits)))
        return plays[-1]

    yield begin
    for one in plays:
        one.close()


def new_job(name="job"):
    return create_job(parse_config({"dataset": "tiny", "name": name}))


def test_one_after_the_other_in_order(play):
    line = play()
    jobs = [new_job(name) for name in "cab"]
    for job in jobs:
        submit.start(job)
    order = []
    for _ in jobs:
        line.dispatcher.look()
        (worker,) = line.alive()
        worker.begin()
        order.append(worker.job.name)
        worker.end("done")
    line.dispatcher.look()
    assert order == ["c", "a", "b"]
    assert line.queue.rows() == []


def test_one_that_never_begins_is_given_up_with_its_last_words(play):
    line, job = play(), new_job()
    job.file("log.txt").write_text("No module named torch\n")
    submit.start(job)
    for _ in range(ATTEMPTS):
        line.dispatcher.look()
        line.alive()[0].end(code=1)
        line.dispatcher.look()
    line.dispatcher.look()
    assert len(line.workers) == ATTEMPTS
    status = job.status()
    assert status.state == "failed"
    assert status.message == "it could not be started: No module named torch"


def test_started_again_three_times_is_not_three_failures(play):
    line, job = play(), new_job()
    for _ in range(ATTEMPTS + 2):
        submit.start(job)
        line.dispatcher.look()
        line.alive()[0].begin()
        line.alive()[0].end("stopped")
    line.dispatcher.look()
    assert len(line.workers) == ATTEMPTS + 2
    assert job.status().state == "stopped"


def test_too_much_memory_is_named(play, monkeypatch):
    line, job = play(memory_mb=100), new_job()
    monkeypatch.setattr(dispatcher_module, "usage", lambda pid: ProcessUsage(250.0, 3.0))
    monkeypatch.setattr(dispatcher_module, "kill", lambda job, pid: line.alive()[0].end(code=-9))
    submit.start(job)
    line.dispatcher.look()
    line.alive()[0].begin()
    line.dispatcher._measured = float("-inf")
    line.dispatcher.look()
    line.dispatcher.look()
    status = job.status()
    assert status.state == "failed"
    assert status.message.startswith("it took 250 MB of the 100 MB that a training may take here")
    assert '"peak_mb": 250.0' in job.file("usage.json").read_text()


def test_a_verdict_survives_the_supervisor(play, monkeypatch):
    """Killed between the kill of a job and its last word: the next one says it."""
    line, job = play(memory_mb=100), new_job()
    monkeypatch.setattr(dispatcher_module, "usage", lambda pid: ProcessUsage(250.0, 3.0))
    monkeypatch.setattr(dispatcher_module, "kill", lambda job, pid: line.alive()[0].end(code=-9))
    submit.start(job)
    line.dispatcher.look()
    line.alive()[0].begin()
    line.dispatcher._measured = float("-inf")
    line.dispatcher.look()
    line.begin_anew()
    line.dispatcher.look()
    assert "of the 100 MB" in job.status().message


def test_time_is_a_wish_first_and_a_kill_later(play, monkeypatch):
    line, job = play(hours=1.0), new_job()
    killed = []
    monkeypatch.setattr(dispatcher_module, "kill", lambda job, pid: killed.append(job.name))
    submit.start(job)
    line.dispatcher.look()
    line.alive()[0].begin()
    for ago, expected in ((3601, []), (3601, []), (3700, ["job"])):
        line.queue.update("job", started=dispatcher_module.time.time() - ago)
        line.dispatcher._measured = float("-inf")
        line.dispatcher.look()
        assert killed == expected
    assert job.file("stop").read_text().startswith("it ran for the 1 h")


def test_killed_by_the_system_is_not_without_a_word(play):
    line, job = play(), new_job()
    submit.start(job)
    line.dispatcher.look()
    line.alive()[0].begin()
    line.alive()[0].end(code=-9)
    line.dispatcher.look()
    assert job.status().state == "stopped"
    assert "signal 9), as the system does when memory runs out" in job.status().message


@pytest.mark.parametrize(("more", "said"), [(1, "failed"), (0, "stopped")])
def test_out_of_memory_is_told_by_a_supervisor_that_came_later(play, monkeypatch, more, said):
    """It has no exit code of a process that it has not started, but what the system counts."""
    line, job = play(), new_job()
    monkeypatch.setattr(dispatcher_module.cgroups, "kills", lambda: 3)
    submit.start(job)
    line.dispatcher.look()
    worker = line.alive()[0]
    worker.begin()
    line.begin_anew()
    line.dispatcher.look()
    monkeypatch.setattr(dispatcher_module.cgroups, "kills", lambda: 3 + more)
    worker.end(code=-9)
    line.dispatcher.look()
    status = job.status()
    assert status.state == said
    assert ("memory ran out here and the system ended a process" in status.message) == bool(more)
    assert ("the process ended without a word" in status.message) == (not more)


def test_one_that_ended_well_while_memory_ran_out_is_done(play, monkeypatch):
    line, job = play(), new_job()
    monkeypatch.setattr(dispatcher_module.cgroups, "kills", lambda: 3)
    submit.start(job)
    line.dispatcher.look()
    worker = line.alive()[0]
    worker.begin()
    line.begin_anew()
    monkeypatch.setattr(dispatcher_module.cgroups, "kills", lambda: 4)
    worker.end("done")
    line.dispatcher.look()
    assert (job.status().state, job.status().message) == ("done", "")


def test_of_one_that_nobody_here_has_started_counting_begins_with_the_first_look(
    play, monkeypatch
):
    line, job = play(), new_job()
    submit.start(job)
    line.dispatcher.look()
    line.alive()[0].begin()
    line.queue.update("job", kills=-1)
    monkeypatch.setattr(dispatcher_module.cgroups, "kills", lambda: 7)
    line.dispatcher._measured = float("-inf")
    line.dispatcher.look()
    assert [row.kills for row in line.queue.rows()] == [7]


def test_a_folder_deleted_under_its_job_takes_the_process_along(play, monkeypatch):
    line, job = play(), new_job()
    killed = []
    monkeypatch.setattr(dispatcher_module, "kill", lambda job, pid: killed.append((job.name, pid)))
    submit.start(job)
    line.dispatcher.look()
    line.alive()[0].begin()
    shutil.rmtree(job.path)
    line.dispatcher.look()
    assert killed == [("job", NO_PID)]
    assert line.queue.rows() == []


def test_the_trouble_of_one_job_does_not_hold_up_the_others(play, caplog):
    line, bad, good = play(slots=2), new_job("bad"), new_job("good")
    for job in (bad, good):
        submit.start(job)
    plain = line.spawn

    def spawn(command, log, handle, extra):
        if command[-1] == str(bad.path):
            raise OSError(28, "No space left on device")
        return plain(command, log, handle, extra)

    with mock.patch.object(dispatcher_module, "spawn_process", spawn):
        for _ in range(3 * ATTEMPTS):
            line.dispatcher.look()
    assert [worker.job.name for worker in line.alive()] == ["good"]
    assert bad.status().state == "failed"
    assert "No space left" in caplog.text


def test_what_runs_keeps_its_place_when_the_database_is_lost(play):
    line, jobs = play(), [new_job("runs"), new_job("waits")]
    for job in jobs:
        submit.start(job)
    line.dispatcher.look()
    line.alive()[0].begin()
    line.queue.close()
    for path in line.queue.path.parent.glob(f"{DATABASE}*"):
        path.unlink()
    line.begin_anew()
    line.dispatcher.look()
    assert [worker.job.name for worker in line.alive()] == ["runs"]
    assert {row.name: row.state for row in line.queue.rows()} == {
        "runs": "running",
        "waits": "waiting",
    }


def test_what_a_reboot_ended_goes_on_by_itself_and_what_a_kill_ended_does_not(play, monkeypatch):
    line, jobs = play(slots=2), [new_job("cut"), new_job("killed")]
    for job in jobs:
        submit.start(job)
    line.dispatcher.look()
    for worker in line.alive():
        worker.begin()
        worker.end(code=None)
        worker.code = 0
    began = dispatcher_module.psutil.boot_time() - 3600
    line.queue.update("cut", started=began)
    line.begin_anew()
    line.dispatcher.look()
    assert jobs[0].status().message == dispatcher_module.REBOOTED
    assert jobs[0].is_waiting()
    assert [worker.job.name for worker in line.alive()] == ["cut"]
    assert jobs[1].status().state == "stopped"


def new_study(name="search"):
    recipe = {"name": name, "base": {"dataset": "tiny", "model": {"name": "ridge"}}}
    space = {"model.score_power": {"kind": "float", "low": 0, "high": 2}}
    return create_study(parse_study({**recipe, "space": space, "n_candidates": 2}))


def under_way(line, study, phase="search"):
    """Start a study as its own process does: with the lock, a state, and a candidate."""
    study_launch.start_study(study)
    line.dispatcher.look()
    line.alive()[0].begin()
    study.write_status(RunStatus("running", phase=phase, started_at=1.0))
    candidate = new_job(study.candidate_name("search", 0))
    candidate.write_status(RunStatus("running", started_at=1.0))
    candidate.file("lock").touch()
    return candidate


def machine_goes_down(line, name):
    line.alive()[0].end(code=None)
    line.workers[-1].code = 0
    line.queue.update(name, started=dispatcher_module.psutil.boot_time() - 3600)
    line.begin_anew()


def test_a_study_that_a_reboot_ended_goes_on_by_itself_as_one_job(play):
    line, study = play(), new_study()
    candidate = under_way(line, study)
    submitted = line.queue.rows()[0].submitted
    other = new_job("short")
    submit.start(other)
    machine_goes_down(line, ".studies/search")
    line.dispatcher.look()
    assert study.status().state == "queued"
    assert study.status().message == dispatcher_module.REBOOTED
    ticket = read_ticket(JobFolder(study.path))
    assert (ticket.submitted, ticket.short, ticket.engine) == (submitted, False, "local")
    # its candidate is left to it: the line has the two that people started, once each
    assert sorted(row.name for row in line.queue.rows()) == [".studies/search", "short"]
    assert not candidate.is_waiting()
    (worker,) = line.alive()
    worker.begin()
    line.begin_anew()
    line.dispatcher.look()
    assert len(line.workers) == 2
    assert len(line.queue.rows()) == 2


@pytest.mark.parametrize("how", ["done", "stopped", "verdict", "not in its time"])
def test_a_study_that_something_else_ended_is_not_begun_again(play, how):
    line, study = play(), new_study()
    under_way(line, study)
    if how == "verdict":
        line.queue.update(".studies/search", verdict="it took too much")
    elif how != "not in its time":
        study.write_status(RunStatus(how))
    line.alive()[0].end(code=None)
    line.workers[-1].code = 0
    if how != "not in its time":
        began = dispatcher_module.psutil.boot_time() - 3600
        line.queue.update(".studies/search", started=began)
    line.dispatcher.look()
    assert not JobFolder(study.path).is_waiting()
    assert study.status().state == {"done": "done", "verdict": "failed"}.get(how, "stopped")
    assert line.queue.rows() == []


def test_a_study_deleted_while_the_machine_was_down_leaves_the_line(play):
    line, study = play(), new_study()
    under_way(line, study)
    shutil.rmtree(study.path)
    machine_goes_down(line, ".studies/search")
    line.dispatcher.look()
    assert line.queue.rows() == []
    assert not study.path.exists()


def test_the_environment_is_passed_on_and_nothing_else(play, monkeypatch):
    seen = []
    monkeypatch.setenv("THINGSVIZ_DATA", "/data of ana")
    line, job = play(gpus=("3",)), new_job()
    plain = line.spawn

    def spawn(command, log, handle, extra):
        seen.append(extra)
        return plain(command, log, handle, extra)

    with mock.patch.object(dispatcher_module, "spawn_process", spawn):
        submit.start(job)
        line.dispatcher.look()
    assert seen[0]["THINGSVIZ_DATA"] == "/data of ana"
    assert set(seen[0]) <= {*dispatcher_module.PASSED_ON, LOCK_HANDLE}


class Line(RuleBasedStateMachine):
    """People start and stop, workers end or die, supervisors die, the database is lost."""

    def __init__(self):
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.play = Play(self.root, Limits(slots=2))
        self.jobs = [new_job(f"j{i}") for i in range(4)]
        self.asked = Counter()  # how often a job came into the line
        self.begun = Counter()  # how often a worker took its ticket

    def teardown(self):
        for _ in range(40):  # let everything come to its end
            self.play.dispatcher.look()
            for worker in self.play.alive():
                self._work(worker, "done")
        left = [job.name for job in self.jobs if job.is_alive()]
        ended = {job.name: job.status().state for job in self.jobs if self.asked[job.name]}
        counts = (self.asked, self.begun)
        self.play.close()
        shutil.rmtree(self.root)
        assert left == []
        assert all(state in {"done", "stopped"} for state in ended.values()), ended
        # Whoever asked got one run or took the wish back; nobody got two for one.
        assert all(counts[1][name] <= counts[0][name] for name in counts[0]), counts

    def _work(self, worker, state):
        if not worker.begun:
            worker.begin()
            self.begun[worker.job.name] += worker.begun
        worker.end(state)

    @rule(i=st.integers(0, 3))
    def start(self, i):
        before = self.jobs[i].is_alive()
        submit.start(self.jobs[i])
        self.asked[self.jobs[i].name] += not before
        assert self.jobs[i].is_alive()

    @rule(i=st.integers(0, 3))
    def stop(self, i):
        submit.stop(self.jobs[i])

    @rule()
    def look(self):
        self.play.dispatcher.look()

    @rule(i=st.integers(0, 9))
    def begin(self, i):
        idle = [worker for worker in self.play.alive() if not worker.begun]
        if idle:
            worker = idle[i % len(idle)]
            worker.begin()
            self.begun[worker.job.name] += worker.begun

    @rule(i=st.integers(0, 9), state=st.sampled_from(["done", "stopped", ""]))
    def end(self, i, state):
        if self.play.alive():
            self._work(self.play.alive()[i % len(self.play.alive())], state)

    @rule(i=st.integers(0, 9))
    def die_before_taking_the_ticket(self, i):
        idle = [worker for worker in self.play.alive() if not worker.begun]
        if idle:
            job = idle[i % len(idle)].job
            idle[i % len(idle)].end(code=-9)
            if self.play.queue.rows() and _attempts(self.play.queue, job) >= ATTEMPTS:
                submit.stop(job)  # it would be given up; that has a test of its own

    @rule(lost=st.booleans())
    def another_supervisor(self, lost):
        self.play.queue.close()
        if lost:
            for path in (self.root / ".queue").glob(f"{DATABASE}*"):
                path.unlink()
        self.play.begin_anew()

    @invariant()
    def never_two_for_one_job_and_never_too_many(self):
        running = [worker.job.name for worker in self.play.alive()]
        assert len(running) == len(set(running))
        assert len(running) <= 2

    @invariant()
    def what_runs_is_seen(self):
        for worker in self.play.alive():
            assert is_locked(worker.job.file("lock"))
            assert worker.job.is_alive()


def _attempts(queue, job):
    return max((row.attempts for row in queue.rows() if row.name == job.name), default=0)


TestLine = Line.TestCase
TestLine.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
