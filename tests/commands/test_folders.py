"""A job or dataset is found by its name or its path; what is here goes before what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from thingsviz.commands.folders import dataset_path, job_path


@pytest.mark.parametrize(
    ("find", "setting"), [(job_path, "THINGSVIZ_JOBS"), (dataset_path, "THINGSVIZ_DATA")]
)
def test_a_name_a_path_and_which_comes_first(find, setting, tmp_path, monkeypatch):
    root, here = tmp_path / "root", tmp_path / "here"
    (root / "mine").mkdir(parents=True)
    here.mkdir()
    monkeypatch.setenv(setting, str(root))
    monkeypatch.chdir(here)
    assert find(Path("mine")) == root / "mine"
    assert find(Path("./sub/mine")) == Path("sub/mine")
    assert find(Path("nowhere")) == Path("nowhere")
    (here / "mine").mkdir()
    assert find(Path("mine")) == Path("mine")
