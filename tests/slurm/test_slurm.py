"""Trainings on a real SLURM: the same command, the same folder, whatever SLURM does with them."""

import os
import signal
from contextlib import closing

import pytest

from tests.commands.test_supervisor import supervisors
from tests.pipeline.test_resume import essence
from tests.queue.test_submit import wait_for, wait_for_end
from thingsviz.commands import train
from thingsviz.queue import reporter, sbatch, submit
from thingsviz.queue.database import Queue, queue_folder

CANDIDATE = {"role": "candidate", "study": "s"}  # ends with its validation: no test part to score


@pytest.fixture
def cluster(slurm, tiny_env, monkeypatch):
    """Trainings go to SLURM, each takes the whole node."""
    monkeypatch.setenv("THINGSVIZ_ENGINE", "slurm")
    monkeypatch.setenv("SLURM_CONF", slurm.env["SLURM_CONF"])
    monkeypatch.setenv("THINGSVIZ_SLURM", f"partition=low cpus-per-task={slurm.cpus}")
    yield slurm
    slurm.call("scancel", "--full", "-u", "root")
    for pid in supervisors(tiny_env):
        os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not listed(slurm), 30)


def listed(slurm):
    return slurm.call("squeue", "-h", "-o", "%T %j").splitlines()


def fill(slurm, seconds):
    """Take the node with a job that pushes all others back into the line."""
    cpus = f"--cpus-per-task={slurm.cpus}"
    order = ["sbatch", "-p", "high", cpus, "-o", "/dev/null", "-J", "first"]
    slurm.call(*order, "--wrap", f"sleep {seconds}")


def row(name):
    with closing(Queue(queue_folder())) as queue:
        return next((row for row in queue.rows() if row.name == name), None)


def test_preempted_requeued_and_resumed_it_ends_as_if_nothing_had_been(
    cluster, make_vit, make_job, tiny_env, monkeypatch
):
    job = make_vit(epochs=60)
    submit.start(job)
    wait_for(lambda: job.status().step > 8)
    assert [line.split()[0] for line in listed(cluster)] == ["RUNNING"]
    assert f"RUNNING {sbatch.cluster_name(job)}" in listed(cluster)
    fill(cluster, 1)
    wait_for(lambda: job.status().state == "queued")
    at = job.status().step
    assert "SLURM has put it back into its line" in job.status().message
    assert job.is_alive()
    # The supervisor dies meanwhile; the next one finds the job in SLURM again
    for pid in supervisors(tiny_env):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not supervisors(tiny_env))
    wait_for(lambda: submit.is_alive(job) and job.status().step > at)
    assert job.status().state == "running"
    submit.stop(job)
    status = wait_for_end(job)
    assert status.state == "stopped", job.log_tail()
    assert len(job.manifest()["starts"]) == 2
    assert "DUE TO PREEMPTION" in job.file("log.txt").read_text()
    wait_for(lambda: row("vit") is None)
    steps = [line["step"] for line in essence(job) if line["kind"] == "step"]
    assert steps == list(range(1, steps[-1] + 1))
    # The same rows as a run of this process that nobody disturbed
    whole = make_vit(epochs=60)
    monkeypatch.setattr(
        reporter.Reporter, "should_stop", lambda self: self.status.step > steps[-1]
    )
    assert train.main([str(whole.path)]) == 0
    assert essence(whole)[: len(essence(job))] == essence(job)


def test_what_waits_says_why_and_can_be_cancelled(cluster, make_job):
    fill(cluster, 60)
    jobs = [make_job(model={"name": "mean"}, name=name) for name in ("stopped", "cancelled")]
    for job in jobs:
        submit.start(job)
    wait_for(lambda: all("waits in SLURM (" in job.status().message for job in jobs))
    assert len(listed(cluster)) == 3
    submit.stop(jobs[0])
    assert jobs[0].status().state == "stopping"
    assert wait_for_end(jobs[0]).state == "stopped"
    cluster.call("scancel", row("cancelled").cluster_id)
    status = wait_for_end(jobs[1])
    assert status.state == "failed"
    assert status.message.startswith("SLURM has ended it before it began")
    assert len(listed(cluster)) == 1


def test_it_runs_to_its_end_with_its_log_in_its_folder(cluster, make_job, tiny):
    job = make_job(model={"name": "mean"}, **CANDIDATE)
    submit.start(job)
    submit.start(job)
    assert wait_for_end(job).state == "done", job.log_tail()
    assert "done in" in job.log_tail()
    assert len(job.manifest()["starts"]) == 1
    assert job.file("lock").read_text().startswith("slurm ")


def test_two_tasks_train_one_network(cluster, make_vit, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_SLURM", "partition=low ntasks=2")
    job = make_vit()
    submit.start(job)
    assert wait_for_end(job).state == "done", job.log_tail()
    assert job.manifest()["processes"] == [2]
    whole = make_vit()
    assert train.main([str(whole.path)]) == 0
    for one, two in zip(essence(whole), essence(job), strict=True):
        assert two["train_loss"] == pytest.approx(one["train_loss"], abs=1e-5)


def test_a_refusal_is_passed_on_in_slurm_s_own_words(cluster, make_job, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_SLURM", "partition=nowhere")
    job = make_job()
    submit.start(job)
    status = wait_for_end(job)
    assert status.state == "failed"
    assert "SLURM refused it: error: " in status.message
    assert "partition" in status.message


def test_a_job_of_another_root_has_another_name(make_job, tmp_path):
    job = make_job(name="x")
    assert sbatch.cluster_name(job) != sbatch.cluster_name(type(job)(tmp_path / "x"))
