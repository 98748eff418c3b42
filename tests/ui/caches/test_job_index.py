"""The jobs of one subject, taken from the index: as the recipes themselves say, none read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ui.made_jobs import made_job
from thingsviz.jobs.job_folder import JobFolder, list_jobs
from thingsviz.ui.caches import job_index


def test_jobs_of_a_subject_are_those_whose_recipes_say_so(tiny_env, monkeypatch):
    for name, subject in (("a", "sub-01"), ("b", "sub-02"), ("c", "sub-01")):
        _change(made_job(name), subject=subject)
    jobs = list_jobs()
    plain = [
        job.name
        for job in jobs
        if (Path(job.config().dataset).name, job.config().subject) == ("tiny", "sub-01")
    ]
    monkeypatch.setattr(JobFolder, "config", lambda job: pytest.fail("a recipe was read"))
    found = job_index.of_data(jobs, "tiny", "sub-01")
    assert [entry.name for entry in found] == plain
    assert sorted(plain) == ["a", "c"]
    assert job_index.of_data(jobs, "tiny", "sub-03") == []


def test_a_dataset_named_by_its_path_and_a_subject_left_out_count(tiny_env):
    job = made_job("far")
    recipe = json.loads(job.file("config.json").read_text())
    recipe = {"dataset": "/somewhere/else/tiny", "model": recipe["model"]}
    job.file("config.json").write_text(json.dumps(recipe))
    assert [e.name for e in job_index.of_data([job], "tiny", job.config().subject)] == ["far"]


def test_the_order_is_kept_and_a_job_that_is_gone_is_left_out(tiny_env):
    jobs = [made_job(name) for name in ("one", "two", "three")]
    wanted = [jobs[2], JobFolder(jobs[0].path.parent / "gone"), jobs[0]]
    assert [entry.name for entry in job_index.entries_of(wanted)] == ["three", "one"]


def test_a_recipe_that_says_too_little_is_unreadable(tiny_env):
    good, torn, bare = (made_job(name) for name in ("good", "torn", "bare"))
    good.file("config.json").write_text('{"dataset": "tiny"}')
    assert good.config().model.name == "ridge"
    torn.file("config.json").write_text("{")
    bare.file("config.json").write_text('{"dataset": "tiny", "model": {}}')
    found = {e.name: job_index.unreadable(e) for e in job_index.entries_of([good, torn, bare])}
    assert found == {"good": False, "torn": True, "bare": True}


def _change(job: JobFolder, **settings: str) -> None:
    recipe = json.loads(job.file("config.json").read_text())
    recipe.pop("crc32", None)
    job.file("config.json").write_text(json.dumps({**recipe, **settings}))
