import os
import re
import secrets
import signal
import time
from urllib.parse import parse_qs, urlparse

import psutil
import pytest

from tests.browser.conftest import stop_button
from thingsviz.studies.config import parse_study
from thingsviz.studies.study_folder import StudyFolder, write_config

PLOTS = ".js-plotly-plot"


def study_of(app, name):
    return StudyFolder(app.jobs / ".studies" / name)


def wait_for_state(app, name, wanted, seconds=180):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = study_of(app, name).status().state
        if state in wanted:
            return state
        time.sleep(0.2)
    pytest.fail(f"{name} is {state} and not {wanted} after {seconds} s")


def open_form(page, choose, app, base):
    page.goto(f"{app.url}/tune?dataset=tiny")
    page.get_by_role("button", name="Start study").wait_for()
    choose(page, "Base", base)


def enter(page, settle, label, value):
    field = page.get_by_label(label, exact=True)
    field.fill(str(value))
    field.press("Enter")
    settle(page)


@pytest.mark.slow
def test_a_study_from_its_start_to_its_verdict(app, page, settle, choose):
    open_form(page, choose, app, "preset: Ridge regression")
    enter(page, settle, "Candidates", 2)
    enter(page, settle, "Name", "ridges")
    page.get_by_role("button", name="Start study").click()
    page.wait_for_url("**study=ridges**")
    assert wait_for_state(app, "ridges", {"done", "failed"}) == "done"

    # the page follows by itself to the end
    page.get_by_text("Was it worth it?").wait_for()
    page.get_by_text("The study tried 2 settings").wait_for()
    page.get_by_text("What this could not show").wait_for()
    settle(page)
    drawn = page.locator(PLOTS)
    titles = ("Candidates, and the best so far", "Setting by setting", "From settings to value")
    for title in titles:
        assert drawn.filter(has_text=title, visible=True).count() == 1
    # settings are called as on the form
    assert drawn.filter(has_text="Voxel weights", visible=True).count() >= 2
    assert "score_power" not in page.get_by_test_id("stMainBlockContainer").inner_text()

    # a candidate is a click to its training
    table = page.get_by_test_id("stDataFrame").last
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    page.mouse.click(box["x"] + 18, box["y"] + 52)
    page.wait_for_url("**/train?**job=ridges-c0001**")
    page.get_by_role("heading", name="ridges-c0001").wait_for()
    assert parse_qs(urlparse(page.url).query)["dataset"] == ["tiny"]
    # it is no training of its own in the list
    settle(page)
    assert page.get_by_role("button", name="ridges-best", exact=True).count() == 1
    assert page.get_by_role("button", name="ridges-c0002", exact=True).count() == 0


@pytest.mark.slow
def test_a_killed_study_is_resumed_from_the_page(app, page, settle, choose):
    space = {"fit.learning_rate": {"kind": "float", "low": 1e-4, "high": 1e-2, "log": True}}
    model = {"name": "vit3d", "patch_size": [6, 7, 5], "tokens": "brain", "embed_dim": 16}
    model |= {"patch_embedding": "local", "n_layers": 1, "n_heads": 2}
    fit = {"epochs": 40, "batches_per_epoch": 10, "batch_size": 16, "precision": "float32"}
    base = {"dataset": "tiny", "model": model, "fit": fit}
    name = f"killed-{secrets.token_hex(3)}"  # a second run of this test finds the first one's
    config = parse_study({"name": name, "base": base, "space": space, "n_candidates": 3})
    study = study_of(app, name)
    study.path.mkdir(parents=True)
    write_config(study, config)
    page.goto(f"{app.url}/tune?dataset=tiny&study={name}")
    page.get_by_role("button", name="Resume").click()
    stop_button(page).wait_for()
    wait_for_state(app, name, {"running"})
    end = time.monotonic() + 120
    metrics = study.root / f"{name}-c0001" / "metrics.jsonl"
    while not metrics.is_file() or '"epoch"' not in metrics.read_text():
        assert time.monotonic() < end
        time.sleep(0.1)
    os.kill(_process(study), signal.SIGKILL)
    page.get_by_text(re.compile("ended without a word|killed from outside")).first.wait_for()
    page.get_by_role("button", name="Resume").click()
    stop_button(page).wait_for()
    page.get_by_text("1 repeated").wait_for()
    stop_button(page).click()
    wait_for_state(app, name, {"stopped"})
    page.get_by_role("button", name="Resume").wait_for()


def _process(study):
    """The study's own process; the lock that it holds was taken by the app, which it outlives."""
    words = ["thingsviz.commands.tune", str(study.path)]
    for process in psutil.process_iter(["pid", "cmdline"]):
        command = process.info["cmdline"] or []
        if command[-2:] == words:
            return process.info["pid"]
    pytest.fail("no process of the study")
    return 0
