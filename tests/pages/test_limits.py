"""How many jobs a page looks at where there are many, and that it says where it cuts."""

from __future__ import annotations

import os
import time

import streamlit as st

from tests.pages.conftest import look
from tests.ui.made_jobs import finished_job, made_job
from thingsviz.jobs.job_folder import open_job
from thingsviz.ui.shell.ui_state import Key


def aged(make, n):
    """Make `n` jobs, the first one the newest."""
    now = time.time()
    names = [f"job_{i:02d}" for i in range(n)]
    for i, name in enumerate(names):
        recipe = make(name).file("config.json")
        os.utime(recipe, (now - 60 * i, now - 60 * i))
    return names


def captions(app):
    return " ".join(c.value for c in app.caption)


def box(app, label):
    return next(b for b in app.selectbox if b.label == label)


def test_trials_offers_the_newest_12_and_the_one_that_is_open_elsewhere(visit):
    names = aged(finished_job, 14)
    frame = open_job(names[0]).predictions()
    single = frame[frame["n_averaged"] == 1].iloc[0]
    link = {part: str(single[part]) for part in ("session", "run", "trial")}
    app = visit("trials.py", **link)
    assert box(app, "Predictions of").options == ["no job", *names[:12]]
    assert "Only the newest 12 of 14 finished trainings" in captions(app)
    app = visit("trials.py", **link, job=names[13])
    assert box(app, "Predictions of").options == ["no job", *names[:12], names[13]]
    assert box(app, "Predictions of").value == names[13]


def test_predictions_lists_all_and_scores_the_newest_20_and_the_chosen_one(visit):
    names = aged(finished_job, 22)
    options = box(visit("predictions.py", job=names[21]), "Training").options
    assert [option.split(" · ")[0] for option in options] == names
    scored = [name for name, option in zip(names, options, strict=True) if "interval" in option]
    assert scored == [*names[:20], names[21]]


def test_predictions_says_that_older_scores_are_left_out(visit):
    names = aged(finished_job, 20)
    assert "scores of the newest 20" not in captions(visit("predictions.py", job=names[0]))
    finished_job("one_more")
    st.cache_resource.clear()  # the list of folders is believed for two seconds
    assert "scores of the newest 20" in captions(visit("predictions.py", job=names[0]))


def test_train_unfolds_50_at_most_and_then_leads_to_jobs(visit):
    names = aged(made_job, 52)
    app = visit("train.py")
    assert listed(app) == names[:8]
    assert app.toggle(key=str(Key.W_ALL_JOBS)).label == "Show the newest 50"
    app.toggle(key=str(Key.W_ALL_JOBS)).set_value(True)
    assert listed(look(app)) == names[:50]
    assert "All 52 are on the Jobs page" in [link.label for link in app.get("page_link")]


def test_train_unfolds_all_of_a_few(visit):
    names = aged(made_job, 10)
    app = visit("train.py")
    assert app.toggle(key=str(Key.W_ALL_JOBS)).label == "Show all 10"
    app.toggle(key=str(Key.W_ALL_JOBS)).set_value(True)
    assert listed(look(app)) == names
    assert not [link for link in app.get("page_link") if "on the Jobs page" in link.label]


def listed(app):
    return [b.label for b in app.button if (b.key or "").startswith("w_job_")]
