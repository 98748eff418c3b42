"""The notebook-style example runs as it is printed, and its two ways give the same numbers."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[1]
EXAMPLE = REPO / "thingsviz" / "examples" / "compare_decoders.py"


def test_cells_are_short_and_say_what_they_do():
    cells = re.split(r"^# %%", EXAMPLE.read_text(), flags=re.MULTILINE)[1:]
    assert len(cells) >= 6
    assert all(cell.splitlines()[0].strip() for cell in cells)
    assert max(len(cell.splitlines()) for cell in cells) <= 30


@pytest.mark.slow
def test_models_alone_and_through_a_job_give_the_same_numbers(tiny, tmp_path):
    env = {**os.environ, "PYTHONPATH": str(REPO), "THINGSVIZ_DATA": str(tiny)}
    env |= {"THINGSVIZ_JOBS": str(tmp_path / "jobs"), "THINGSVIZ_THREADS": "1"}
    env |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "tiny", "1"],
        env=env,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = re.findall(r"(\w+): mean r (-?[\d.]+); largest difference .* (\S+)\n", done.stdout)
    assert [name for name, _, _ in found] == ["ridge", "transformer"]
    assert all(float(difference) < 1e-4 for _, _, difference in found), done.stdout
    assert re.search(r"mean: [+-]\d\.\d{3} \(.* to .*\), p = \d", done.stdout)
