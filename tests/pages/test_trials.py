"""The Trials page as Streamlit runs it, without a browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.figures.brain.unpacked import unpack
from tests.ui.made_jobs import finished_job, made_job
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import open_dataset

PAGE = Path(__file__).parents[2] / "pages" / "trials.py"


@pytest.fixture
def visit(tiny_env):
    """Open the page of dataset `tiny` at an address."""
    st.cache_data.clear()
    st.cache_resource.clear()

    def go(**query) -> AppTest:
        app = AppTest.from_file(PAGE, default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        return ran(app.run())

    return go


@pytest.fixture
def store(tiny_env):
    return BetaStore.open(open_dataset("tiny"), "sub-01")


def ran(app):
    assert not app.exception, app.exception
    assert not app.error, [box.value for box in app.error]
    return app


def at(app):
    """Where the address says that the page is."""
    params = app.query_params
    return tuple(int(params[part]) for part in ("session", "run", "trial"))


def press(app, label):
    return ran(next(b for b in app.button if b.label == label).click().run())


def packet(app):
    """What the slices were sent: header, values, labels."""
    special = [a for c in app.get("component_instance") for a in c.proto.special_args]
    return unpack(special[0].bytes)


def box(app, label):
    return next(b for b in app.selectbox if b.label == label)


def words(app):
    kinds = (app.markdown, app.caption, app.subheader, app.info, app.warning)
    return "\n".join(str(e.value) for kind in kinds for e in kind)


def row_of(store, kind):
    return int(np.flatnonzero(store.trials["trial_type"] == kind)[0])


def address(store, row):
    key = store.key(row)
    return {"session": f"{key.session:02d}", "run": f"{key.run:02d}", "trial": str(key.trial)}


def test_the_first_trial_is_shown_and_named_in_the_address(visit, store):
    app = visit()
    assert at(app) == (1, 1, 1)
    assert app.query_params["dataset"] == "tiny"
    assert app.query_params["subject"] == "sub-01"
    assert app.title[0].value == "Trials"
    assert "SIMULATED" in words(app)
    assert store.trials["concept"][0].replace("_", " ") in words(app)


def test_a_deep_link_opens_its_trial_with_its_very_betas(visit, store):
    app = visit(dataset="tiny", subject="sub-01", session="02", run="02", trial="3")
    assert at(app) == (2, 2, 3)
    assert [box(app, part).value for part in ("Session", "Run", "Trial")] == [2, 2, 3]
    header, values, labels = packet(app)
    row = next(i for i in range(len(store.trials)) if str(store.key(i)) == "ses-02 run-02 trial 3")
    assert values.tobytes() == store.betas[row].tobytes()
    assert np.array_equal(labels > 0, store.mask)
    assert header["title"].startswith("ses-02 run-02 trial 3, ")


def test_next_and_previous_go_through_runs_and_sessions(visit):
    app = visit(session="1", run="2", trial="22")
    assert at(press(app, "Next")) == (2, 1, 1)
    assert at(press(app, "Previous")) == (1, 2, 22)


def test_the_first_has_no_previous_and_the_last_no_next(visit):
    states = [
        {b.label: b.disabled for b in visit(session=s, run=r, trial=t).button}
        for s, r, t in (("1", "1", "1"), ("4", "2", "22"))
    ]
    assert [(s["Previous"], s["Next"]) for s in states] == [(True, False), (False, True)]


def test_arrow_keys_are_the_buttons_shortcuts(visit):
    keys = {b.label: b.proto.shortcut for b in visit().button}
    assert (keys["Previous"].lower(), keys["Next"].lower()) == ("left", "right")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"session": "99"}, "there is no session 99"),
        ({"session": "1", "run": "9"}, "session 1 has no run 9"),
        ({"trial": "23"}, "ses-01 run-01 has no trial 23"),
        ({"trial": "three"}, "trial should be a number counted from 1"),
        ({"session": "1' OR '1'='1"}, "session should be a number counted from 1"),
    ],
)
def test_nonsense_in_the_address_is_one_sentence_and_the_first_trial(visit, query, said):
    app = visit(**query)
    assert len(app.warning) == 1
    assert said.replace("_", r"\_") in app.warning[0].value
    assert app.warning[0].value.endswith("This is the first one.")
    assert at(app) == (1, 1, 1)
    assert not press(app, "Next").warning, "said once, not for ever"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"dataset": "../../etc"}, "asks for dataset '../../etc', which is not here"),
        ({"subject": "sub-99"}, "asks for subject 'sub-99', which is not here"),
    ],
)
def test_an_unknown_dataset_or_subject_is_one_sentence(visit, query, said):
    app = visit(**query, trial="4")
    assert said in app.warning[0].value.replace("\\", "")
    assert app.query_params["dataset"] == "tiny"
    assert at(app) == (1, 1, 4)


def test_selectboxes_go_where_they_stand(visit):
    app = visit(session="1", run="1", trial="5")
    ran(box(app, "Session").select(3).run())
    assert at(app) == (3, 1, 5)
    ran(box(app, "Trial").select(7).run())
    assert at(app) == (3, 1, 7)


def test_by_concept(visit, store):
    app = visit()
    app.get("button_group")[0].set_value("concept").run()
    row = row_of(store, "test")
    ran(box(app, "Concept").select(str(store.trials["concept"][row])).run())
    here = next(i for i in range(len(store.trials)) if at(app) == key(store, i))
    assert store.trials["concept"][here] == store.trials["concept"][row]
    assert (
        len(box(app, "Its trials").options)
        == (store.trials["concept"] == store.trials["concept"][row]).sum()
    )


def key(store, row):
    found = store.key(row)
    return found.session, found.run, found.trial


def test_by_image_its_showings_are_a_choice(visit, store):
    row = row_of(store, "test")
    app = visit(**address(store, row))
    app.get("button_group")[0].set_value("image").run()
    same = np.flatnonzero(store.trials["image_filename"] == store.trials["image_filename"][row])
    assert box(app, "Its showings").value == f"{store.key(row)} · test"
    assert len(box(app, "Its showings").options) == len(same) == 4
    ran(box(app, "Its showings").select_index(2).run())
    assert at(app) == key(store, int(same[2]))


def test_a_train_picture_was_shown_once(visit, store):
    app = visit(**address(store, row_of(store, "train")))
    assert "Shown once." in words(app)
    assert not app.slider


def test_the_slider_averages_from_this_showing_on(visit, store):
    row = row_of(store, "test")
    app = visit(**address(store, row))
    same = np.flatnonzero(store.trials["image_filename"] == store.trials["image_filename"][row])
    assert (app.slider[0].min, app.slider[0].max, app.slider[0].value) == (1, 4, 1)
    ran(app.slider[0].set_value(3).run())
    assert "mean of 3 showings" in words(app)
    plain = store.betas[same[:3]].astype("f4").mean(0)
    assert packet(app)[1] == pytest.approx(plain, abs=float(2e-3 * np.abs(plain).max()))


def test_the_average_lasts_while_the_picture_stays(visit, store):
    row = row_of(store, "test")
    app = visit(**address(store, row))
    ran(app.slider[0].set_value(2).run())
    pills = next(g for g in app.get("button_group") if "showings" in g.label)
    other = [
        int(i)
        for i in np.flatnonzero(
            store.trials["image_filename"] == store.trials["image_filename"][row]
        )
    ][1]
    ran(pills.set_value(str(store.key(other))).run())
    assert at(app) == key(store, other)
    assert app.slider[0].value == 2
    press(app, "Next")
    press(app, "Previous")
    assert app.slider[0].value == 2


def test_a_catch_trial_says_what_it_is(visit, store):
    app = visit(**address(store, row_of(store, "catch")))
    assert "nobody rated them" in words(app)
    assert not app.get("plotly_chart")
    assert packet(app)[1].size == store.shape[1]


def test_without_a_finished_training_the_page_says_so(visit):
    made_job("unfinished", "stopped")
    assert "No finished training of this subject yet" in words(visit())


def bars(app):
    return app.get("plotly_chart")[0].proto.spec


def test_a_finished_job_shows_its_bars_beside_the_truth(visit, tiny_env):
    job = finished_job("good_job")
    frame = job.predictions()
    single = frame[frame["n_averaged"] == 1].iloc[0]
    link = {part: str(single[part]) for part in ("session", "run", "trial")}
    app = visit(**link)
    assert "predicted by" not in bars(app)
    ran(box(app, "Predictions of").select("good_job").run())
    assert "predicted by good_job" in bars(app)
    assert f"{single['pred_heavy']:.2f}"[:3] in bars(app)
    assert app.query_params["job"] == "good_job"
    assert "predicted by good_job" in bars(visit(**link, job="good_job"))


def test_a_trial_that_trained_the_job_has_no_fair_prediction(visit, store):
    frame = finished_job("good_job").predictions()
    rows = set(frame["row"])
    row = next(
        i
        for i in range(len(store.trials))
        if i not in rows and store.trials["trial_type"][i] == "train"
    )
    app = visit(**address(store, row), job="good_job")
    assert "did not predict this trial" in words(app)
    assert "predicted by" not in bars(app)


def test_an_unknown_job_in_the_address_is_one_sentence(visit):
    app = visit(job="../../etc/passwd")
    assert len(app.warning) == 1
    assert "passwd" in app.warning[0].value
    assert at(app) == (1, 1, 1)


def test_jobs_of_other_data_are_not_offered(visit):
    made = finished_job("good_job")
    text = made.file("config.json").read_text().replace('"tiny"', '"another"')
    made.file("config.json").write_text(text)
    assert "No finished training of this subject yet" in words(visit())


def test_an_unprepared_dataset_leads_to_home(tiny_copy, tmp_path, monkeypatch):
    import shutil

    st.cache_data.clear()
    shutil.rmtree(tiny_copy / "tiny" / "derivatives" / "thingsviz")
    monkeypatch.setenv("THINGSVIZ_DATA", str(tiny_copy))
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path))
    app = ran(AppTest.from_file(PAGE, default_timeout=30).run())
    assert app.info[0].value == "sub-01 of tiny cannot be shown before it is prepared."
    assert app.get("page_link")[0].proto.label == "Go to Home"


def test_an_empty_machine_leads_to_home(tmp_path, monkeypatch):
    st.cache_data.clear()
    monkeypatch.setenv("THINGSVIZ_DATA", str(tmp_path / "no_thing"))
    app = ran(AppTest.from_file(PAGE, default_timeout=30).run())
    assert "There are no data here yet" in app.info[0].value
    assert app.get("page_link")


def test_a_damaged_store_is_one_sentence(tiny_copy, tmp_path, monkeypatch):
    st.cache_data.clear()
    st.cache_resource.clear()
    betas = tiny_copy / "tiny" / "derivatives" / "thingsviz" / "sub-01" / "betas.npy"
    betas.write_bytes(betas.read_bytes()[:-100])
    monkeypatch.setenv("THINGSVIZ_DATA", str(tiny_copy))
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path))
    app = AppTest.from_file(PAGE, default_timeout=30).run()
    assert not app.exception
    assert len(app.error) == 1
    assert "run prepare again" in app.error[0].value
