"""What the quickstart and the page on decoders print runs as it stands, on the tiny dataset."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

import thingsviz as tv
from models.catalog.registered import forget
from thingsviz.commands import cli
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import parse_config

DOCS = Path(__file__).parents[1] / "docs"
QUICKSTART = (DOCS / "quickstart.md").read_text("utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Return the blocks of code of a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def demo(tiny, tiny_env, tmp_path, monkeypatch):
    """Let the tiny dataset be called `demo`, as the pages call it."""
    shutil.copytree(tiny / "tiny", tmp_path / "data" / "demo")
    monkeypatch.setenv("THINGSVIZ_DATA", str(tmp_path / "data"))
    return tiny_env


def test_the_quickstarts_python_ends_in_a_scored_job_and_a_search(demo):
    ten, search = blocks(QUICKSTART, "python")
    assert len([line for line in ten.splitlines() if line]) <= 10
    names: dict[str, object] = {}
    exec(ten + search, names)
    assert names["X"].shape == (176, 5_798)
    assert {"property", "r", "low", "high", "p", "chance", "mean", "ridge", "ceiling"} <= set(
        tv.score(names["ridge"], names["sub"], names["split"]).columns
    )
    assert names["job"].state == "done"
    assert names["search"].best_params_["n_selected_voxels"] in {2_000, 12_000}


def test_the_quickstarts_recipe_is_one():
    (recipe,) = blocks(QUICKSTART, "json")
    assert parse_config(json.loads(recipe)).model.name == "ridge"


@pytest.mark.slow
def test_the_quickstarts_commands_end_in_a_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("THINGSVIZ_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "jobs"))
    section = QUICKSTART.partition("## The same from a shell")[2]
    for line in blocks(section, "sh")[0].splitlines():
        program, *words = shlex.split(
            line.replace("--preset demo", "--preset tiny"), comments=True
        )
        assert program == "thingsviz"
        assert cli.main(words) == 0, line
    assert JobFolder(tmp_path / "jobs" / "my-ridge").is_done()
    assert (tmp_path / "ridge.html").stat().st_size > 10_000


@pytest.fixture
def _forget():
    """Leave the registry as it was."""
    yield
    forget("nearest_concept")


@pytest.mark.usefixtures("_forget")
def test_the_decoder_of_a_notebook_is_trained_and_scored(demo):
    page = (DOCS / "howto" / "add-decoder.md").read_text("utf-8")
    names: dict[str, object] = {"__name__": "__main__"}
    exec(blocks(page, "python")[0], names)
    sub = tv.load_subject("demo")
    job = tv.train(names["NearestConcept"](n_voxels=500), sub, sub.split(seed=0))
    assert job.state == "done"
    assert np.isfinite(job.scores["r"].iloc[0])
