import pandas as pd
import pytest
import streamlit as st

from tests.figures.plain import class_scores, metrics, scores
from tests.ui.made_jobs import made_job
from thingsviz.core import json_files
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.ui.caches import job_cache


@pytest.fixture
def job(tmp_path):
    st.cache_resource.clear()
    return JobFolder(tmp_path)


def write(job, rows):
    for row in rows:
        json_files.append_line(job.file("metrics.jsonl"), row)


def test_only_what_is_new_is_read(job, monkeypatch):
    rows = metrics(3)
    write(job, rows[:4])
    assert job_cache.metrics(job) == rows[:4]
    asked = []
    plain = JobFolder.metrics
    monkeypatch.setattr(
        JobFolder, "metrics", lambda self, offset: asked.append(offset) or plain(self, offset)
    )
    write(job, rows[4:])
    assert job_cache.metrics(job) == rows
    assert job_cache.metrics(job) == rows
    size = job.file("metrics.jsonl").stat().st_size
    assert 0 < asked[0] < size
    assert asked[1] == size


def test_a_line_that_is_being_written_waits_for_the_next_look(job):
    write(job, metrics(1))
    with job.file("metrics.jsonl").open("a") as file:
        file.write('{"kind": "step", "st')
        file.flush()
        assert len(job_cache.metrics(job)) == 5
        file.write('ep": 6, "epoch": 2, "train_loss": 0.5, "lr": 0.001}\n')
    assert job_cache.metrics(job)[-1]["step"] == 6


def test_a_resumed_job_that_cut_its_file_is_read_anew(job):
    write(job, metrics(3))
    assert len(job_cache.metrics(job)) == 15
    job.file("metrics.jsonl").write_text("")
    write(job, metrics(1))
    assert job_cache.metrics(job) == metrics(1)


def test_no_file_yet_is_no_row(job):
    assert job_cache.metrics(job) == []


def test_scores_are_read_again_when_the_file_changes(tiny_env):
    st.cache_resource.clear()
    job = made_job("a")
    assert job_cache.scores(job) is None
    assert job_cache.could_not_show(job) == []
    row = {"model": "vit3d", "value": 0.5}
    json_files.write_sealed(
        job.file("scores.json"), {"rows": [row], "could_not_show": ["One brain."]}
    )
    assert job_cache.scores(job)["value"].tolist() == [0.5]
    assert job_cache.could_not_show(job) == ["One brain."]


@pytest.mark.parametrize("table", [scores("vit3d"), class_scores("vit3d")])
def test_the_headline_of_a_list_is_that_of_the_whole_table(job, table, monkeypatch):
    rows = pd.concat([table, table.assign(part="exemplars", value=0.9)]).to_dict("records")
    json_files.write_sealed(job.file("scores.json"), {"rows": rows, "could_not_show": ["much"]})
    known = job_cache.headline(job, "vit3d")
    assert known == (job_cache.headline_of(job.scores(), "vit3d"), ("much",))
    assert known[0].value < 0.9
    monkeypatch.setattr(JobFolder, "score_record", None)
    assert job_cache.headline(job, "vit3d") == known


def test_scores_without_a_row_are_none(job):
    assert job_cache.headline(job, "vit3d") == (None, ())
    json_files.write_sealed(job.file("scores.json"), {"rows": [], "could_not_show": ["much"]})
    assert job_cache.headline(job, "vit3d") == (None, ("much",))
    assert job.scores() is None
