import subprocess
import sys

import pytest

from thingsviz.core.locks import is_locked, passing_lock

HOLD = """
import sys, pathlib
from thingsviz.core.locks import passing_lock
with passing_lock(pathlib.Path(sys.argv[1])) as won:
    print(won, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock until told to go."""
    path = tmp_path / "lock"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "True\n"
    yield path, process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_the_second_does_not_get_it(tmp_path):
    path = tmp_path / "lock"
    with passing_lock(path) as first, passing_lock(path) as second:
        assert first
        assert not second
        assert is_locked(path)
    assert not is_locked(path)


def test_nothing_is_left(tmp_path):
    with passing_lock(tmp_path / "lock"):
        pass
    assert not list(tmp_path.iterdir())


def test_another_process_keeps_us_out_until_it_ends(other):
    path, process = other
    assert is_locked(path)
    with passing_lock(path) as won:
        assert not won
    process.communicate("go\n")
    with passing_lock(path) as won:
        assert won


def test_a_killed_holder_frees_it(other):
    path, process = other
    process.kill()
    process.wait()
    assert not is_locked(path)
    with passing_lock(path) as won:
        assert won


def test_an_error_inside_frees_it(tmp_path):
    with pytest.raises(RuntimeError), passing_lock(tmp_path / "lock"):
        raise RuntimeError
    with passing_lock(tmp_path / "lock") as won:
        assert won
