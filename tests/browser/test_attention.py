"""The Attention page in a real browser: eight heads, drawn and turned together."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from tests.ui.made_jobs import finished_job
from tests.ui.made_maps import made_maps

FIRST_SCENE = 120_000  # ms


@pytest.fixture
def looked(app, monkeypatch):
    """A job of the running app whose maps are there."""
    monkeypatch.setenv("THINGSVIZ_DATA", str(app.data))
    monkeypatch.setenv("THINGSVIZ_JOBS", str(app.jobs))
    return made_maps(finished_job("looked"))


def cells(frame, page):
    """The eight views of the stage, (2, 4) pictures (height, width, 3)."""
    page.wait_for_timeout(500)
    shot = Image.open(io.BytesIO(frame.locator("#stage").screenshot())).convert("RGB")
    pixels = np.asarray(shot, int)
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 4
    return [
        pixels[r * height + 40 : (r + 1) * height - 40, c * width : (c + 1) * width]
        for r in range(2)
        for c in range(4)
    ]


def drag(frame, page):
    """Turn the first head by 80 pixels to the right."""
    box = frame.locator("#stage").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 150, steps=4)
    page.mouse.up()


def warm(pixels):
    return int((pixels[..., 0] - pixels[..., 2] > 60).sum())


def test_eight_heads_are_drawn_and_follow_the_threshold(page, app_url, looked, settle):
    page.goto(f"{app_url}/attention?dataset=tiny&job=looked")
    frame = page.frame_locator("#stpyvistaframe")
    frame.locator("#stage[data-scene]").wait_for(timeout=FIRST_SCENE)
    assert frame.locator(".head").all_inner_texts() == [f"Head {n}" for n in range(1, 9)]
    before = cells(frame, page)
    for n, cell in enumerate(before):
        drawn = (np.abs(cell - cell[0, 0]).max(-1) > 12).mean()
        assert drawn > 0.05, f"head {n + 1} is not drawn"
    assert sum(map(warm, before)) > 400
    old = frame.locator("#stage").get_attribute("data-scene")
    slider = page.get_by_role("slider").first
    slider.focus()
    slider.press("PageUp")  # ten steps at once: each step would draw the eight heads anew
    frame.locator(f"#stage[data-scene]:not([data-scene='{old}'])").wait_for(timeout=FIRST_SCENE)
    assert sum(map(warm, cells(frame, page))) != sum(map(warm, before))
    settle(page)
    still, unturned = cells(frame, page), list(range(8))
    for _ in range(6):  # on a busy machine a hand draws once more
        drag(frame, page)
        end = time.monotonic() + 5
        while unturned and time.monotonic() < end:
            turned = cells(frame, page)
            far = [(np.abs(a - b).max(-1) > 12).mean() for a, b in zip(still, turned, strict=True)]
            unturned = [n + 1 for n, share in enumerate(far) if share <= 0.01]
        if not unturned:
            break
    assert not unturned, "these heads did not turn along"
