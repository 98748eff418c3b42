"""Jobs that travel, on the Jobs page: out as zip and report, in from elsewhere, or not."""

import io
import zipfile

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import PAGES, look
from tests.ui.made_jobs import finished_job, made_job
from thingsviz.core.users import os_user
from thingsviz.explain.map_files import MapSet
from thingsviz.jobs.about import read_about
from thingsviz.jobs.arrays import write_arrays
from thingsviz.jobs.job_folder import list_jobs, open_job
from thingsviz.jobs.run_folder import RunStatus
from thingsviz.queue import audit_log, submit
from thingsviz.ui.jobs.import_export import zip_of


@pytest.fixture
def visit(tiny_env, monkeypatch):
    st.cache_data.clear()
    st.cache_resource.clear()
    monkeypatch.setattr(submit, "tend", lambda: None)

    def open_page(page="jobs", **asked) -> AppTest:
        app = AppTest.from_file(PAGES / f"{page}.py", default_timeout=60)
        for name, value in asked.items():
            app.query_params[name] = value
        return look(app)

    return open_page


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Another machine: no jobs, no data."""

    def go():
        for name in ("jobs", "data"):
            (tmp_path / "elsewhere" / name).mkdir(parents=True)
            variable = f"THINGSVIZ_{name.upper()}"
            monkeypatch.setenv(variable, str(tmp_path / "elsewhere" / name))
        st.cache_data.clear()
        st.cache_resource.clear()

    return go


def bring(app, content, name="good.zip"):
    app.file_uploader(key="w_jobs_file").upload(name, content, "application/zip")
    next(b for b in app.button if b.label == "Open it here").click()
    return look(app)


def words(app):
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error)
    return " | ".join(element.value for kind in kinds for element in kind)


def downloads(app):
    return {b.proto.label for b in app.get("download_button")}


def test_a_zip_goes_out_and_opens_elsewhere(visit, elsewhere):
    finished_job("good")
    assert {"Take it elsewhere", "Report (HTML)"} <= downloads(visit(job="good"))
    content = zip_of(open_job("good"))
    elsewhere()
    app = bring(visit(), content)
    assert [job.name for job in list_jobs()] == ["good"]
    assert read_about(open_job("good")).owner == os_user()
    assert "Brought in from good in good.zip" in words(app).replace("\\", "")
    assert audit_log.latest()[0][3:] == ("import job", "good")
    assert "are not on this machine" in words(app)
    again = bring(app, content)
    assert "holds a job named 'good', and one of that name is here" in words(again)
    assert len(list_jobs()) == 1


def test_maps_and_kept_epochs_go_along_when_they_are_chosen(visit):
    job = finished_job("good")
    key = "w_jobs_more_good"
    assert key not in [group.key for group in visit(job="good").button_group]
    MapSet(job, "test").save("attention", np.ones(400_000), "x")
    job.checkpoints.mkdir(exist_ok=True)
    write_arrays(job.checkpoints / "epoch-00001.safetensors", {"w": np.ones(2)})
    app = visit(job="good")
    more = app.button_group(key=key)
    assert more.options == ["maps, 2 MB", "kept epochs, less than 1 MB"]
    assert more.value == []
    more.select("maps, 2 MB")
    assert look(app).button_group(key=key).value == ["maps, 2 MB"]
    with zipfile.ZipFile(io.BytesIO(zip_of(job, ("maps",)))) as found:
        assert "maps/test--all/attention.safetensors" in found.namelist()
        assert "checkpoints/epoch-00001.safetensors" not in found.namelist()


def test_what_is_no_job_is_one_sentence(visit):
    app = bring(visit(), b"not a zip", "photo.zip")
    assert [e.value for e in app.error] == [
        "photo.zip cannot be read as a zip (File is not a zip file)\\: export the job again"
    ]
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as bundle:
        bundle.writestr("../../evil.sh", "x")
    assert "'../../evil.sh' is none of its files" in words(bring(app, box.getvalue()))
    assert not list_jobs()


def test_without_a_file_nothing_happens(visit):
    app = visit()
    next(b for b in app.button if b.label == "Open it here").click()
    assert "Choose the zip of a job first." in words(look(app))


def test_who_may_only_look_is_told_whom_to_ask(visit, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_ACCESS", "open")
    monkeypatch.setenv("THINGSVIZ_OPEN_ROLE", "look")
    made_job("half")
    app = visit(job="half")
    assert not app.file_uploader
    assert "ask the administrator for the role" in words(app)
    assert all(b.disabled for b in app.button if b.label in {"Resume", "Delete"})


def test_a_job_that_waits_stays(visit):
    made_job("waits").write_status(RunStatus("stopped"))
    submit.start(open_job("waits"))
    assert "Take it elsewhere" not in downloads(visit(job="waits"))
