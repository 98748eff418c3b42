import time
from urllib.parse import parse_qs, urlparse

import pytest

from tests.browser.conftest import stop_button
from thingsviz.jobs.job_folder import JobFolder

CURVES = ".js-plotly-plot"
# how many points the training curve has, and the batches that it has reached
POINTS = """plot => {
  const trace = plot.data.find(t => t.name === 'single batches');
  return trace ? trace.x.length : 0;
}"""


def chart(page, title):
    # a chart that was just drawn anew may stand beside its hidden forerunner
    return page.locator(CURVES).filter(has_text=title, visible=True).last


def field(page, label):
    return page.get_by_label(label, exact=True)


def enter(page, settle, label, value):
    field(page, label).fill(str(value))
    field(page, label).press("Enter")
    settle(page)


def open_form(page, settle, url, name):
    page.goto(f"{url}/train?dataset=tiny")
    page.get_by_role("button", name="Start training").wait_for()
    settle(page)
    enter(page, settle, "Name", name)


def long_training(page, settle):
    """Settings under which `tiny` trains for about a minute: long enough to be watched."""
    enter(page, settle, "Epochs", 120)
    enter(page, settle, "Batches per epoch", 20)
    enter(page, settle, "Batch size", 16)
    field(page, "Early stopping").fill("")
    field(page, "Early stopping").press("Enter")
    settle(page)


def state_of(app, name):
    return JobFolder(app.jobs / name).status().state


def wait_for_state(app, name, wanted, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if state_of(app, name) in wanted:
            return
        time.sleep(0.2)
    pytest.fail(f"{name} is {state_of(app, name)} and not {wanted} after {seconds} s")


def badge(page, text):
    return page.get_by_test_id("stBadge").filter(has_text=text).first


@pytest.mark.slow
def test_train_watch_stop_reload_resume(app, app_url, page, settle):
    open_form(page, settle, app_url, "watched")
    long_training(page, settle)
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**job=watched**")

    # the curve grows by itself
    curves = chart(page, "Training, batch by batch")
    curves.wait_for()
    seen = [curves.evaluate(POINTS)]
    while len(seen) < 4:
        longer = page.wait_for_function(
            "([css, n]) => { const p = [...document.querySelectorAll(css)].find("
            "p => p.innerText.includes('batch by batch'));"
            " const t = p && p.data.find(t => t.name === 'single batches');"
            " return t && t.x.length > n && t.x.length; }",
            arg=[CURVES, seen[-1]],
        )
        seen.append(longer.json_value())
    assert seen == sorted(set(seen))
    assert page.get_by_text("left").count() >= 1
    assert page.get_by_role("progressbar").count() == 1

    # a new tab at the plain address finds it again, running
    page.goto(f"{app_url}/train?dataset=tiny")
    page.get_by_role("button", name="Watch it").click()
    page.wait_for_url("**job=watched**")

    # stop: its state is kept, and the page says so without a reload
    stop_button(page).click()
    wait_for_state(app, "watched", {"stopped"})
    page.get_by_role("button", name="Resume").wait_for()
    stopped_at = JobFolder(app.jobs / "watched").status().step
    page.reload()
    page.get_by_role("button", name="Resume").wait_for()
    assert parse_qs(urlparse(page.url).query)["job"] == ["watched"]

    # resume goes on from there
    page.get_by_role("button", name="Resume").click()
    wait_for_state(app, "watched", {"running"})
    stop_button(page).wait_for()
    end = time.monotonic() + 60
    while JobFolder(app.jobs / "watched").status().step <= stopped_at:
        assert time.monotonic() < end
        time.sleep(0.2)
    stop_button(page).click()
    wait_for_state(app, "watched", {"stopped"})
    page.get_by_role("button", name="Resume").wait_for()


@pytest.mark.slow
def test_a_training_ends_in_bars(app, app_url, page, settle):
    open_form(page, settle, app_url, "short")
    enter(page, settle, "Epochs", 3)
    page.get_by_role("button", name="Start training").click()
    wait_for_state(app, "short", {"done", "failed"}, 120)
    page.get_by_role("link", name="See the predictions").wait_for()
    page.get_by_text("What this could not show").wait_for()
    page.get_by_role("link", name="See the predictions").click()
    page.wait_for_url("**/predictions?**")
    bars = chart(page, "Ratings of")
    bars.wait_for()
    settle(page)
    assert bars.locator(".barlayer .point").count() >= 24


@pytest.mark.slow
def test_a_training_outlives_the_app(start_app, tiny, tmp_path, page, settle):
    app = start_app(tiny, tmp_path)
    open_form(page, settle, app.url, "survivor")
    long_training(page, settle)
    page.get_by_role("button", name="Start training").click()
    wait_for_state(app, "survivor", {"running"})
    page.goto("about:blank")
    app.stop()
    job = JobFolder(app.jobs / "survivor")
    assert job.is_alive()
    again = start_app(tiny, tmp_path)
    page.goto(f"{again.url}/train?dataset=tiny")
    page.get_by_role("button", name="Watch it").click()
    chart(page, "Training, batch by batch").wait_for()
    stop_button(page).click()
    wait_for_state(again, "survivor", {"stopped"})


def test_what_cannot_work_is_one_sentence_and_nothing_is_lost(app_url, page, settle, choose):
    open_form(page, settle, app_url, "never")
    enter(page, settle, "Epochs", 33)
    patch = page.get_by_role("combobox", name="Patch size")
    patch.fill("7 x 7 x 5")
    patch.press("Enter")
    page.get_by_text("does not divide").wait_for()
    settle(page)
    assert page.get_by_role("button", name="Start training").is_disabled()
    page.get_by_role("link", name="Home").first.click()
    page.get_by_role("heading", name="thingsviz").wait_for()
    page.get_by_role("link", name="Train", exact=True).first.click()
    page.get_by_text("does not divide").wait_for()
    settle(page)
    assert field(page, "Epochs").input_value() == "33"
    assert field(page, "Name").input_value() == "never"
    choose(page, "Start from", "Fast, local")
    assert page.get_by_text("does not divide").count() == 0
    assert page.get_by_role("button", name="Start training").is_enabled()
