"""A training that several processes share: the real commands, and one sentence for each end."""

import os
import subprocess
import sys

import numpy as np
import pytest

from models.training.distributed.processes import Processes
from tests.models.training.distributed.test_team import REPO, free_port, start_two
from tests.queue.test_submit import wait_for
from thingsviz.commands import train
from thingsviz.core.locks import try_lock
from thingsviz.pipeline import share
from thingsviz.pipeline.run_job import run_together
from thingsviz.queue.peers import FIT, LEAVE, Peers
from thingsviz.queue.reporter import Reporter

LOSSES = ("train_loss", "validation_loss", "validation_r")


def losses(job):
    rows, _ = job.metrics()
    found = [[row["step"], *(row.get(name, np.nan) for name in LOSSES)] for row in rows]
    return np.array(found, float)


def end(processes):
    """Wait for both; exit codes, and what they said on stderr."""
    said = [process.communicate(timeout=120)[1] for process in processes]
    return [process.returncode for process in processes], said


@pytest.mark.slow
def test_the_command_trains_with_two_processes_as_with_one(make_vit, run):
    job, whole = make_vit(), make_vit()
    command = [sys.executable, "-m", "thingsviz.commands.train", str(job.path), "--processes", "2"]
    found = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, ""), found.stderr
    assert job.status().state == "done"
    assert found.stdout.count("epoch 1: ") == 1
    assert run(whole) == (0, "")
    np.testing.assert_allclose(losses(job), losses(whole), atol=1e-5)
    one, two = whole.predictions(), job.predictions()
    np.testing.assert_allclose(two.filter(like="pred_"), one.filter(like="pred_"), atol=1e-3)
    assert (whole.manifest()["processes"], job.manifest()["processes"]) == ([1], [2])


def start_two_machines(job):
    """Start one process on each of two machines, which are two torchruns of this one."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--rdzv-backend=c10d"]
    meeting = ["--nnodes=2", f"--rdzv-endpoint=127.0.0.1:{free_port()}", "--rdzv-id=1"]
    command = [*torchrun, *meeting, "-m", "thingsviz.commands.train", str(job.path)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    return [
        subprocess.Popen(command, cwd=REPO, env=env, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]


@pytest.mark.slow
def test_begun_by_one_stopped_on_two_machines_ended_by_one(make_vit, run, monkeypatch):
    """The wish to stop reaches both between the same two batches; the losses are those of one."""
    job, whole = make_vit(epochs=24), make_vit(epochs=24)
    assert run(whole) == (0, "")
    plain = Reporter.should_stop
    with monkeypatch.context() as patch:
        patch.setattr(Reporter, "should_stop", lambda self: self.status.step >= 7 or plain(self))
        assert run(job)[0] == 0
    assert job.status().step == 7
    both = start_two_machines(job)
    wait_for(lambda: job.status().step > 10)
    job.file("stop").touch()
    codes, said = end(both)
    assert codes == [0, 0], said
    assert (job.status().state, job.file("stop").exists()) == ("stopped", False)
    assert 10 < job.status().step < 120
    assert run(job) == (0, "")
    np.testing.assert_allclose(losses(job), losses(whole), atol=1e-5)
    assert job.manifest()["processes"] == [1, 2, 1]


@pytest.mark.slow
def test_a_killed_process_ends_the_other_with_a_sentence(make_vit):
    job = make_vit(epochs=10_000)
    both = start_two("thingsviz.commands.train", str(job.path))
    wait_for(lambda: job.status().step > 3)
    both[1].kill()
    codes, said = end(both)
    words = "another of the 2 processes ended without a word (killed, or its machine is gone)"
    assert codes == [2, -9]
    assert said[0].startswith(words)
    assert (job.status().state, job.status().message) == ("failed", said[0].strip())


@pytest.mark.parametrize("word", ["0", "-1", "two", "9999"])
def test_a_wrong_number_of_processes_is_one_sentence(make_vit, capsys, word):
    assert train.main([str(make_vit().path), f"--processes={word}"]) == 2
    words = f"train: --processes is {word!r}: give how many shall share each batch, 1 or more\n"
    assert capsys.readouterr().err == words


def test_more_processes_than_trials_are_one_sentence(make_vit, capsys):
    assert train.main([str(make_vit(batch_size=2).path), "--processes", "3"]) == 2
    words = "train: 3 processes cannot share 2 trials (batch_size): start at most 2, or make"
    assert capsys.readouterr().err.startswith(words)


def test_a_linear_decoder_is_fitted_by_one_process(make_job, capsys, monkeypatch):
    monkeypatch.setattr(os, "execve", lambda *_: pytest.fail("others were started"))
    job = make_job(model={"name": "mean"}, role="candidate", study="s")
    assert train.main([str(job.path), "--processes", "2"]) == 0
    assert capsys.readouterr().err == "mean is fitted by one process: no others start\n"
    assert job.status().state == "done"


def test_processes_start_under_torchrun(make_vit, monkeypatch):
    called = []
    monkeypatch.setattr(os, "execve", lambda *arguments: called.append(arguments))
    job = make_vit()
    share.start_processes(job, 4)
    program, command, environment = called[0]
    assert program == sys.executable
    assert command[1:] == [
        *("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=4"),
        *("-m", "thingsviz.commands.train", str(job.path)),
    ]
    assert environment["PYTHONPATH"].split(os.pathsep)[0] == str(REPO)


class FakeTeam:
    """Notes what the first process says to the others."""

    def __init__(self, size=2, word=None):
        self.here, self.word, self.said = Processes(0, size, size), word, []

    def tell(self, word):
        self.said.append(word)
        return self.word or word

    def part_ways(self):
        self.said.append("parted")


def test_the_others_are_sent_away_from_what_one_process_does(make_job):
    team = FakeTeam()
    peers = Peers(team)
    job = make_job(model={"name": "ridge"})
    share.keep_helpers(Reporter(job, peers), job.config())
    why = "ridge is fitted by one process"
    assert team.said == [{"do": LEAVE, "why": why}, "parted"]
    assert (peers.n_processes, peers.call()) == (1, None)
    peers.dismiss()
    assert len(team.said) == 2


def test_the_others_are_kept_for_a_network(make_vit):
    team = FakeTeam()
    peers = Peers(team)
    job = make_vit()
    share.keep_helpers(Reporter(job, peers), job.config())
    assert peers.call() is team
    assert team.said == [{"do": FIT}]
    peers.dismiss()  # not told twice: they know that the fit is over
    assert team.said == [{"do": FIT}, "parted"]


def test_who_is_sent_away_says_why_and_writes_nothing(make_vit, capsys):
    job = make_vit()
    share.help_fit(job, FakeTeam(word={"do": LEAVE, "why": "ridge is fitted by one process"}))
    assert capsys.readouterr().err == "process 1 of 2 leaves: ridge is fitted by one process\n"
    assert sorted(path.name for path in job.path.iterdir()) == ["config.json"]


def test_a_job_that_runs_already_is_left_alone(make_vit, capfd, monkeypatch):
    job, team = make_vit(), FakeTeam()
    monkeypatch.setattr("models.training.distributed.fabric.join", lambda here: team)
    handle = try_lock(job.file("lock"))
    try:
        assert run_together(job, Processes(0, 2, 2)) == 0
    finally:
        os.close(handle)
    assert f"{job.name} is already running" in capfd.readouterr().err
    assert team.said == [{"do": LEAVE, "why": ""}, "parted"]


def test_processes_that_do_not_meet_are_one_sentence(make_vit, capfd, monkeypatch):
    def fail(here):
        msg = "The client socket has timed out after 3600000ms\nand more"
        raise RuntimeError(msg)

    monkeypatch.setattr("models.training.distributed.fabric.join", fail)
    assert run_together(make_vit(), Processes(1, 2, 2)) == 2
    assert capfd.readouterr().err == (
        "process 2 of 2 did not find the others (The client socket has timed out after "
        "3600000ms): start all of them again\n"
    )
