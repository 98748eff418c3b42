import shutil
from contextlib import closing
from functools import partial

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.figures.plain import metrics
from tests.pages.conftest import PAGES, button, labels, look
from tests.ui.made_jobs import finished_job, made_job
from thingsviz.core import json_files
from thingsviz.jobs.run_folder import RunStatus
from thingsviz.queue import submit
from thingsviz.queue.database import Queue, queue_folder
from thingsviz.queue.ticket import Ticket, write_ticket


@pytest.fixture
def page(visit):
    return partial(visit, "train.py")


def badges(app):
    return [m.value for m in app.markdown if m.value.startswith(":") and "-badge[" in m.value]


def bar(app):
    return app.get("progress")[0]


def test_a_running_job_shows_how_far_it_is_and_can_be_stopped(page, alive):
    job = made_job("busy", "running")
    alive(job)
    app = page(job="busy")
    assert bar(app).value == 60
    assert bar(app).proto.text.startswith("epoch 3 of 5 · batch 12 of 20")
    assert "Stop" in labels(app)
    assert "Resume" not in labels(app)
    button(app, "Stop").click().run()
    assert job.file("stop").is_file()
    look(app)
    assert "Stop" not in labels(app)
    assert "Resume" not in labels(app)
    assert any("stopping" in text for text in badges(app))


def test_a_process_that_died_without_a_word_can_be_resumed(page):
    made_job("dead", "running")
    app = page(job="dead")
    assert "ended without a word" in app.info[0].value
    assert "Resume" in labels(app)
    assert app.get("progress") == []


def test_a_queued_job_says_that_it_starts(page, alive):
    job = made_job("next")
    job.write_status(RunStatus("queued", message="waiting for a free slot"))
    alive(job)
    app = page(job="next")
    assert bar(app).proto.text == "waiting for a free slot"
    assert "Stop" in labels(app)


def test_a_job_in_the_line_says_on_which_place(page, monkeypatch):
    monkeypatch.setattr(submit, "tend", lambda: None)
    for submitted, name in ((1.0, "first"), (2.0, "next")):
        job, ticket = made_job(name), Ticket(owner="ana", submitted=submitted)
        job.write_status(RunStatus("queued", message="waits"))
        write_ticket(job, ticket)
        with closing(Queue(queue_folder())) as queue:
            queue.add(name, ticket)
    assert bar(page(job="first")).proto.text == (
        "number 1 in the line, starts as soon as there is room"
    )
    assert bar(page(job="next")).proto.text == "number 2 in the line, waits for those before it"


def test_a_network_without_metrics_has_no_curve_yet(page, alive):
    job = made_job("fresh", "running")
    job.file("metrics.jsonl").unlink()
    alive(job)
    assert page(job="fresh").get("plotly_chart") == []


def test_curves_grow_with_the_file(page, alive):
    job = made_job("grows", "running")
    alive(job)
    app = page(job="grows")
    before = app.get("plotly_chart")[0].proto.spec
    for row in metrics(5)[15:]:
        json_files.append_line(job.file("metrics.jsonl"), row)
    look(app)
    after = app.get("plotly_chart")[0].proto.spec
    assert len(after) > len(before)
    assert "5 epochs" in app.get("plotly_chart")[0].proto.alt


def test_a_linear_job_says_why_there_is_no_curve(page):
    made_job("line", model={"name": "ridge"})
    app = page(job="line")
    assert app.get("plotly_chart") == []
    assert any("fitted in one go" in caption.value for caption in app.caption)


def test_running_jobs_are_pointed_to_where_no_job_is_shown(page, alive):
    alive(made_job("busy", "running"))
    made_job("idle")
    app = page()
    button(app, "Watch it").click().run()
    assert not app.exception
    assert app.query_params["job"] == "busy"
    assert "Watch it" not in labels(app)


def test_a_click_in_the_list_shows_that_job(page):
    made_job("one")
    made_job("two", "failed", "out of memory")
    app = page(job="one")
    button(app, "two").click().run()
    assert app.query_params["job"] == "two"
    assert app.error[0].value == "out of memory"
    button(app, "New training").click().run()
    assert "job" not in app.query_params
    assert "Start training" in labels(app)


def test_many_jobs_are_folded_and_unfold(page):
    for k in range(11):
        made_job(f"job-{k}")
    app = page()
    assert sum(label.startswith("job-") for label in labels(app)) == 8
    app.toggle(key="w_all_jobs").set_value(True)
    look(app)
    assert sum(label.startswith("job-") for label in labels(app)) == 11


def test_the_address_turns_the_page_to_the_job_s_dataset(tiny_copy, tmp_path, monkeypatch):
    shutil.copytree(tiny_copy / "tiny", tiny_copy / "zebra")
    monkeypatch.setenv("THINGSVIZ_DATA", str(tiny_copy))
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "jobs"))
    st.cache_data.clear()
    st.cache_resource.clear()
    made_job("far", dataset="zebra")
    app = AppTest.from_file(PAGES / "train.py", default_timeout=30)
    app.query_params["job"] = "far"
    look(app)
    assert app.query_params["dataset"] == "zebra"
    assert "Resume" in labels(app)
    # the sidebar leads away from the job, and back to it
    app.sidebar.selectbox[0].set_value("tiny")
    look(app)
    assert "Start training" in labels(app)
    assert "far" not in labels(app)
    app.sidebar.selectbox[0].set_value("zebra")
    look(app)
    assert "Resume" in labels(app)


def test_a_job_of_data_that_are_not_here_is_one_sentence(page):
    made_job("lost", dataset="gone")
    app = page(job="lost")
    assert not app.warning
    assert app.info[0].value.startswith(
        "The prepared data of gone, sub-01 are not on this machine"
    )
    assert "Start training" not in labels(app)


def test_the_strip_of_a_finished_job_says_what_has_no_number(page):
    finished_job("done", targets=["nameability"])
    app = page(job="done")
    text = " ".join(m.value for m in app.markdown)
    # labels have no SD between raters: no ceiling; a constant has no correlation
    assert "noise ceiling **–**" in text
    assert "mean **–**" in text
    assert "oracle **0." in text or "oracle **1." in text
