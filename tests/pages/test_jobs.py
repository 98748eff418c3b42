"""The Jobs page in every state: what is listed, what can be done, and what comes of it."""

import os
import shutil
import sys
from contextlib import closing
from functools import partial

import pytest

from tests.figures.plain import scores
from tests.pages.conftest import labels, look, press
from tests.ui.made_jobs import finished_job, made_job
from thingsviz.core import json_files
from thingsviz.jobs.about import read_about, write_about
from thingsviz.jobs.job_folder import JobFolder, list_jobs
from thingsviz.jobs.run_folder import RunStatus
from thingsviz.queue import submit
from thingsviz.queue.database import Queue, queue_folder
from thingsviz.queue.ticket import Ticket, write_ticket
from thingsviz.studies.config import parse_study
from thingsviz.studies.study_folder import create_study
from thingsviz.ui.shell.frame import plain
from thingsviz.ui.training.form_fields import form_key


@pytest.fixture
def page(visit, monkeypatch):
    monkeypatch.setattr(submit, "tend", lambda: None)
    return partial(visit, "jobs.py")


def words(app):
    return " | ".join([*(m.value for m in app.markdown), *(c.value for c in app.caption)])


def bars(app):
    return [bar.proto.text for bar in app.get("progress")]


def test_nothing_yet(page):
    assert page().info[0].value == "There are no trainings here yet."


def test_waiting_jobs_stand_in_their_order(page):
    for name, submitted in (("late", 20.0), ("early", 10.0)):
        job, ticket = made_job(name), Ticket(owner="ana", submitted=submitted)
        job.write_status(RunStatus("queued", message="waits"))
        write_ticket(job, ticket)
        with closing(Queue(queue_folder())) as queue:
            queue.add(name, ticket)
    app = page(job="late")
    text = words(app)
    assert "number 1 in the line" in text
    assert "number 2 in the line" in text
    press(app, "Stop")
    assert JobFolder(list_jobs()[0].path.parent / "late").status().state == "stopped"


def test_a_running_job_shows_progress_and_what_it_takes(page, alive):
    job = made_job("busy", "running")
    alive(job)
    with closing(Queue(queue_folder())) as queue:
        queue.adopt("busy", "ana", 1)
        queue.update("busy", memory_mb=1234.0, cpu=0.8)
    app = page(job="busy")
    row = next(text for text in bars(app) if "CPU" in text)
    assert row.startswith("epoch 3 of 5")
    assert row.endswith("1.2 GB · 0.8 CPU")
    assert "Delete" not in labels(app)
    press(app, "Stop")
    assert job.file("stop").is_file()


def test_a_failed_job_tells_why_and_shows_its_log(page):
    made_job("bad", "failed", "the disk is full: free some")
    app = page(job="bad")
    assert [error.value for error in app.error] == ["the disk is full\\: free some"]
    assert "three epochs went well" in app.code[0].value
    assert {"Resume", "Train a variant", "Delete"} <= labels(app)


def test_resume_puts_it_into_the_line(page):
    job = made_job("half")
    press(page(job="half"), "Resume")
    assert job.status().state == "queued"
    assert job.is_waiting()


def test_a_done_job_shows_its_score_beside_ridge_and_leads_to_its_predictions(page):
    finished_job("good")
    app = page(job="good")
    row = next(caption.value for caption in app.caption if caption.value.startswith("r 0."))
    assert "ridge" in row
    assert "vit3d · tiny · SIMULATED" in words(app)
    assert {"Predictions", "Curves"} <= {link.proto.label for link in app.get("page_link")}
    assert not {"Stop", "Resume"} & labels(app)


def test_delete_and_undo(page, tiny_env):
    made_job("mine")
    app = press(page(job="mine"), "Delete")
    assert list_jobs() == []
    assert "mine is in the bin." in words(app)
    assert "job" not in app.query_params
    press(app, "Undo")
    assert [job.name for job in list_jobs()] == ["mine"]
    assert not any((tiny_env / ".bin").iterdir())


def test_the_bin_is_emptied_only_by_who_is_sure(page, tiny_env):
    made_job("mine")
    app = press(page(job="mine"), "Delete")
    assert next(b for b in app.button if b.label == "Delete for good").disabled
    next(box for box in app.checkbox).check()
    look(app)
    next(b for b in app.button if b.label.startswith("Delete 1 for good")).click()
    look(app)
    assert not any((tiny_env / ".bin").iterdir())


def test_title_tags_and_note_are_kept_and_found(page):
    job = made_job("plain-name")
    app = page(job="plain-name")
    app.text_input[0].set_value("Local, *wide*")
    app.text_input[1].set_value("paper, figure 2, paper")
    app.text_area[0].set_value("the one of Tuesday")
    press(app, "Save")
    about = read_about(job)
    assert (about.title, about.tags) == ("Local, *wide*", ("paper", "figure 2"))
    made_job("another")
    app = page()
    for search, found in (("tuesday", True), ("FIGURE wide", True), ("nothing like it", False)):
        app.text_input(key="w_jobs_text").set_value(search)
        look(app)
        assert ("Local, *wide*" in labels(app)) is found
        assert "another" not in labels(app)


def test_a_note_is_shown_as_it_was_written(page):
    note = "![x](https://example.org/x.png) <b>bold</b> :red[sure] [here](/server)"
    write_about(made_job("mine"), note=note)
    shown = [markdown.value for markdown in page(job="mine").markdown]
    assert plain(note) in shown
    assert not [value for value in shown if "![x](" in value or note in value]


def test_states_and_owners_filter(page):
    for name, state, owner in (("a", "done", "ana"), ("b", "failed", "ben"), ("c", "done", "ben")):
        write_about(made_job(name, state), owner=owner)
    app = page()
    app.selectbox(key="w_jobs_owner").select("ben")
    assert {"b", "c"} <= labels(look(app))
    assert "a" not in labels(app)
    app.get("button_group")[0].set_value(["failed"])
    assert "b" in labels(look(app))
    assert "c" not in labels(app)


def test_many_are_shown_in_parts(page):
    for number in range(23):
        made_job(f"job-{number:02d}")
    app = page()
    assert "1 to 12 of 23" in words(app)
    press(app, "Older")
    assert "13 to 23 of 23" in words(app)
    assert len([label for label in labels(app) if label.startswith("job-")]) == 11


OPENED = []
sys.addaudithook(lambda name, args: name in LOOKS_INTO and OPENED.append(str(args[0])))
LOOKS_INTO = {"open", "os.scandir", "os.listdir"}


def opened(look_once, root):
    """What a look opens below a folder."""
    OPENED.clear()
    look_once()
    return sorted(path for path in OPENED if path.startswith(str(root)))


def multiply(job, names):
    for name in names:
        shutil.copytree(job.path, job.path.parent / name)
    for path in job.path.parent.glob("[!.]*"):
        os.utime(path, (1e9, 1e9))


def test_a_look_opens_the_same_files_however_many_jobs_there_are(page, tiny_env):
    """Only the rows that are shown cost anything: neither looks nor searches read all jobs."""
    job = made_job("job", "done")
    json_files.write_sealed(job.file("scores.json"), {"rows": scores().to_dict("records")})
    multiply(job, [f"a-{i:02d}" for i in range(25)])
    app = page()
    app.text_input(key="w_jobs_text").set_value("a-")
    assert "1 to 12 of 25" in words(look(app))
    few, drawn = opened(partial(look, app), tiny_env), len(app.caption)
    multiply(job, [f"b-a-{i:03d}" for i in range(250)])
    assert "1 to 12 of 275" in words(look(app))
    assert opened(partial(look, app), tiny_env) == few
    assert len(app.caption) == drawn
    assert len(few) < 10


def test_candidates_are_folded_away(page):
    made_job("search-c0001", role="candidate", study="search")
    made_job("mine")
    app = page()
    assert "search-c0001" not in labels(app)
    app.toggle(key="w_jobs_candidates").set_value(True)
    assert "search-c0001" in labels(look(app))


def test_a_variant_fills_the_form(page):
    made_job("first", fit={"epochs": 7})
    app = page(job="first")
    next(b for b in app.button if b.label == "Train a variant").click()
    app.run()
    # a single page cannot switch to another in this harness; the form is filled before
    assert app.session_state[form_key("fit", "epochs")] == 7


def test_old_states_are_cleaned_up_and_the_rest_stays(page):
    job = made_job("old")
    job.checkpoints.mkdir()
    state = job.checkpoints / "state-00001-000001.safetensors"
    state.write_bytes(b"x" * 5000)
    os.utime(state, (1e9, 1e9))
    best = job.checkpoints / "best.safetensors"
    best.write_bytes(b"y")
    app = page()
    app.toggle(key="w_jobs_look").set_value(True)
    look(app)
    next(b for b in app.button if b.label.startswith("Delete states of 1 training")).click()
    look(app)
    assert (state.exists(), best.exists()) == (False, True)


def test_somebody_else_s_job_is_not_mine_to_stop(page, monkeypatch, alive):
    job = made_job("theirs", "running")
    write_about(job, owner="ana")
    alive(job)
    for module in ("jobs.detail", "access.ownership"):
        monkeypatch.setattr(f"thingsviz.ui.{module}.may_change", lambda owner: owner == "ben")
    app = page(job="theirs")
    stop = next(b for b in app.button if b.label == "Stop")
    assert stop.disabled
    assert "belongs to ana: ask them, or an administrator" in stop.help


@pytest.mark.parametrize("name", ["../../etc", "gone", "%00"])
def test_an_address_with_nonsense_is_one_sentence(page, name):
    made_job("here")
    app = page(job=name)
    assert len(app.warning) == 1
    assert "here" in labels(app)


def test_a_recipe_that_cannot_be_read_is_listed_with_its_fault(page):
    made_job("broken").file("config.json").write_text("{")
    app = page()
    assert "broken" in labels(app)
    assert "broken/config.json should hold a JSON object" in words(app)


def made_study(name, state, message="", **about):
    base = {"dataset": "tiny", "model": {"name": "vit3d", "tokens": "brain"}}
    recipe = {"name": name, "base": base, "n_candidates": 4}
    space = {"model.n_layers": {"kind": "int", "low": 1, "high": 2}}
    study = create_study(parse_study({**recipe, "space": space}))
    study.write_status(RunStatus(state, message=message, phase="search", started_at=1.0))
    write_about(JobFolder(study.path), **about)
    return study


def test_a_study_that_waits_is_a_row_with_its_place(page):
    study = made_study("search", "queued", owner="ana")
    ticket = Ticket(owner="ana", submitted=10.0)
    write_ticket(JobFolder(study.path), ticket)
    with closing(Queue(queue_folder())) as queue:
        queue.add(".studies/search", ticket)
    app = page()
    assert "number 1 in the line" in words(app)
    assert "study · vit3d · tiny" in words(app).replace("\\", "")
    assert "ana" in words(app)


def test_a_study_that_runs_folds_its_candidates_and_leads_to_tune(page, alive):
    study = made_study("search", "running", "candidate 3 of 4", owner="ana", title="My search")
    alive(study)
    for number, state in enumerate(("done", "failed", "stopped")):
        made_job(study.candidate_name("search", number), state, role="candidate")
    app = page()
    assert bars(app)[0].startswith("for ")
    assert "2 of 8 candidates · candidate 3 of 4" in bars(app)[0].replace("\\", "")
    (link,) = [x for x in app.get("page_link") if x.label == "My search"]
    assert link.page == "tune"
    assert "study=search" in link.proto.query_string
    assert not [b for b in app.button if "search-c" in b.label]
    app.text_input[0].set_value("ana vit3d").run()
    assert [x.label for x in app.get("page_link")] == ["My search"]


def test_a_study_that_ended_or_cannot_be_read_stays_in_the_list(page):
    made_study("over", "stopped", "stopped on request; it can be resumed")
    made_study("broken", "running").file("config.json").write_text("{}")
    app = page()
    assert "0 of 8 candidates · stopped on request" in words(app).replace("\\", "")
    assert ":red[" in words(app)
    assert len([x for x in app.get("page_link") if x.page == "tune"]) == 2
