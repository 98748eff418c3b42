"""The Compare page in a browser: it draws what the jobs hold; its document opens offline."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.ui.made_jobs import finished_job, scores_of

CHARTS = ".js-plotly-plot"
DOTS = """(plot, name) => {
  const trace = plot.data.find(t => t.name === name);
  return Array.from(trace.x);
}"""


@pytest.fixture(scope="module")
def compared(app, tiny):
    """Three finished jobs in the app's jobs folder: two of one question, one of another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINGSVIZ_DATA", str(tiny))
        patch.setenv("THINGSVIZ_JOBS", str(app.jobs))
        patch.delenv("THINGSVIZ_DERIVATIVES", raising=False)
        jobs = [finished_job("sharp", share=0.8), finished_job("blunt", share=0.1, seed=1)]
        finished_job("elsewhere", split={"kind": "trial"})
    return jobs


def test_two_trainings_side_by_side(page, settle, app_url, compared):
    page.goto(f"{app_url}/compare?jobs=sharp,blunt")
    page.get_by_text("Settings that differ").wait_for()
    settle(page)
    chart = page.locator(CHARTS).filter(has_text="Pearson r of each property, 95 % intervals")
    for job in compared:
        rows = scores_of(job).query(
            "part == 'test' and n_averaged == 'single' and metric == 'r' and model == 'vit3d'"
        )
        assert np.sort(chart.evaluate(DOTS, job.name)) == pytest.approx(np.sort(rows["value"]))
    assert page.get_by_text("sharp is better").count() == 1
    pictures = page.get_by_role("img", name="Picture of")
    assert pictures.count() == 10
    assert pictures.first.evaluate("image => image.naturalWidth") > 0


def test_the_document_opens_by_itself(page, settle, app_url, compared, tmp_path):
    page.goto(f"{app_url}/compare?jobs=sharp,blunt")
    button = page.get_by_role("button", name="Comparison (HTML)")
    button.wait_for()
    settle(page)
    with page.expect_download() as found:
        button.click()
    path = tmp_path / "comparison.html"
    found.value.save_as(path)
    page.goto(path.as_uri())
    expect(page.get_by_role("heading", name="Comparison of sharp, blunt")).to_be_visible()
    assert page.locator("svg circle").count() >= 12
    page.set_viewport_size({"width": 420, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 430


def test_what_is_not_comparable_says_why(page, settle, app_url, compared):
    page.goto(f"{app_url}/compare?jobs=sharp,elsewhere")
    page.get_by_text("its trials were split by trial").wait_for()
    settle(page)
    expect(page.get_by_text("Comparable with sharp: blunt")).to_be_visible()
    assert page.locator(CHARTS).count() == 0
