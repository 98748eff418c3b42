"""Limits of a control group: read as the kernel writes them, and a worker that one really ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.queue.test_submit import wait_for
from tests.trainings import TINY_FIT, TINY_VIT
from thingsviz.core.locks import is_locked
from thingsviz.queue import cgroups, submit
from thingsviz.queue.ticket import ticket_for, write_ticket

MB = 2**20
ROOM = 1600 * MB
# 2.6 GB for 84 trials at once, 1.5 GB for 21 of them
LARGE = {**TINY_VIT, "embed_dim": 512, "n_layers": 6, "n_heads": 4}


def version_2(tmp_path, limits, path="/lab.slice/app.service", events="oom 1\noom_kill 3\n"):
    """Folders as version 2 has them, the outermost limit first; returns root and own."""
    folder = tmp_path
    for name, text in zip(("", *path.strip("/").split("/")), limits, strict=True):
        folder = folder / name
        folder.mkdir(exist_ok=True)
        (folder / "memory.max").write_text(f"{text}\n")
    (folder / "memory.events").write_text(f"low 0\nhigh 0\nmax 9\n{events}")
    own = tmp_path / "own"
    own.write_text(f"0::{path}\n")
    return cgroups.groups(tmp_path, own)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (("max", "max", "max"), float("inf")),
        (("max", "max", "4096"), 4096),
        (("max", "2048", "4096"), 2048),
        (("1024", "max", "max"), 1024),
    ],
)
def test_the_narrowest_limit_counts_wherever_it_stands(tmp_path, limits, expected):
    folders = version_2(tmp_path, limits)
    assert [folder.name for folder in folders] == ["app.service", "lab.slice", tmp_path.name]
    assert cgroups.limit(folders) == expected
    assert cgroups.kills(folders) == 3


def test_version_1(tmp_path):
    folder = tmp_path / "memory" / "docker" / "abc"
    folder.mkdir(parents=True)
    (folder / "memory.limit_in_bytes").write_text("1048576\n")
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    (folder / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
    own = tmp_path / "own"
    own.write_text("5:cpu:/\n4:memory:/docker/abc\n0::/\n")
    found = cgroups.groups(tmp_path, own)
    assert (cgroups.limit(found), cgroups.kills(found)) == (MB, 2)


@pytest.mark.parametrize("text", ["", "nonsense\n", "0::/not/here\n"])
def test_in_a_container_the_root_is_the_group(tmp_path, text):
    own = tmp_path / "own"
    own.write_text(text)
    (tmp_path / "memory.max").write_text("8192\n")
    found = cgroups.groups(tmp_path, own)
    assert (cgroups.limit(found), cgroups.kills(found)) == (8192, 0)


def test_without_groups_nothing_is_limited(tmp_path):
    found = cgroups.groups(tmp_path, tmp_path / "none")
    assert (cgroups.limit(found), cgroups.kills(found)) == (float("inf"), 0)


@pytest.fixture
def group():
    """A real control group with 1.6 GB, below our own; processes enter it by its file."""
    above = cgroups.groups()[0]
    folder = above / f"thingsviz-test-{os.getpid()}"
    names = {"memory.max": "cgroup.procs", "memory.limit_in_bytes": "tasks"}
    try:
        folder.mkdir()
        (limit,) = (name for name in names if (folder / name).is_file())
        (folder / limit).write_text(str(ROOM))
    except (OSError, ValueError) as error:
        if folder.is_dir():
            folder.rmdir()
        pytest.skip(f"no control group with a limit of memory can be made here: {error}")
    yield folder, folder / names[limit]
    folder.rmdir()


def supervise(job, door):
    """The command that runs a supervisor within the group, and its environment."""
    command = 'echo $$ > "$0" && exec "$@"'
    supervisor = [sys.executable, "-m", "thingsviz.commands.supervisor", str(job.path.parent)]
    words = ["/bin/sh", "-c", command, str(door), *supervisor, "--idle", "5"]
    return words, {**os.environ, "PYTHONPATH": submit.python_path()}


def test_a_worker_that_the_system_ends_is_told_what_would_fit(group, make_job):
    folder, door = group
    job = make_job(name="large", model=LARGE, fit={**TINY_FIT, "batch_size": 84})
    write_ticket(job, ticket_for(job.config(), "ada", 1.0))
    words, environment = supervise(job, door)
    ended = subprocess.run(words, env=environment, timeout=300, check=False, capture_output=True)
    assert ended.returncode == 0, ended.stderr
    assert cgroups.kills([folder]) >= 1
    status = job.status()
    assert status.state == "failed", status.message
    assert status.message.startswith("memory ran out and the system ended it: 84 trials at once ")
    assert "of 1.7 GB here; set 'Trials in memory' (micro_batch_size) to 21" in status.message
    assert Path(job.file("log.txt")).is_file()


def test_a_later_supervisor_tells_it_as_well(group, make_job):
    """Nobody has the worker's exit code then; the group's count says that memory ran out."""
    _, door = group
    job = make_job(name="large", model=LARGE, fit={**TINY_FIT, "batch_size": 84})
    write_ticket(job, ticket_for(job.config(), "ada", 1.0))
    words, environment = supervise(job, door)
    first = subprocess.Popen(words, env=environment)
    wait_for(lambda: is_locked(job.file("lock")) and not job.is_waiting())
    first.kill()
    first.wait()
    ended = subprocess.run(words, env=environment, timeout=300, check=False, capture_output=True)
    assert ended.returncode == 0, ended.stderr
    status = job.status()
    assert status.state == "failed", status.message
    assert status.message.startswith("it ended without a word while memory ran out here")
    assert "set 'Trials in memory' (micro_batch_size) to 21" in status.message
