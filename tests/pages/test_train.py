import json
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.ui.made_jobs import finished_job, made_job
from thingsviz.jobs.job_folder import list_jobs, open_job
from thingsviz.queue import submit
from thingsviz.ui.shell.ui_state import Key
from thingsviz.ui.training.form_fields import form_key

PAGE = Path(__file__).parents[2] / "pages" / "train.py"


@pytest.fixture
def started(monkeypatch):
    """Names of jobs that the page started; nothing really runs."""
    names = []
    monkeypatch.setattr(submit, "start", lambda job, config=None: names.append(job.name))
    return names


@pytest.fixture
def page(tiny_env, started):
    """The Train page of the dataset `tiny`, at an address."""

    # what earlier tests of this process saw in other folders
    st.cache_data.clear()
    st.cache_resource.clear()

    def visit(state=None, **query) -> AppTest:
        app = AppTest.from_file(PAGE, default_timeout=30)
        for name, value in (state or {}).items():
            app.session_state[name] = value
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception, app.exception
        return app

    return visit


def button(app, label):
    return next(b for b in app.button if b.label == label)


def words(app):
    return [*(m.value for m in app.markdown), *(c.value for c in app.caption)]


def test_a_first_visit_shows_the_form_and_no_job(page):
    app = page()
    assert app.title[0].value == "Train"
    assert not button(app, "Start training").disabled
    assert any("None yet." in text for text in words(app))
    assert any("Of 8 test concepts the training saw **0**" in text for text in words(app))
    assert any("when nothing else runs" in text for text in words(app))


def test_a_click_makes_the_job_that_the_form_says(page, started):
    app = page()
    app.number_input(key=form_key("fit", "epochs")).set_value(2)
    app.text_input(key=form_key("name")).set_value("mine")
    app.number_input(key=form_key("seed")).set_value(5).run()
    button(app, "Start training").click().run()
    assert not app.exception
    assert started == ["mine"]
    config = open_job("mine").config()
    assert (config.dataset, config.subject, config.seed) == ("tiny", "sub-01", 5)
    assert (config.fit.epochs, config.fit.seed, config.split.seed) == (2, 5, 5)
    assert config.model.patch_embedding == "local"
    assert app.query_params["job"] == "mine"


def test_the_job_of_the_address_is_found_again(page):
    made_job("earlier")
    app = page(job="earlier")
    assert any(box.value == "earlier" for box in app.subheader)
    assert {"Resume", "New training", "Train a variant"} <= {b.label for b in app.button}
    assert app.get("plotly_chart")


@pytest.mark.parametrize("name", ["../../etc", "nothing-here", "a" * 200, "%00", "."])
def test_an_address_with_nonsense_is_one_sentence(page, name):
    app = page(job=name)
    assert len(app.warning) == 1
    assert not button(app, "Start training").disabled


def test_a_failed_job_shows_its_sentence_and_its_log(page):
    made_job("bad", "failed", "the disk is full: free some space")
    app = page(job="bad")
    assert [e.value for e in app.error] == ["the disk is full\\: free some space"]
    assert any("three epochs went well" in code.value for code in app.code)


def test_resume_starts_the_same_folder_again(page, started):
    made_job("half")
    app = page(job="half")
    button(app, "Resume").click().run()
    assert started == ["half"]
    assert [job.name for job in list_jobs()] == ["half"]


def test_a_variant_opens_the_form_with_the_job_s_settings(page):
    fit = {"epochs": 7, "loss": "huber", "huber_delta": 0.5}
    made_job("first", fit=fit, split={"kind": "session"}, seed=9)
    app = page(job="first")
    button(app, "Train a variant").click().run()
    assert app.number_input(key=form_key("fit", "epochs")).value == 7
    assert app.number_input(key=form_key("fit", "huber_delta")).value == 0.5
    assert app.number_input(key=form_key("seed")).value == 9
    assert app.selectbox(key=form_key("question", "kind")).value == "session"
    assert "job" not in app.query_params


def test_a_finished_job_has_the_whole_strip(page):
    finished_job("done")
    app = page(job="done")
    assert [m.label for m in app.metric] == ["Pearson r, mean over properties"]
    text = " ".join(words(app))
    for part in ("95 % interval", "permutation p", "chance", "ridge", "noise ceiling", "oracle"):
        assert part in text
    assert "What this could not show" in text


def test_presets_fill_the_form(page):
    app = page()
    app.selectbox(key=str(Key.W_PRESET)).select("Original study: ViT3D").run()
    told = next(t for t in words(app) if t.startswith("The original study's transformer (patch"))
    assert "Here\\: about " in told
    assert "an epoch)." in told
    assert not app.exception
    assert app.selectbox(key=form_key("question", "kind")).value == "trial"
    assert app.number_input(key=form_key("model.vit3d", "embed_dim")).value == 512
    app.selectbox(key=str(Key.W_PRESET)).select("Ridge").run()
    assert app.selectbox(key=form_key("model")).value == "ridge"
    button(app, "Start training").click().run()
    assert list_jobs()[0].config().model.name == "ridge"


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        (("model.vit3d", "n_heads"), 5, "does not divide embed_dim"),
        (("fit", "micro_batch_size"), 128, "is larger than batch_size"),
        (("name",), "a/b", "cannot be a folder"),
    ],
)
def test_a_setting_that_cannot_work_is_one_sentence_and_nothing_is_lost(
    page, key, value, sentence
):
    app = page()
    app.number_input(key=form_key("fit", "epochs")).set_value(77)
    app.session_state[form_key(*key)] = value
    app.run()
    assert not app.exception
    assert len(app.error) == 1
    assert sentence in app.error[0].value.replace("\\", "")
    assert button(app, "Start training").disabled
    assert app.number_input(key=form_key("fit", "epochs")).value == 77
    assert list_jobs() == []


@pytest.mark.parametrize(
    ("patch", "sentence"),
    [("7 × 7", "should be three whole numbers"), ("7 × 7 × 5", "does not divide")],
)
def test_a_patch_size_that_cannot_work_is_one_sentence(page, patch, sentence):
    state = {form_key("model"): "vit3d", form_key("model.vit3d", "patch_size"): patch}
    app = page(state)
    assert [sentence in error.value.replace("\\", "") for error in app.error] == [True]
    assert button(app, "Start training").disabled


def test_a_recipe_that_cannot_be_read_does_not_break_the_list(page):
    made_job("good")
    broken = made_job("broken")
    broken.file("config.json").write_text(json.dumps({"dataset": "tiny", "colour": "red"}))
    app = page()
    assert "good" in [b.label for b in app.button]
    assert "broken" not in [b.label for b in app.button]
    assert any("cannot be read" in text and "broken" in text for text in words(app))
    assert "colour is not a setting" in page(job="broken").warning[0].value
