"""Browser tests run twice at most, and too many that need it fail the run."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.flaky import MOST

REPO = Path(__file__).parents[1]
CONFTEST = "from tests.flaky import *\n"
TEST = """
from pathlib import Path
import pytest

@pytest.mark.browser
@pytest.mark.parametrize("n", range({n}))
def test_late_once(n, tmp_path_factory):
    seen = Path(__file__).with_name(f"seen-{{n}}")
    first = not seen.exists()
    seen.touch()
    assert not first

{more}
"""


def outcome(folder, n, more=""):
    """Run a folder of tests of which `n` pass only at their second run."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(TEST.format(n=n, more=more))
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    browser: a browser\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-n", "2", str(folder)]
    done = subprocess.run(
        [*command, "--rootdir", str(folder), "-c", str(folder / "pytest.ini")],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_few_late_tests_are_named_and_pass(tmp_path):
    code, said = outcome(tmp_path, MOST)
    assert code == 0, said
    assert "test_late_once[0]" in said.split("flaky: ")[1]


def test_too_many_late_tests_fail_the_run(tmp_path):
    code, said = outcome(tmp_path, MOST + 1)
    assert code == 1, said


@pytest.mark.parametrize("mark", ["@pytest.mark.browser\n", ""])
def test_what_fails_twice_has_failed(tmp_path, mark):
    code, said = outcome(tmp_path, 0, f"{mark}def test_wrong():\n    assert False\n")
    assert code == 1, said
    assert "flaky: " not in said
    assert ("1 rerun" in said) == bool(mark)
