from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.ui.made_jobs import TARGETS, finished_job, made_job, scores_of
from thingsviz.core import json_files
from thingsviz.jobs.job_folder import SCORES

PAGE = Path(__file__).parents[2] / "pages" / "predictions.py"


@pytest.fixture
def page(tiny_env):
    """The Predictions page of the dataset `tiny`, at an address."""
    st.cache_data.clear()
    st.cache_resource.clear()

    def visit(**query) -> AppTest:
        app = AppTest.from_file(PAGE, default_timeout=30)
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception, app.exception
        return app

    return visit


def words(app):
    return " ".join([*(m.value for m in app.markdown), *(c.value for c in app.caption)])


def control(app, label):
    return next(b for b in app.get("button_group") if b.label == label)


def table(app) -> pd.DataFrame:
    return app.dataframe[0].value.set_index("property")


def test_without_a_job_the_way_to_train_is_shown(page):
    app = page()
    assert [i.value for i in app.info] == ["No training of tiny, sub-01 has finished yet."]
    assert app.get("page_link")[0].label == "Go to Train"


def test_a_running_job_has_no_predictions_yet(page):
    made_job("early")
    finished_job("done")
    app = page(job="early")
    assert app.info[0].value == "early has no predictions yet\\: it is stopped."
    assert app.selectbox[0].value == "done"


@pytest.mark.parametrize("name", ["../secret", "no-such-job", "%2e%2e", "x" * 300])
def test_an_address_with_nonsense_is_one_sentence(page, name):
    assert len(page(job=name).warning) == 1


def test_a_finished_job_shows_everything(page):
    finished_job("done")
    app = page(job="done")
    assert not app.error
    # the strip, the properties, the scatter, the bars of a trial, its slices, the constant's curve
    assert len(app.get("plotly_chart")) == 6
    assert {b.label for b in app.get("download_button")} == {"Scores (CSV)", "Predictions (CSV)"}
    text = words(app)
    for part in ("95 % interval", "permutation p", "Read best", "Read worst", "54.65 %"):
        assert part in text


def test_what_the_ratings_name_is_one_line(page):
    job = finished_job("done")
    app = page(job="done")
    record = json_files.read_json(job.file("scores.json"))
    line = next(c.value for c in app.caption if "named through" in c.value)
    rows = pd.DataFrame(record["rows"]).query("metric == 'top10' and n_averaged == 'single'")
    own = rows[rows["part"].eq("test")].set_index("model").loc["vit3d"]
    assert f"of 32 · permutation p = {own['p']:.3f}" in line
    assert f"({own['hits']:.0f} of 32)" in line.replace("\\", "")
    for part in ("95 % interval", "chance 31.25\u00a0%", "prior-only", "ridge"):
        assert part in line
    assert any("Pearson r" in m.label for m in app.metric)
    record["rows"] = [row for row in record["rows"] if not row["metric"].startswith("top")]
    SCORES.write(job.file("scores.json"), record)
    assert "named through" not in words(page(job="done"))  # a job of before has no such rows


def test_the_table_is_the_scores_of_the_job(page):
    job = finished_job("done")
    shown = table(page(job="done"))
    assert set(shown.index) == {"mean", *TARGETS}
    scores = scores_of(job).query("part == 'test' and n_averaged == 'single' and metric == 'r'")
    for model in ("vit3d", "ridge", "chance", "oracle"):
        known = scores[scores["model"] == model].set_index("target")["value"]
        known = known.reindex(shown.index).to_dict()
        assert shown[model].to_dict() == pytest.approx(known, abs=0.005)
    properties = shown["vit3d"].iloc[1:]
    assert properties.is_monotonic_decreasing


def test_repeats_are_averaged_on_a_switch(page):
    finished_job("done")
    app = page(job="done")
    single = table(app)
    control(app, "Responses").set_value("mean of 4").run()
    assert not app.exception
    averaged = table(app)
    assert averaged["trials"].iloc[0] * 4 == single["trials"].iloc[0]
    assert averaged.loc["mean", "vit3d"] > single.loc["mean", "vit3d"]


def test_every_metric_can_be_shown(page):
    finished_job("done")
    app = page(job="done")
    metric = next(box for box in app.selectbox if box.label == "Score")
    for name in ("mse", "mae", "mse_unit", "mae_unit", "confidence"):
        metric.set_value(name).run()
        assert not app.exception
        assert len(app.get("plotly_chart")) == 6
        metric = next(box for box in app.selectbox if box.label == "Score")


def test_the_best_and_the_worst_link_to_their_trials(page):
    job = finished_job("done")
    links = [link for link in page(job="done").get("page_link") if "trials" in link.page]
    assert len(links) == 5 + 5 + 1
    rows = job.predictions()
    for link in links:
        asked = dict(part.split("=") for part in link.query_string.split("&"))
        key = {name: int(asked[name]) for name in ("session", "run", "trial")}
        found = rows[(rows[list(key)] == list(key.values())).all(axis=1)]
        assert len(found) >= 1
        assert (asked["dataset"], asked["job"]) == ("tiny", "done")


def test_confidence_stands_beside_what_a_constant_reaches(page):
    job = finished_job("done")
    values = {m.label: m.value for m in page(job="done").metric}
    scores = scores_of(job).query("metric == 'confidence' and target == 'mean' and part == 'test'")
    single = scores[scores["n_averaged"] == "single"].set_index("model")["value"]
    assert values["vit3d"] == f"{100 * single['vit3d']:.2f}\u00a0%"
    assert values["predicting the mean, scored"] == f"{100 * single['mean']:.2f}\u00a0%"
    assert values["the original study"] == "54.65\u00a0%"


def test_a_job_whose_predictions_are_damaged_is_one_sentence(page):
    job = finished_job("done")
    job.file("predictions.parquet").write_bytes(b"not parquet")
    app = page(job="done")
    assert len(app.error) == 1
    assert "cannot be read as parquet" in app.error[0].value


def test_a_job_without_predictions_is_one_sentence(page):
    job = finished_job("done")
    job.file("predictions.parquet").unlink()
    assert [e.value for e in page(job="done").error] == [
        "done is done but has no predictions: start it again on Train."
    ]


def test_one_target_alone_works(page):
    finished_job("narrow", targets=["size"])
    app = page(job="narrow")
    assert not app.error
    assert "Ordered by the mean error" in words(app)
    assert np.isfinite(table(app)["vit3d"]).all()


def test_a_property_that_the_next_job_lacks_is_let_go(page):
    finished_job("wide")
    finished_job("narrow", targets=["heavy", "lives"])
    app = page(job="wide")
    next(box for box in app.selectbox if box.label == "Property").set_value("size").run()
    app.selectbox[0].set_value("narrow").run()
    assert not app.exception
    assert next(box for box in app.selectbox if box.label == "Property").value == "heavy"
    assert set(table(app).index) == {"mean", "heavy", "lives"}


def test_names_with_markup_are_shown_as_they_are(page):
    job = finished_job("odd")
    rows = job.predictions()
    rows["concept"] = "<b>*bold*</b>_[x](http://example.org)"
    rows.to_parquet(job.file("predictions.parquet"))
    app = page(job="odd")
    assert not app.exception
    assert all("<b>" not in m.value for m in app.markdown)
