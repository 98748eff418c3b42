"""Jobs of data that are not here: their pages show what the jobs know, and say what is missing."""

import io
import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.ui.made_jobs import finished_job
from thingsviz.core import json_files
from thingsviz.jobs.job_folder import jobs_root, open_job
from thingsviz.reports.bundle import import_job
from thingsviz.ui.jobs.import_export import zip_of

PAGES = Path(__file__).parents[2] / "pages"
MISSING = "The prepared data of tiny, sub-01 are not on this machine"


@pytest.fixture(scope="module")
def zips(tiny, tmp_path_factory):
    """Two finished jobs as zips, made where the data are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINGSVIZ_DATA", str(tiny))
        patch.setenv("THINGSVIZ_JOBS", str(tmp_path_factory.mktemp("home")))
        patch.delenv("THINGSVIZ_DERIVATIVES", raising=False)
        patch.setattr("thingsviz.analysis.scores.resampling.N_DRAWS", 60)
        for job in (finished_job("sharp", share=0.8), finished_job("blunt", share=0.1, seed=1)):
            json_files.write_sealed(job.file("manifest.json"), {"simulated": True})
        return [zip_of(open_job(name)) for name in ("sharp", "blunt")]


@pytest.fixture
def elsewhere(zips, tmp_path, monkeypatch):
    """A machine with the two jobs and no data at all."""
    monkeypatch.setenv("THINGSVIZ_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "jobs"))
    monkeypatch.delenv("THINGSVIZ_DERIVATIVES", raising=False)
    monkeypatch.setattr("thingsviz.analysis.scores.resampling.N_DRAWS", 60)
    st.cache_data.clear()
    st.cache_resource.clear()
    for content in zips:
        import_job(io.BytesIO(content), "sent.zip")

    def visit(page, **asked) -> AppTest:
        app = AppTest.from_file(PAGES / f"{page}.py", default_timeout=60)
        for name, value in asked.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception, app.exception
        assert not app.error, [e.value for e in app.error]
        return app

    return visit


def infos(app):
    return " | ".join(info.value for info in app.info)


def subheaders(app):
    return [head.value for head in app.subheader]


def charts(app):
    return len(app.get("plotly_chart"))


def test_predictions_are_shown_without_pictures(elsewhere):
    app = elsewhere("predictions", job="sharp")
    assert MISSING in infos(app)
    assert app.selectbox(key="w_dataset").options == ["tiny"]
    assert {"Each property", "Single trials", "What 'confidence' says"} <= set(subheaders(app))
    assert charts(app) >= 4  # strip, properties, scatter, a trial's bars
    assert not app.get("imgs")
    assert "SIMULATED" in str([b.proto.body for b in app.get("markdown")])


def test_two_are_compared(elsewhere):
    app = elsewhere("compare", jobs="sharp,blunt")
    assert MISSING in infos(app)
    assert "Where one is right and the other wrong" in subheaders(app)
    assert charts(app) >= 5
    links = [link.proto.label for link in app.get("page_link")]
    assert not any("ses-" in label for label in links)


def test_a_training_is_shown_and_none_can_start(elsewhere):
    app = elsewhere("train", job="sharp")
    assert MISSING in infos(app)
    assert "sharp" in subheaders(app)
    variant = next(b for b in app.button if b.label == "Train a variant")
    assert variant.disabled
    app = elsewhere("train")
    assert "Start training" not in {b.label for b in app.button}
    assert {"sharp", "blunt"} <= {b.label for b in app.button}


@pytest.mark.parametrize("page", ["trials", "attention", "tune"])
def test_pages_that_need_data_send_home(elsewhere, page):
    assert "There are no data here yet" in infos(elsewhere(page, job="sharp"))


def test_data_that_came_later_are_used(elsewhere, tiny, monkeypatch, tmp_path):
    assert jobs_root().is_dir()
    shutil.copytree(tiny, tmp_path / "none")
    st.cache_data.clear()
    app = elsewhere("predictions", job="sharp")
    assert MISSING not in infos(app)
