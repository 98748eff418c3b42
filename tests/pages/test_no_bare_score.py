"""No page prints a bare score: each stands with its interval, references, p, n and limits."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.ui.made_jobs import finished_job, made_job
from tests.ui.strips import bare_scores, is_complete

PAGES = Path(__file__).parents[2] / "pages"


@pytest.fixture
def visit(tiny_env):
    st.cache_data.clear()
    st.cache_resource.clear()
    finished_job("done")
    made_job("half-way")

    def run(name, **query) -> AppTest:
        app = AppTest.from_file(PAGES / name, default_timeout=60)
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        assert not app.exception, app.exception
        return app

    return run


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("home.py", {}),
        ("train.py", {}),
        ("train.py", {"job": "done"}),
        ("train.py", {"job": "half-way"}),
        ("predictions.py", {"job": "done"}),
        ("trials.py", {"job": "done"}),
        ("jobs.py", {}),
        ("compare.py", {}),
        ("tune.py", {}),
    ],
)
def test_no_page_prints_a_bare_score(visit, page, query):
    assert bare_scores(visit(page, **query)) == []


def test_every_metric_of_the_predictions_keeps_its_strip(visit):
    app = visit("predictions.py", job="done")
    for metric in ("mse_unit", "confidence"):
        next(box for box in app.selectbox if box.label == "Score").set_value(metric).run()
        assert bare_scores(app) == []


def bare():
    import streamlit as st

    st.metric("Pearson r", "0.37")
    st.caption("vit3d · r 0.37")
    st.caption("Our r is 0.9 of nothing, 12 trials")
    st.selectbox("Training", ["a · r 0.37 (0.1 to 0.4)"])


def test_a_bare_score_would_be_found():
    app = AppTest.from_function(bare).run()
    assert bare_scores(app) == ["Pearson r: 0.37", "vit3d · r 0.37", "Training"]


def test_the_list_of_trainings_has_it_all_on_hover(visit):
    line = next(c for c in visit("train.py").caption if "ridge" in c.value)
    assert is_complete(line.proto.help)
    assert "one brain" in line.proto.help
