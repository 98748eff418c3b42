"""The index of job folders: it reads what is new, and misses nothing."""

import os
import shutil

import pytest

from thingsviz.core.errors import JobError
from thingsviz.core.locks import try_lock
from thingsviz.jobs import index as index_module
from thingsviz.jobs.about import read_about, write_about
from thingsviz.jobs.index import JobIndex
from thingsviz.jobs.job_folder import create_job, jobs_root
from thingsviz.jobs.recipe import parse_config
from thingsviz.jobs.run_folder import RunStatus


@pytest.fixture
def make(tmp_path, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "jobs"))

    def one(name, state="done"):
        job = create_job(parse_config({"dataset": "/data/tiny", "name": name}))
        job.write_status(RunStatus(state))
        age(job)
        return job

    return one


def age(job, seconds=100):
    """Let the folder's last change lie further back than the clock's tick."""
    now = job.path.stat().st_mtime - seconds
    os.utime(job.path, (now, now))


def states(entries):
    return {entry.name: entry.status.state for entry in entries}


def test_only_what_has_changed_is_read(make):
    jobs = [make(f"job-{i}") for i in range(50)]
    index = JobIndex(jobs_root())
    assert len(index.refresh()) == index.n_read == 50
    index.refresh()
    assert index.n_read == 0
    jobs[7].write_status(RunStatus("failed", message="oh"))
    write_about(jobs[9], tags=("new",))
    found = index.refresh()
    assert index.n_read == 2
    assert states(found)["job-7"] == "failed"
    assert [entry.name for entry in found[:2]] in (["job-9", "job-7"], ["job-7", "job-9"])


def test_a_folder_that_comes_or_goes(make):
    first = make("first")
    index = JobIndex(jobs_root())
    assert states(index.refresh()) == {"first": "done"}
    make("second")
    assert set(states(index.refresh())) == {"first", "second"}
    assert index.n_read == 1
    shutil.rmtree(first.path)
    assert set(states(index.refresh())) == {"second"}


def test_a_death_that_changes_no_file_is_seen(make):
    job = make("job", "running")
    handle = try_lock(job.file("lock"))
    age(job)
    index = JobIndex(jobs_root())
    assert states(index.refresh()) == {"job": "running"}
    os.close(handle)
    assert states(index.refresh()) == {"job": "stopped"}
    assert index.n_read == 1


def test_two_changes_within_a_tick_of_the_clock_are_both_seen(make, monkeypatch):
    job = make("job")
    index = JobIndex(jobs_root())
    times = job.path.stat()
    index.refresh()
    job.write_status(RunStatus("failed"))
    os.utime(job.path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert states(index.refresh()) == {"job": "done"}  # so far back that it is believed
    monkeypatch.setattr(index_module, "RACY_NS", 10**15)
    assert states(index.refresh()) == {"job": "failed"}


def test_what_is_no_job_is_not_listed(make):
    make("job")
    (jobs_root() / "stray").mkdir()
    (jobs_root() / ".queue").mkdir()
    (jobs_root() / "file").touch()
    (jobs_root() / "link").symlink_to(jobs_root() / "job")
    assert set(states(JobIndex(jobs_root()).refresh())) == {"job"}


def test_no_root_no_jobs(tmp_path):
    assert JobIndex(tmp_path / "nowhere").refresh() == []


def test_a_broken_recipe_is_listed_with_its_fault(make):
    job = make("job")
    job.file("config.json").write_text('{"model": 3')
    (entry,) = JobIndex(jobs_root()).refresh()
    assert "config.json should hold a JSON object" in entry.fault


@pytest.mark.parametrize("text", ['{"model": 3, "split": []}', "{}"])
def test_odd_recipes_do_not_break_the_list(make, text):
    make("job").file("config.json").write_text(text)
    (entry,) = JobIndex(jobs_root()).refresh()
    assert (entry.name, entry.model) == ("job", "")


def test_search_looks_through_all_words(make):
    job = make("job")
    write_about(job, title="Große Reise", tags=("paper",), note="of Tuesday", owner="ana")
    (entry,) = JobIndex(jobs_root()).refresh()
    assert all(word in entry.text for word in ("grosse reise", "paper", "tuesday", "ana", "ridge"))


def test_what_people_say_is_bounded(make):
    job = make("job")
    about = write_about(job, tags=("  a   b ", "a b", ""))
    assert about.tags == ("a b",)
    with pytest.raises(JobError, match="title of job job"):
        write_about(job, title="x" * 121)
    with pytest.raises(JobError, match="more than 40 letters: put longer words into the note"):
        write_about(job, tags=("x" * 41,))
    assert read_about(job) == about
    job.file("about.json").write_text('{"owner": ["ana"]}')
    assert read_about(job).owner == ""
