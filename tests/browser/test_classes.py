"""What a classifier guessed, in a browser: its strip, the curve over k, and what k does."""

import pytest

from thingsviz.analysis.scores import resampling
from thingsviz.commands import train
from thingsviz.jobs.job_folder import create_job
from thingsviz.jobs.recipe import parse_config


@pytest.fixture(scope="module")
def classified(app, tiny):
    """A finished LDA of the tiny subject's concepts in the app's jobs folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINGSVIZ_DATA", str(tiny))
        patch.setenv("THINGSVIZ_JOBS", str(app.jobs))
        patch.setenv("THINGSVIZ_THREADS", "1")
        patch.delenv("THINGSVIZ_DERIVATIVES", raising=False)
        patch.setattr(resampling, "N_DRAWS", 60)
        recipe = {"name": "classes-lda", "dataset": "tiny", "learns": "concepts"}
        recipe |= {"model": {"name": "lda"}, "split": {"kind": "test_images"}}
        job = create_job(parse_config(recipe))
        assert train.main([str(job.path)]) == 0
        return job


def test_hits_are_shown_beside_all_that_belongs_to_them(page, settle, app_url, classified):
    page.goto(f"{app_url}/predictions?job=classes-lda")
    page.get_by_text("Named best").wait_for()
    settle(page)
    rows = classified.predictions().query("part == 'test' and n_averaged == 1")
    text = page.get_by_test_id("stMain").inner_text()
    assert f"({(rows['rank'] <= 10).sum()} of {len(rows)})" in text
    for part in (
        "SIMULATED",
        "prior-only",
        "through ratings",
        "than one-hot ridge (test, single)",
    ):
        assert part in text, part
    curve = page.locator(".js-plotly-plot").filter(has_text="Guesses allowed")
    drawn = curve.evaluate("plot => plot.data.map(t => Array.from(t.y || []))")
    shares = [float((rows["rank"] <= k).mean()) for k in range(1, 33)]
    assert any(len(y) == 32 and y == pytest.approx(shares) for y in drawn)
    k = page.get_by_role("spinbutton", name="Guesses allowed")
    k.fill("3")
    k.press("Enter")
    page.get_by_text("Top-3 share of hits").first.wait_for()
    settle(page)
    shown = page.get_by_test_id("stMetricValue").first.inner_text()
    assert f"({(rows['rank'] <= 3).sum()} of {len(rows)})" in shown
