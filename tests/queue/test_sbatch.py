"""What is said to SLURM, without one: options of a site, and the words of its commands."""

import logging
import os
import stat
from contextlib import closing

import pytest

from thingsviz.core import log
from thingsviz.core.errors import ConfigError, JobError
from thingsviz.core.locks import try_lock
from thingsviz.jobs.run_folder import RunStatus
from thingsviz.queue import sbatch, submit
from thingsviz.queue import slurm as slurm_module
from thingsviz.queue.database import Queue, queue_folder
from thingsviz.queue.slurm import Slurm
from thingsviz.queue.ticket import Ticket, read_ticket


def test_options_of_a_site():
    text = "partition=gpu time=1-12:00:00 gres=gpu:a100:1 exclusive"
    expected = ["--partition=gpu", "--time=1-12:00:00", "--gres=gpu:a100:1", "--exclusive"]
    assert sbatch.site_options(text) == expected
    assert sbatch.site_options("") == []


def test_options_from_a_file(tmp_path):
    file = tmp_path / "slurm"
    file.write_text("# of our cluster\npartition = gpu  # the new one\n\nmem=16G\n")
    assert sbatch.site_options(str(file)) == ["--partition=gpu", "--mem=16G"]
    with pytest.raises(ConfigError, match="which cannot be read"):
        sbatch.site_options(str(tmp_path / "none"))


@pytest.mark.parametrize(
    "word", ["wrap=reboot", "partition=a;b", "mem=$(id)", "output=/etc/x", "--x"]
)
def test_nothing_else_is_passed_on(word):
    with pytest.raises(ConfigError, match="give name=value with one of partition, account"):
        sbatch.site_options(word)


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """A folder of commands that stand in for SLURM's; each notes what it was given."""
    folder = tmp_path / "commands"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def write(name, script):
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script.replace('HERE', str(folder))}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return folder

    return write


def test_a_submission_carries_no_secret_and_no_shell_words(make_job, commands, monkeypatch):
    folder = commands(
        "sbatch", 'echo "$@" >HERE/args; env >HERE/env; cat >HERE/script; echo "17;c"'
    )
    monkeypatch.setenv("THINGSVIZ_STUDY_STORAGE", "postgresql://me:secret@host/db")
    monkeypatch.setenv("THINGSVIZ_SLURM", "time=2:00:00")
    job = make_job(name="a.b-c")
    assert sbatch.submit(job, Ticket(environment={"THINGSVIZ_DATA": "/d", "EVIL": "1"})) == "17"
    arguments, environment = (folder / "args").read_text(), (folder / "env").read_text()
    for part in ("--requeue", "--open-mode=append", "--time=2:00:00", "--signal=B:TERM@60"):
        assert part in arguments
    assert "THINGSVIZ_DATA=/d\n" in environment
    assert f"THINGSVIZ_JOB={job.path}\n" in environment
    assert "secret" not in environment
    assert "EVIL" not in environment
    assert (folder / "script").read_text() == sbatch.SCRIPT
    assert job.name not in sbatch.SCRIPT


def test_several_tasks_share_a_network_but_not_a_linear_decoder(
    make_vit, make_job, commands, monkeypatch
):
    folder = commands("sbatch", 'echo "$@" >HERE/args; cat >HERE/script; echo 17')
    wanted = "nodes=2 ntasks-per-node=4 gpus-per-node=4 time=2:00:00"
    monkeypatch.setenv("THINGSVIZ_SLURM", wanted)
    sbatch.submit(make_vit(), Ticket())
    given = (folder / "args").read_text()
    for part in (*wanted.split(), "signal=TERM@60"):
        assert f"--{part}" in given
    assert (folder / "script").read_text() == sbatch.SHARED_SCRIPT
    sbatch.submit(make_job(), Ticket())
    given = (folder / "args").read_text()
    for part in ("nodes", "ntasks", "gpus"):
        assert f"--{part}" not in given
    assert "--signal=B:TERM@60" in given
    assert (folder / "script").read_text() == sbatch.SCRIPT


def test_a_refusal_is_one_sentence(make_job, commands):
    commands("sbatch", "echo 'sbatch: error: one' >&2; echo 'sbatch: error: two' >&2; exit 1")
    with pytest.raises(JobError, match=r"^SLURM refused it: error: two$"):
        sbatch.submit(make_job(), Ticket())


def test_a_controller_that_is_down_changes_nothing(commands):
    commands("squeue", "exit 1")
    assert sbatch.listed() is None
    commands("squeue", "echo '17|PENDING|Resources|thingsviz-1-a|b'; echo odd")
    assert sbatch.listed() == [sbatch.SlurmJob("17", "PENDING", "Resources", "thingsviz-1-a|b")]


@pytest.fixture
def desk(make_job, monkeypatch):
    """A job in the line of a SLURM that says what the test wants; calls are noted."""
    monkeypatch.setattr(submit, "tend", lambda: None)
    monkeypatch.setattr(slurm_module, "ASK_EVERY_S", 0)
    monkeypatch.setenv("THINGSVIZ_ENGINE", "slurm")
    job, said, calls = make_job(name="job"), [], []
    monkeypatch.setattr(sbatch, "listed", lambda: said[-1])
    monkeypatch.setattr(sbatch, "submit", lambda job, ticket: calls.append("submit") or "5")
    monkeypatch.setattr(sbatch, "cancel", lambda number: calls.append(f"cancel {number}"))
    submit.start(job)
    with closing(Queue(queue_folder())) as queue:
        slurm = Slurm(queue)

        def look(state=None, number="5"):
            known = sbatch.SlurmJob(number, state, "Why", sbatch.cluster_name(job))
            said.append([known] if state else [])
            slurm.look(queue.rows())
            return calls, {row.name: row for row in queue.rows()}.get("job")

        yield job, look
        if job.is_waiting():
            submit.withdraw(job, "")


@pytest.fixture
def told(caplog, monkeypatch):
    """The events that were told of, with why, where it is said."""
    monkeypatch.setattr(log.OURS, "propagate", True)
    caplog.set_level(logging.INFO, "thingsviz")

    def events():
        found = [(record.getMessage(), log.facts_of(record)) for record in caplog.records]
        assert all(facts["job"] == "job" and facts["who"] for _, facts in found)
        assert all(facts["engine"] == "slurm" for _, facts in found)
        return [(what, facts.get("cluster", "")) for what, facts in found]

    return events


def begin(job):
    job.file("ticket.json").unlink()
    job.write_status(RunStatus("running"))


def test_the_way_of_a_job_is_told(desk, told, caplog):
    job, look = desk
    look()
    assert told() == [("job submitted", "5")]
    look("PENDING")
    begin(job)
    look("RUNNING")
    look("RUNNING")
    assert told()[1:] == [("job started", "5")]
    look("PENDING")
    assert told()[2:] == [("job requeued", "5")]
    begin(job)
    look("RUNNING")
    look()
    look()
    assert told()[3:] == [("job started", "5"), ("job's process ended", "5")]
    assert log.facts_of(caplog.records[-1])["why"] == slurm_module.SILENT


def test_a_cancelled_job_is_told_once(desk, told):
    job, look = desk
    look()
    submit.stop(job)
    for state in ("PENDING", "PENDING", None, None):
        calls, _ = look(state)
    assert told() == [("job submitted", "5"), ("job cancelled", "5")]
    assert calls == ["submit", "cancel 5", "cancel 5"]


def test_a_refused_job_is_told_with_slurms_words(desk, told, caplog, monkeypatch):
    def refuse(job, ticket):
        raise JobError("SLURM refused it: no such partition")

    _, look = desk
    monkeypatch.setattr(sbatch, "submit", refuse)
    look()
    assert told() == [("job refused", "")]
    assert "no such partition" in log.facts_of(caplog.records[-1])["why"]


def test_it_is_submitted_once(desk):
    _, look = desk
    calls, row = look()
    assert (calls, row.cluster_id, row.state) == (["submit"], "5", "waiting")
    calls, row = look("PENDING")
    assert calls == ["submit"]


def test_killed_between_submitting_and_writing_it_down_it_is_found_by_its_name(desk):
    _, look = desk
    calls, row = look("PENDING", "77")
    assert (calls, row.cluster_id) == ([], "77")


def test_a_requeued_job_waits_again_with_its_ticket(desk):
    job, look = desk
    look()
    job.file("ticket.json").unlink()
    handle = try_lock(job.file("lock"))
    job.write_status(RunStatus("running", step=7))
    assert look("RUNNING")[1].state == "running"
    os.close(handle)
    assert look("COMPLETING")[1].state == "running"
    assert look("PENDING")[1].state == "waiting"
    status = job.status()
    assert (status.state, status.step) == ("queued", 7)
    assert read_ticket(job).cluster_id == "5"
    assert look("PENDING")[0] == ["submit"]


def test_one_that_ends_without_a_word_is_named(desk):
    job, look = desk
    look()
    job.file("ticket.json").unlink()
    job.write_status(RunStatus("running"))
    look("RUNNING")
    assert look()[1] is None
    assert (job.status().state, job.status().message) == ("stopped", slurm_module.SILENT)


def test_one_deleted_while_it_waited_is_cancelled(desk):
    job, look = desk
    look()
    submit.withdraw(job, "deleted")
    calls, row = look("PENDING")
    assert (calls, row) == (["submit", "cancel 5"], None)


def test_a_silent_controller_changes_nothing(desk, monkeypatch):
    job, look = desk
    look()
    monkeypatch.setattr(sbatch, "listed", lambda: None)
    assert look()[1].state == "waiting"
    assert job.status().state == "queued"
