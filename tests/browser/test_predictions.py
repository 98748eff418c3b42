import io
import re
from urllib.parse import parse_qs, urlparse

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from tests.ui.made_jobs import finished_job, scores_of

CHARTS = ".js-plotly-plot"
DATA = """(plot, name) => {
  const trace = plot.data.find(t => (t.name || '').startsWith(name));
  const list = v => Array.from(v, x => x === undefined ? null : x);
  return trace ? {x: list(trace.x), y: list(trace.y)} : null;
}"""


@pytest.fixture(scope="module")
def done(app, tiny):
    """A finished job in the app's jobs folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINGSVIZ_DATA", str(tiny))
        patch.setenv("THINGSVIZ_JOBS", str(app.jobs))
        patch.delenv("THINGSVIZ_DERIVATIVES", raising=False)
        return finished_job("read-well")


def chart(page, title):
    return page.locator(CHARTS).filter(has_text=title)


def visit(page, settle, app_url, **more):
    query = "&".join(f"{k}={v}" for k, v in {"job": "read-well", **more}.items())
    page.goto(f"{app_url}/predictions?{query}")
    page.get_by_text("What 'confidence' says").wait_for()
    settle(page)


def download(page, click):
    with page.expect_download() as found:
        click()
    return found.value


def test_the_page_draws_what_the_job_holds(page, settle, app_url, done):
    visit(page, settle, app_url)
    scores = scores_of(done).query("part == 'test' and n_averaged == 'single' and metric == 'r'")
    own = scores[scores["model"] == "vit3d"].set_index("target")["value"]
    drawn = chart(page, "Pearson r of each property").evaluate(DATA, "vit3d")
    assert dict(zip(drawn["y"], drawn["x"], strict=True)) == pytest.approx(
        own.drop("mean").to_dict()
    )
    assert page.get_by_test_id("stMetricValue").first.inner_text() == f"{own['mean']:.2f}"
    bars = chart(page, "Ratings of")
    assert bars.locator(".barlayer .point").count() >= 12
    assert chart(page, "Response to").count() == 1
    assert "(SIMULATED)" in chart(page, "Response to").inner_text()


def test_the_scatter_follows_the_property_and_a_click_picks_a_trial(page, settle, app_url, done):
    visit(page, settle, app_url)
    box = page.get_by_role("combobox", name="Property")
    box.click()
    box.fill("size")  # the list shows a few at a time
    page.get_by_role("option", name="size", exact=True).click()
    scatter = chart(page, "size: true and predicted")
    scatter.wait_for()
    settle(page)
    dots = scatter.evaluate(DATA, "trial")
    known = done.predictions().query("part == 'test' and n_averaged == 1").reset_index(drop=True)
    assert dots["x"] == pytest.approx(known["true_size"].tolist(), abs=1e-3)
    assert dots["y"] == pytest.approx(known["pred_size"].tolist(), abs=1e-3)
    # the dot that lies farthest from all others: a click on it can mean no other
    place = known[["true_size", "pred_size"]].to_numpy()
    apart = np.linalg.norm(place[:, None] - place, axis=2) + 1e9 * np.eye(len(place))
    row = int(apart.min(1).argmax())
    scatter.locator(".scatterlayer .point").nth(row).click(force=True)
    name = known["concept"].iloc[row].replace("_", " ")
    chart(page, f"Ratings of {name}").wait_for()
    key = known[["session", "run", "trial"]].iloc[row]
    picked = f"session {key['session']} run {key['run']} trial {key['trial']}"
    box = page.get_by_role("combobox", name="Trial, best first")
    expect(box).to_have_value(re.compile(re.escape(picked)))


def test_a_trial_is_one_click_away(page, settle, app_url, done):
    visit(page, settle, app_url)
    link = page.get_by_test_id("stPageLink-NavLink").filter(has_text="trial").first
    words = link.inner_text()
    link.click()
    page.wait_for_url("**/trials?**")
    settle(page)
    asked = {k: v[0] for k, v in parse_qs(urlparse(page.url).query).items()}
    session, run = int(asked["session"]), int(asked["run"])
    assert f"ses-{session:02d} run-{run:02d} trial {asked['trial']}" in words
    assert page.get_by_role("heading", name="Trials").count() == 1


def test_tables_come_down_as_csv(page, settle, app_url, done):
    visit(page, settle, app_url)
    got = download(page, page.get_by_role("button", name="Scores (CSV)").click)
    assert got.suggested_filename == "read-well-scores.csv"
    table = pd.read_csv(io.BytesIO(got.path().read_bytes()))
    assert len(table) == len(scores_of(done))
    got = download(page, page.get_by_role("button", name="Predictions (CSV)").click)
    rows = pd.read_csv(io.BytesIO(got.path().read_bytes()))
    assert set(rows["n_averaged"]) == {1}
    assert {"true_heavy", "pred_heavy", "sd_heavy"} <= set(rows)


@pytest.mark.parametrize(("kind", "magic"), [("PNG", b"\x89PNG"), ("SVG", b"<svg")])
def test_figures_come_down_as_png_and_svg_offline(page, settle, app_url, done, kind, magic):
    visit(page, settle, app_url)
    page.get_by_role("radio", name=kind).click()
    settle(page)
    figure = chart(page, "Pearson r of each property")
    figure.hover()
    camera = figure.locator(
        '.modebar-btn[data-attr="toImage"], .modebar-btn[data-title*="ownload"]'
    )
    got = download(page, camera.first.click)
    assert got.suggested_filename == f"properties.{kind.lower()}"
    assert got.path().read_bytes().startswith(magic)


def test_means_of_repeats_on_a_switch(page, settle, app_url, done):
    visit(page, settle, app_url)
    page.get_by_role("radio", name="mean of 4 repeats").click()
    page.get_by_text("8 averaged test images of 8 concepts").wait_for()
    settle(page)
    dots = chart(page, "true and predicted").evaluate(DATA, "mean of repeats")
    assert len(dots["x"]) == 8
