import time
from pathlib import Path

import optuna
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.ui.made_jobs import finished_job, made_job
from thingsviz.core import json_files
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.run_folder import RunStatus
from thingsviz.studies.config import parse_study
from thingsviz.studies.records import StudyRecords, phases_of, work
from thingsviz.studies.space import suggest
from thingsviz.studies.storage import open_storage
from thingsviz.studies.study_folder import create_study, open_study
from thingsviz.ui.training.form_fields import form_key

PAGE = Path(__file__).parents[2] / "pages" / "tune.py"
SPACE = {
    "model.score_power": {"kind": "float", "low": 0, "high": 2},
    "model.n_selected_voxels": {"kind": "int", "low": 100, "high": 4000, "log": True},
}


@pytest.fixture
def started(monkeypatch):
    """Names of studies that the page started; nothing really runs."""
    names = []
    monkeypatch.setattr("thingsviz.ui.actions.start_study", lambda f: names.append(f.name))
    return names


@pytest.fixture
def page(tiny_env, started):
    st.cache_data.clear()
    st.cache_resource.clear()

    def visit(**query) -> AppTest:
        app = AppTest.from_file(PAGE, default_timeout=60)
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


def made_study(name="s", state="stopped", n=6, **more):
    """A study whose candidates were told without training anything."""
    data = {"name": name, "base": {"dataset": "tiny"}, "space": SPACE, "n_candidates": n, **more}
    folder = create_study(parse_study(data))

    def tell(records, claimed):
        values = suggest(claimed.trial, records.config.space)
        json_files.write_sealed(claimed.job.file("config.json"), {"role": "candidate"})
        records.complete(claimed, 0.3 - (values["model.score_power"] - 1) ** 2, 2.0)

    for phase in phases_of(folder.config()):
        records = StudyRecords(folder, folder.config(), phase, open_storage(folder))
        records.plan()
        work(records, tell, lambda: None)
    folder.write_status(
        RunStatus(state, message="stopped on request", phase="search", started_at=time.time() - 90)
    )
    return folder


def test_a_first_visit_explains_itself_and_offers_a_space(page):
    app = page()
    assert app.title[0].value == "Tune"
    assert any(text.startswith("A study trains many candidates") for text in words(app))
    assert any(m.value == "**Layers**" and "`model.n_layers`" in m.help for m in app.markdown)
    another = app.selectbox(key=form_key("tune", "another"))
    assert {"Dropout", "Learning rate"} & {*another.options} == {"Dropout"}
    assert any("**12** candidates, **12** of the random search" in text for text in words(app))
    assert any(text.startswith("None yet.") for text in words(app))
    assert not button(app, "Start study").disabled


def test_a_click_makes_the_study_that_the_form_says(page, started):
    app = page()
    app.selectbox(key=form_key("tune", "base")).set_value("report").run()
    app.text_input(key=form_key("tune", "row", "1", "text")).set_value("2 to 4")
    app.number_input(key=form_key("tune", "n")).set_value(5)
    app.selectbox(key=form_key("tune", "pruner")).set_value("median")
    app.checkbox(key=form_key("tune", "controls")).set_value(False)
    app.text_input(key=form_key("tune", "name")).set_value("mine").run()
    button(app, "Start study").click().run()
    assert not app.exception
    assert started == ["mine"]
    config = open_study("mine").config()
    assert list(config.space) == ["model.embed_dim", "model.n_layers", "fit.learning_rate"]
    assert config.space["model.embed_dim"].options == (256, 512, 768)
    assert (config.space["model.n_layers"].low, config.space["model.n_layers"].high) == (2, 4)
    assert (config.n_candidates, config.pruner, config.controls) == (5, "median", ())
    assert config.base.split.kind == "trial"
    assert app.query_params["study"] == "mine"


def test_rows_are_removed_and_added(page, started):
    app = page()
    app.selectbox(key=form_key("tune", "base")).set_value("ridge").run()
    assert [b.label for b in app.button].count("Remove") == 2
    app.button(key="w_tune_remove_1").click().run()
    app.selectbox(key=form_key("tune", "another")).set_value("model.n_alphas").run()
    button(app, "Add it").click().run()
    app.text_input(key=form_key("tune", "name")).set_value("rows").run()
    button(app, "Start study").click().run()
    assert list(open_study("rows").config().space) == ["model.score_power", "model.n_alphas"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("3 until 4", "'3 until 4' is not a range: write it as '3 to 8'"),
        ("1.5 to 3", "is not a range"),
        ("4 to 2", "the range 4 to 2 goes down: swap its ends"),
        ("0 to 99", "cannot be 99"),
    ],
)
def test_what_cannot_work_is_one_sentence_and_no_start(page, text, sentence):
    app = page()
    app.text_input(key=form_key("tune", "row", "1", "text")).set_value(text).run()
    assert len(app.error) == 1
    assert sentence in app.error[0].value.replace("\\", "")
    assert button(app, "Start study").disabled


def test_an_earlier_training_can_be_the_base(page, started):
    made_job("mother", "done", seed=9)
    app = page()
    app.selectbox(key=form_key("tune", "base")).set_value("job:mother").run()
    app.text_input(key=form_key("tune", "name")).set_value("child").run()
    button(app, "Start study").click().run()
    assert open_study("child").config().base.seed == 9


def test_a_stopped_study_is_shown_with_its_candidates(page, started):
    made_study()
    app = page(study="s")
    assert any(
        text.startswith("12 of 12 candidates ended · best validation r 0.") for text in words(app)
    )
    table = app.dataframe[0].value
    assert len(table) == 12
    assert list(table["candidate"])[:2] == ["c0001", "c0002"]
    assert set(table["search"]) == {"study", "random"}
    assert {"Voxel weights", "Keep the best voxels"} <= {*table.columns}
    assert not [t for t in words(app) if "score_power" in t]
    assert any("too good to be true" in text for text in words(app))
    assert [b.label for b in app.button if b.label in {"Stop", "Resume"}] == ["Resume"]
    button(app, "Resume").click().run()
    assert started == ["s"]
    app.number_input(key="w_tune_more").set_value(3).run()
    button(app, "Add and go on").click().run()
    assert open_study("s").config().n_candidates == 9
    assert started == ["s", "s"]


def test_a_study_of_nobody_and_a_study_elsewhere_are_said(page):
    app = page(study="nix")
    assert "there is no study 'nix'" in app.warning[0].value.replace("\\", "")
    made_study("far", n=1, base={"dataset": "tiny", "subject": "sub-02"})
    app = page(study="far")
    assert "The study far is not one of tiny, sub-01" in app.warning[0].value.replace("\\", "")


def test_candidates_are_listed_with_their_study_alone(page, tiny_env):
    from thingsviz.ui.caches import dataset_cache

    made_study(n=1)
    made_job("plain-c0001")
    assert JobFolder(tiny_env / "s-c0001").file("config.json").is_file()
    assert [job.name for job in dataset_cache.jobs()] == ["plain-c0001"]


def test_the_result_stands_beside_its_cost_and_with_its_strip(page):
    folder = made_study(state="done")
    finished_job("s-best", model={"name": "ridge"}, study="s")
    gain = {"versus": "s-default", "difference": 0.02, "low": -0.01, "high": 0.05}
    gain["verdict"] = "no difference shown"
    row = {
        "state": "done",
        "message": "",
        "metric": "r",
        "score": 0.3,
        "low": 0.2,
        "high": 0.4,
        "validation": 0.31,
    }
    row |= {"n_candidates": 6, "search_seconds": 200.0, "final_seconds": 3.0, "job": "s-best"}
    rows = [
        {**row, "which": "default", "title": "default settings", "gain": None, "n_candidates": 0},
        {
            **row,
            "which": "best",
            "title": "best of the study",
            "gain": gain,
            "over_random": gain | {"verdict": "better"},
        },
    ]
    json_files.write_sealed(folder.file("result.json"), {"rows": rows})
    app = page(study="s")
    text = next(t for t in words(app) if t.startswith("The study tried"))
    assert text.replace("\\", "") == (
        "The study tried 6 settings in 3 min: its best is not shown to be better than the default "
        "settings: +0.020 (−0.010 to +0.050) in mean test r. It is better than a random search "
        "of the same size, by +0.020 (−0.010 to +0.050) in mean test r."
    )
    table = app.dataframe[0].value
    assert list(table["settings"]) == ["default settings", "best of the study"]
    assert list(table["test r"]) == ["0.300 (0.200 to 0.400)"] * 2
    assert list(table["search"]) == ["–", "3 min"]
    # the strip: interval, p, references
    assert app.metric
    assert any("95 % interval" in t for t in words(app))


def test_optuna_reads_what_the_page_shows(page):
    folder = made_study(n=2)
    study = optuna.load_study(study_name="s", storage=f"sqlite:///{folder.database}")
    assert len(study.trials) == 2
