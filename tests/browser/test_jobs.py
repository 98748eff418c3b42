import time
from urllib.parse import parse_qs, urlparse

import pytest

from tests.browser.conftest import stop_button
from thingsviz.jobs.job_folder import create_job, open_job
from thingsviz.jobs.recipe import parse_config
from thingsviz.queue import submit

LONG = {"epochs": 2000, "batches_per_epoch": 20, "batch_size": 16}
VIT = {"name": "vit3d", "tokens": "brain", "patch_embedding": "local", "embed_dim": 32}


@pytest.fixture
def jobs_app(start_app, tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_DATA", str(tiny))
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path))
    return start_app(tiny, tmp_path)


def wait_for(what, seconds=90):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.mark.slow
def test_watch_the_line_stop_rename_delete_undo(jobs_app, page, settle):
    for name, fit in (("long", LONG), ("next", LONG)):
        job = create_job(parse_config({"name": name, "dataset": "tiny", "model": VIT, "fit": fit}))
        submit.start(job)
    page.goto(f"{jobs_app.url}/jobs")
    page.get_by_text("number 1 in the line").wait_for()
    page.get_by_role("progressbar").first.wait_for()

    # the row follows the training by itself, and tells what it takes
    page.get_by_text(" CPU").first.wait_for()
    page.get_by_role("button", name="long", exact=True).click()
    page.wait_for_url("**job=long")
    stop_button(page).click()
    wait_for(lambda: open_job("long").status().state == "stopped")
    # the next one begins, and the page shows both without a reload
    wait_for(lambda: open_job("next").status().state == "running")
    page.get_by_role("button", name="Resume").wait_for()
    submit.stop(open_job("next"))
    wait_for(lambda: open_job("next").status().state == "stopped")

    page.get_by_text("Title, tags, note").click()
    page.get_by_label("Title", exact=True).fill("The long <b>one</b>")
    page.get_by_label("Tags, with commas between").fill("paper")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="The long <b>one</b>").wait_for()

    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("long is in the bin.").wait_for()
    assert "job" not in parse_qs(urlparse(page.url).query)
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("heading", name="The long <b>one</b>").wait_for()
    assert open_job("long").status().state == "stopped"

    # clone with changes: the form of the Train page has its settings
    page.get_by_role("button", name="Train a variant").click()
    page.get_by_role("button", name="Start training").wait_for()
    settle(page)
    assert page.get_by_label("Epochs", exact=True).input_value() == "2000"
