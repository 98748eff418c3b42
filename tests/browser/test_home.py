"""The Home page in a real browser: preparing by a click, the first minute of a new machine."""

from __future__ import annotations

import re
import shutil

import pytest

from tests.browser.conftest import stop_button
from tests.figures.base.test_style import contrast


@pytest.fixture
def raw(tiny_copy):
    """The dataset `tiny` before anybody prepared it."""
    shutil.rmtree(tiny_copy / "tiny" / "derivatives" / "thingsviz")
    return tiny_copy


def badge(page, state):
    return page.locator(".stMarkdownBadge", has_text=state).first


def test_a_ready_dataset_leads_to_its_trials(page, app_url, settle):
    page.goto(app_url)
    page.get_by_role("heading", name="tiny").wait_for()
    settle(page)
    assert badge(page, "ready").is_visible()
    assert page.get_by_text("SIMULATED").first.is_visible()
    page.get_by_test_id("stPageLink").get_by_text("Trials").click()
    page.wait_for_url(re.compile(r"/trials\?dataset=tiny"))


def test_preparing_from_a_click_ends_in_a_ready_subject(page, start_app, raw, tmp_path):
    app = start_app(raw, tmp_path / "jobs")
    page.goto(app.url)
    badge(page, "raw").wait_for()
    page.get_by_role("button", name="Prepare").click()
    badge(page, "ready").wait_for(timeout=90_000)
    page.get_by_text("train trials").or_(page.get_by_test_id("stDataFrame")).first.wait_for()
    assert (raw / "tiny/derivatives/thingsviz/sub-01/manifest.json").is_file()


def test_an_empty_machine_begins_with_a_button(page, start_app, tmp_path, settle):
    app = start_app(tmp_path / "nothing here", tmp_path / "jobs")
    page.goto(app.url)
    page.get_by_text("There are no data here yet.").wait_for()
    page.get_by_role("button", name="Make the demo data").click()
    page.get_by_text(re.compile("Planting demo.* left")).wait_for(timeout=60_000)
    stop = stop_button(page)
    stop.click()
    stop.wait_for(state="detached", timeout=60_000)
    page.get_by_text(re.compile("simulate: interrupted")).wait_for()
    assert not list((tmp_path / "nothing here").glob("demo*")), "nothing is left half made"


@pytest.mark.parametrize("width", [1280, 768])
def test_the_page_does_not_scroll_sideways(chromium, app_url, settle, width):
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.goto(app_url)
    page.get_by_role("heading", name="tiny").wait_for()
    settle(page)
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 2
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_button_can_be_read(chromium, start_app, tmp_path, scheme):
    app = start_app(tmp_path / "nothing here", tmp_path / "jobs")
    page = chromium.new_page(color_scheme=scheme)
    page.goto(app.url)
    button = page.get_by_role("button", name="Make the demo data")
    button.wait_for()
    seen = "b => [b.querySelector('p') ?? b, b].map((e, i) => getComputedStyle(e)"
    seen += "[i ? 'backgroundColor' : 'color'].match(/\\d+/g).slice(0, 3).map(Number))"
    text, ground = (f"#{r:02X}{g:02X}{b:02X}" for r, g, b in button.evaluate(seen))
    page.close()
    assert contrast(text, ground) > 4.5
