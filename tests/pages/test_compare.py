"""The Compare page in its states: no job, one, two, incomparable ones, one that is deleted."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.figures.plain import class_scores
from tests.finished_jobs import class_table
from tests.ui.made_jobs import finished_job, made_job
from thingsviz.core import json_files
from thingsviz.jobs.job_folder import open_job

PAGE = Path(__file__).parents[2] / "pages" / "compare.py"


@pytest.fixture(scope="module")
def made(tiny, tmp_path_factory):
    """A jobs folder with comparable and other jobs, made once; each test gets a copy."""
    root = tmp_path_factory.mktemp("compare")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINGSVIZ_DATA", str(tiny))
        patch.setenv("THINGSVIZ_JOBS", str(root))
        patch.delenv("THINGSVIZ_DERIVATIVES", raising=False)
        patch.setattr("thingsviz.analysis.scores.resampling.N_DRAWS", 60)
        finished_job("sharp", share=0.8)
        finished_job("blunt", share=0.1, seed=1)
        finished_job("other", split={"kind": "trial"})
        made_job("early")
    return root


@pytest.fixture
def page(tiny_env, made, monkeypatch):
    """The page on a copy of the jobs, at an address."""
    shutil.copytree(made, tiny_env, dirs_exist_ok=True)
    monkeypatch.setattr("thingsviz.analysis.scores.resampling.N_DRAWS", 60)
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


def words(app):
    return " ".join([*(m.value for m in app.markdown), *(c.value for c in app.caption)])


def test_without_a_job_the_way_to_train_is_shown(page, tiny_env):
    for folder in tiny_env.iterdir():
        shutil.rmtree(folder)
    app = page()
    assert [i.value for i in app.info] == ["No training of tiny, sub-01 has finished yet."]


def test_before_a_choice_only_the_choice_is_asked_for(page):
    app = page()
    assert [i.value for i in app.info] == ["Choose two or more trainings above."]
    assert sorted(app.multiselect[0].options) == ["blunt", "other", "sharp"]
    assert not app.get("plotly_chart")


def test_one_job_is_told_its_peers(page):
    app = page(jobs="sharp")
    assert [i.value for i in app.info] == ["Comparable with sharp\\: blunt."]
    assert not app.error


def test_two_jobs_are_compared_in_full(page):
    app = page(jobs="sharp,blunt")
    assert not app.error
    assert not app.warning
    assert len(app.get("plotly_chart")) == 6
    scores = app.dataframe[0].value.set_index("training")
    assert list(scores.index) == ["sharp", "blunt"]
    value = scores["score"].str.extract(r"^(0\.\d\d) \(−?0\.\d\d to 0\.\d\d\)$")[0].astype(float)
    assert value["sharp"] - value["blunt"] > 0.1
    assert {"p", "chance", "ridge", "ceiling", "n"} <= set(scores)
    text = words(app)
    assert "Not in the table: mean: A constant prediction" in text.replace("\\", "")
    assert ".;" not in text
    assert "r of sharp minus that of blunt is +" in text
    assert "sharp is better" in text
    assert "What this could not show" in text
    assert "sharp was the nearer one on" in text
    assert {link.page for link in app.get("page_link")} == {"trials"}


def test_a_choice_on_the_page_is_compared_and_stands_in_the_address(page):
    app = page()
    app.multiselect[0].set_value(["blunt", "sharp"]).run()
    assert not app.exception
    assert app.query_params["jobs"] == "blunt,sharp"
    assert "sharp is better" in words(app)


def test_incomparable_jobs_are_refused_with_the_reason_and_the_peers(page):
    app = page(jobs="sharp,other")
    assert len(app.error) == 1
    assert "split by trial, the other's by unseen concepts" in app.error[0].value
    assert [i.value for i in app.info] == ["Comparable with sharp\\: blunt."]
    assert not app.get("plotly_chart")


def test_of_three_the_two_comparable_ones_stay(page):
    app = page(jobs="sharp,other,blunt")
    assert len(app.error) == 1
    assert len(app.get("plotly_chart")) == 6


def test_settings_are_called_as_on_the_form(page):
    finished_job("long", share=0.5, seed=0, fit={"epochs": 3, "learning_rate": 0.0012345678})
    app = page(jobs="sharp,long")
    table = app.dataframe[-1].value.set_index("setting")
    assert list(table.columns) == ["sharp", "long"]
    assert {"Epochs", "Learning rate"} <= {*table.index}
    assert table.loc["Learning rate", "long"] == "0.001235"
    heading = next(h for h in app.subheader if h.value == "Settings that differ")
    assert "Epochs: `fit.epochs`" in heading.proto.help


def test_a_job_deleted_while_compared_is_one_sentence_and_the_others_stay(page, tiny_env):
    finished_job("third", share=0.5, seed=2)
    app = page(jobs="sharp,blunt,third")
    assert not app.warning
    shutil.rmtree(tiny_env / "third")
    st.cache_data.clear()
    app.run()
    assert not app.exception
    assert len(app.warning) == 1
    assert "'third' any more\\: it was deleted" in app.warning[0].value
    assert len(app.get("plotly_chart")) == 6


@pytest.mark.parametrize(
    ("asked", "words_"),
    [
        ("sharp,nobody", "no job 'nobody' any more"),
        ("sharp,../../etc", "no job '../../etc' any more"),
        ("sharp,early", "before it has predicted its test\\: it is stopped"),
    ],
)
def test_an_address_with_other_names_is_one_sentence(page, asked, words_):
    app = page(jobs=asked)
    assert len(app.warning) == 1
    assert words_ in app.warning[0].value
    assert not app.error


def test_predictions_of_other_trials_are_refused(page, tiny_env):
    path = tiny_env / "blunt" / "predictions.parquet"
    pd.read_parquet(path).iloc[:-5].to_parquet(path)
    app = page(jobs="sharp,blunt")
    assert len(app.error) == 1
    assert "it was tested on other trials" in app.error[0].value


def test_every_switch_can_be_thrown(page):
    app = page(jobs="sharp,blunt")
    for label, value in (
        ("Score", "mse_unit"),
        ("Responses", "mean of 4"),
        ("Trials", "exemplars"),
        ("Curve", "train_loss"),
        ("Time", "seconds"),
        ("Against", "n_parameters"),
    ):
        control = next(b for b in app.get("button_group") if b.label == label)
        control.set_value(value).run()
        assert not app.exception
        assert not app.error


def class_job(name, share):
    """A finished classifier of concepts, made by hand."""
    recipe = {"learns": "concepts", "fit": {"epochs": 5}, "split": {"kind": "test_images"}}
    job = made_job(name, "done", model={"name": "logistic"}, **recipe)
    class_table(share, 3).to_parquet(job.file("predictions.parquet"))
    rows = class_scores().to_dict("records")
    json_files.write_sealed(job.file("scores.json"), {"rows": rows, "could_not_show": ["Little."]})


def test_classifiers_are_compared_by_hits(page):
    class_job("keen", 0.7)
    class_job("dull", 0.1)
    app = page(jobs="keen,dull")
    assert not app.error
    scores, hits = app.dataframe[0].value, app.dataframe[1].value
    assert scores["hits"].tolist() == ["2 of 157", "2 of 157"]
    assert scores["score"][0] == "1.27\u00a0% (0.15 to 4.53\u00a0%)"
    assert {"chance", "prior"} <= set(scores)
    assert hits["first k"].tolist() == [1, 5, 10]
    assert hits["hits"][0].endswith(" of 60")
    assert hits["p corrected"][0] < 0.05
    text = words(app)
    assert "keen was the nearer one on" in text
    assert "on place 1, the other on" in text
    assert "Among the first 10, keen hits" in text
    assert "A is keen, B is dull" in text
    assert "What this could not show" in text


def test_decoders_of_ratings_are_compared_by_the_concepts_they_name(page):
    app = page(jobs="sharp,blunt")
    control = next(b for b in app.get("button_group") if b.label == "Score")
    assert control.options[-1] == "Concept named (Top-10)"
    control.set_value("top10").run()
    assert not app.exception
    scores = app.dataframe[0].value.set_index("training")
    assert {"score", "p", "hits", "chance", "prior", "ridge", "n"} <= set(scores)
    table = pd.read_parquet(open_job("sharp").file("predictions.parquet"))
    single = table[table["part"].eq("test") & table["n_averaged"].eq(1)]
    n = int(single["rank"].le(10).sum())
    assert scores["hits"]["sharp"] == f"{n} of {len(single)}"
    assert app.dataframe[1].value["hits"].iloc[-1].startswith(f"{n} − ")
    assert f"sharp hits {n} and blunt" in words(app)
    assert "names by them as it does" in words(app)


def test_a_classifier_is_compared_with_a_decoder_of_ratings_where_both_name(page, tiny_env):
    rater = open_job("other")
    shutil.copytree(rater.path, tiny_env / "keen")
    recipe = {"learns": "concepts", "model": {"name": "logistic"}}
    recipe |= {"name": "keen", "dataset": "tiny", "split": {"kind": "trial"}}
    json_files.write_sealed(tiny_env / "keen" / "config.json", recipe)
    own = rater.scores()
    own["model"] = own["model"].replace("vit3d", "logistic")
    rows = own[own["metric"].str.startswith("top")].to_dict("records")
    json_files.write_sealed(
        tiny_env / "keen" / "scores.json", {"rows": rows, "could_not_show": []}
    )
    app = page(jobs="other,keen")
    assert not app.error, [e.value for e in app.error]
    assert "other hits" in words(app)
    assert "different scales" not in words(app)
    assert "beside a classifier ridge learns the classes themselves" in words(app)
    assert not [b for b in app.get("button_group") if b.label == "Score"]


def test_a_classifier_is_not_compared_with_one_that_names_nothing(page, tiny_env):
    class_job("keen", 0.7)
    path = tiny_env / "sharp" / "predictions.parquet"
    pd.read_parquet(path).drop(columns="rank").to_parquet(path)
    app = page(jobs="sharp,keen")
    assert "it learned concepts, the other ratings" in app.error[0].value
