"""No page prints a bare score: each stands with its interval, references, p, n and limits."""

import shutil

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import PAGES
from tests.ui.made_jobs import finished_job, made_job, trained_classifier
from tests.ui.strips import bare_scores, is_complete

BOTH = {"jobs": "done,second"}
VISITS = [
    ("home.py", {}),
    ("trials.py", {}),
    ("trials.py", {"job": "done"}),
    ("train.py", {}),
    ("train.py", {"job": "done"}),
    ("train.py", {"job": "half-way"}),
    ("jobs.py", {}),
    ("jobs.py", {"job": "done"}),
    ("tune.py", {}),
    ("predictions.py", {"job": "done"}),
    *((page, {"job": "lda"}) for page in ("train.py", "predictions.py", "jobs.py")),
    ("compare.py", {}),
    ("compare.py", BOTH),
    ("attention.py", {"job": "done"}),
    ("leaderboard.py", {}),
    ("learning.py", {}),
    ("overfitting.py", {}),
    ("server.py", {}),
]


@pytest.fixture(scope="module")
def made(tiny, tmp_path_factory):
    """A folder of jobs, made once; each test gets a copy."""
    root = tmp_path_factory.mktemp("scored")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINGSVIZ_DATA", str(tiny))
        patch.setenv("THINGSVIZ_JOBS", str(root))
        patch.delenv("THINGSVIZ_DERIVATIVES", raising=False)
        patch.setattr("thingsviz.analysis.scores.resampling.N_DRAWS", 60)
        finished_job("done")
        finished_job("second", seed=1)
        made_job("half-way")
        trained_classifier("lda", patch)
    return root


@pytest.fixture
def jobs(visit, made, tiny_env):
    shutil.copytree(made, tiny_env, dirs_exist_ok=True)


def test_the_walk_visits_every_page():
    # test_leaderboard and test_learning look at what was computed; the brain shows data alone
    walked = {page for page, _ in VISITS} | {"brain.py"}
    assert walked == {p.name for p in PAGES.glob("[!_]*.py")}


@pytest.mark.parametrize(("page", "query"), VISITS)
def test_no_page_prints_a_bare_score(visit, jobs, page, query):
    assert bare_scores(visit(page, **query)) == []


def test_what_ratings_name_is_compared_with_its_strip(visit, jobs):
    app = visit("compare.py", **BOTH)
    next(b for b in app.get("button_group") if b.label == "Score").set_value("top10").run()
    assert bare_scores(app) == []


def test_every_metric_of_the_predictions_keeps_its_strip(visit, jobs):
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
    st.info("It reaches r 0.41.")
    with st.expander("More"):
        st.error("Only r 0.02 came out.")
    st.dataframe({"training": ["a"], "score": [0.37]})


def test_a_bare_score_would_be_found():
    app = AppTest.from_function(bare).run()
    assert bare_scores(app) == [
        "Pearson r: 0.37",
        "vit3d · r 0.37",
        "Only r 0.02 came out.",
        "It reaches r 0.41.",
        "Training",
        "table of score, training",
    ]


def test_the_list_of_trainings_has_it_all_on_hover(visit, jobs):
    line = next(c for c in visit("train.py").caption if "vit3d" in c.value and "ridge" in c.value)
    assert is_complete(line.proto.help)
    assert "one brain" in line.proto.help
