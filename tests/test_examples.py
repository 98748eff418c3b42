"""Every example runs as it is printed, within a minute, and says what it promises."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[1]
FOLDER = REPO / "examples"
NAMES = sorted(path.name for path in FOLDER.glob("*.py"))
LIMIT_S = 60


@pytest.fixture
def run(tiny, tmp_path):
    """Run an example from another folder, on the tiny dataset."""
    env = {**os.environ, "PYTHONPATH": str(REPO), "THINGSVIZ_DATA": str(tiny)}
    env |= {"THINGSVIZ_JOBS": str(tmp_path / "jobs"), "THINGSVIZ_THREADS": "1"}
    env |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

    def call(name, *arguments):
        done = subprocess.run(
            [sys.executable, str(FOLDER / name), *map(str, arguments)],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=4 * LIMIT_S,  # a busy machine
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def test_no_example_is_without_a_test():
    assert NAMES == ["compare_decoders.py", "quickstart.py", "simulate.py", "where_is_it.py"]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "quickstart.py"])
def test_cells_are_short_and_say_what_they_do(name):
    cells = re.split(r"^# %%", (FOLDER / name).read_text(), flags=re.MULTILINE)[1:]
    assert len(cells) >= 3
    assert all(cell.splitlines()[0].strip() for cell in cells)
    assert max(len(cell.splitlines()) for cell in cells) <= 30


def test_the_readme_prints_the_quickstart():
    text = (FOLDER / "quickstart.py").read_text()
    lines = text.partition('"""\n\n')[2].replace(
        'sys.argv[1] if len(sys.argv) > 1 else "data/quickstart"', '"data/quickstart"'
    )
    lines = lines.removeprefix("import sys\n\n")
    assert len([line for line in lines.splitlines() if line]) <= 10
    assert f"```python\n{lines}```" in (REPO / "README.md").read_text()


@pytest.mark.slow
def test_the_quickstart_ends_in_a_scored_decoder(run, tmp_path):
    text = run("quickstart.py", tmp_path / "new")
    assert text.startswith("Subject('new/sub-01': 176 trials")
    for column in ("property", "r", "low", "high", "chance", "ridge", "ceiling", "oracle"):
        assert re.search(rf"\b{column}\b", text), column
    assert re.search(r"\bmanmade +-?\d\.\d\d", text)


@pytest.mark.slow
def test_a_simulation_has_signal_where_it_was_planted(run, tmp_path):
    text = run("simulate.py", tmp_path / "new")
    found = dict(re.findall(r"^(signal|no signal): r (-?[\d.]+)", text, re.MULTILINE))
    assert float(found["signal"]) > float(found["no signal"])
    assert (tmp_path / "new" / "trial.html").is_file()


@pytest.mark.slow
def test_three_maps_name_their_regions(run):
    text = run("where_is_it.py", "tiny")
    assert len(re.findall(r"^Map\('where-is-it': ", text, re.MULTILINE)) == 3
    assert text.count("enrichment") == 3


@pytest.mark.slow
def test_models_alone_and_through_a_job_give_the_same_numbers(run):
    text = run("compare_decoders.py", "tiny", 1)
    found = re.findall(r"(\w+): mean r (-?[\d.]+); largest difference .* (\S+)\n", text)
    assert [name for name, _, _ in found] == ["ridge", "transformer"]
    assert all(float(difference) < 1e-3 for _, _, difference in found), text
    assert re.search(r"mean: [+-]\d\.\d{3} \(.* to .*\), p = \d", text)
    assert "best weights" in text
