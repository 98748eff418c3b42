"""Deleting with a way back, and cleaning up."""

import os

import pytest

from thingsviz.core.errors import JobError
from thingsviz.core.locks import try_lock
from thingsviz.jobs.job_folder import list_jobs, open_job
from thingsviz.jobs.run_folder import RunStatus
from thingsviz.queue import submit
from thingsviz.queue import trash as job_bin


@pytest.fixture(autouse=True)
def _no_supervisor(monkeypatch):
    monkeypatch.setattr(submit, "tend", lambda: None)


def test_there_and_back(make_job):
    job = make_job(name="a-b.c")
    job.write_status(RunStatus("done"))
    before = {path.name: path.read_bytes() for path in job.path.iterdir()}
    job_bin.delete(job)
    assert list_jobs() == []
    with pytest.raises(JobError, match="there is no job"):
        open_job("a-b.c")
    (one,) = job_bin.deleted()
    assert one.name == "a-b.c"
    back = job_bin.restore(one)
    after = {p.name: p.read_bytes() for p in back.path.iterdir() if p.name != "lock"}
    assert (back.name, after) == ("a-b.c", before)
    assert job_bin.deleted() == []


def test_a_taken_name_gets_a_number(make_job):
    job_bin.delete(make_job(name="same"))
    make_job(name="same")
    assert job_bin.restore(job_bin.deleted()[0]).name == "same-2"


def test_what_runs_is_not_deleted(make_job):
    job = make_job()
    handle = try_lock(job.file("lock"))
    with pytest.raises(JobError, match="runs: stop it before you delete it"):
        job_bin.delete(job)
    os.close(handle)
    assert len(list_jobs()) == 1


def test_what_waits_leaves_the_line_first(make_job):
    job = make_job()
    submit.start(job)
    job_bin.delete(job)
    back = job_bin.restore(job_bin.deleted()[0])
    assert (back.is_waiting(), back.status().state) == (False, "stopped")


def test_one_that_is_gone_already_is_one_sentence(make_job):
    one = job_bin.delete(make_job(name="gone"))
    job_bin.empty([one])
    assert job_bin.deleted() == []
    with pytest.raises(JobError, match="gone cannot be put back"):
        job_bin.restore(one)


def test_only_what_is_in_the_bin_is_emptied(make_job):
    job = make_job()
    job_bin.empty([job_bin.DeletedJob(job.name, 0.0, job.path)])
    assert job.path.is_dir()


def test_leftovers_are_states_of_jobs_that_rest(make_job):
    found = {}
    for name in ("rests", "runs", "young"):
        job = found[name] = make_job(name=name)
        job.checkpoints.mkdir()
        state = job.checkpoints / "state-00001-000002.safetensors"
        state.write_bytes(b"x" * 100)
        when = 2e9 if name == "young" else 1e9
        os.utime(state, (when, when))
        (job.checkpoints / "best.safetensors").write_bytes(b"b")
    handle = try_lock(found["runs"].file("lock"))
    (one,) = job_bin.leftovers(found.values(), before=1.5e9)
    os.close(handle)
    assert (one.name, one.n_bytes) == ("rests", 100)
    assert job_bin.clean([one]) == 100
    assert [path.name for path in found["rests"].checkpoints.iterdir()] == ["best.safetensors"]


def test_one_that_began_since_is_not_cleaned(make_job):
    job = make_job()
    job.checkpoints.mkdir()
    state = job.checkpoints / "state-00001-000002.safetensors"
    state.write_bytes(b"x")
    found = job_bin.leftovers([job], before=4e9)
    handle = try_lock(job.file("lock"))
    assert job_bin.clean(found) == 0
    os.close(handle)
    assert state.exists()


def test_size_counts_blocks_and_no_links(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 9000)
    (tmp_path / "b").symlink_to("/proc/kcore")
    assert 9000 <= job_bin.size_of(tmp_path) < 20_000
