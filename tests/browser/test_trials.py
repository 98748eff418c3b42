"""The Trials page in a real browser: arrows, slices, link, both themes, both widths."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image

from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import open_dataset

READOUT = re.compile(
    r"x (?P<x>[−\d.]+) · y (?P<y>[−\d.]+) · z (?P<z>[−\d.]+) mm · "
    r"voxel \((?P<i>\d+), (?P<j>\d+), (?P<k>\d+)\)(?: · beta (?P<beta>[+−][\d.e-]+) (?P<rest>.*))?"
)


@pytest.fixture
def store(tiny, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_DATA", str(tiny))
    return BetaStore.open(open_dataset("tiny"), "sub-01")


@pytest.fixture
def slices():
    """Open a trial and wait until its slices are drawn; returns the frame they are in."""

    def open_at(page, url, query=""):
        page.goto(f"{url}/trials{query}")
        return drawn(page)

    return open_at


def drawn(page):
    frame = page.frame_locator('iframe[title$="viewer"]').nth(1)
    frame.locator("output:not(:empty)").wait_for(timeout=60_000)
    return frame


def number(text):
    return float(text.replace("−", "-"))


def readout(frame):
    found = READOUT.match(frame.locator("output").inner_text())
    assert found, frame.locator("output").inner_text()
    return found


def voxel(frame):
    return tuple(int(readout(frame)[axis]) for axis in "ijk")


def at(page):
    found = re.search(r"session=(\d+)&run=(\d+)&trial=(\d+)", page.url)
    return tuple(int(part) for part in found.groups()) if found else None


def wait_for(page, key):
    session, run, trial = key
    page.wait_for_url(re.compile(rf"session={session:02d}&run={run:02d}&trial={trial}$"))


def pixels(locator):
    return np.asarray(Image.open(io.BytesIO(locator.screenshot())).convert("RGB"), int)


def test_arrow_keys_step_and_the_address_follows(page, app_url, slices):
    slices(page, app_url)
    wait_for(page, (1, 1, 1))
    page.keyboard.press("ArrowRight")
    wait_for(page, (1, 1, 2))
    page.keyboard.press("ArrowRight")
    wait_for(page, (1, 1, 3))
    page.keyboard.press("ArrowLeft")
    wait_for(page, (1, 1, 2))
    page.get_by_role("button", name="Next").click()
    wait_for(page, (1, 1, 3))


def test_back_leads_to_the_trial_before(page, app_url, slices):
    slices(page, app_url)
    wait_for(page, (1, 1, 1))
    page.get_by_role("button", name="Next").click()
    wait_for(page, (1, 1, 2))
    page.go_back()
    page.get_by_text("ses-01 run-01 trial 1", exact=False).first.wait_for()
    wait_for(page, (1, 1, 1))


def test_a_deep_link_right_after_the_start_has_frame_and_navigation(
    page, start_app, tiny, tmp_path, slices
):
    app = start_app(tiny, tmp_path)
    slices(page, app.url, "?dataset=tiny&subject=sub-01&session=02&run=01&trial=7")
    wait_for(page, (2, 1, 7))
    names = page.get_by_test_id("stSidebarNavLink").all_inner_texts()
    assert [name.split("\n")[-1] for name in names][:3] == ["Home", "Trials", "3D brain"]
    assert page.get_by_text("SIMULATED").first.is_visible()


def test_the_copied_link_opens_the_same_view(page, app_url, slices):
    slices(page, app_url, "?session=03&run=02&trial=5")
    wait_for(page, (3, 2, 5))
    button = page.frame_locator('iframe[title$="viewer"]').nth(0).get_by_role("button")
    button.click()
    button.get_by_text("Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url
    title = page.get_by_role("heading", level=3).first.inner_text()
    page.goto("about:blank")
    page.goto(copied)
    drawn(page)
    wait_for(page, (3, 2, 5))
    assert page.get_by_role("heading", level=3).first.inner_text() == title


def test_the_read_out_is_the_stores_own_number(page, app_url, slices, store):
    frame = slices(page, app_url, "?session=02&run=01&trial=4")
    row = next(r for r in range(44, 88) if str(store.key(r)) == "ses-02 run-01 trial 4")
    volume, mask = store.volume(row), store.mask
    for name, plain in (("strongest +", volume.argmax()), ("strongest −", volume.argmin())):
        frame.get_by_role("button", name=name).click()
        found = readout(frame)
        place = np.unravel_index(plain, volume.shape)
        assert voxel(frame) == place
        assert number(found["beta"]) == pytest.approx(float(volume[place]), rel=5e-3)
        mm = store.grid.to_mm(np.array(place))
        assert [number(found[axis]) for axis in "xyz"] == pytest.approx(mm, abs=0.06)
        member = store.voxels[
            int(mask.ravel()[:plain].sum()) : int(mask.ravel()[:plain].sum()) + 1
        ]
        named = [c for c in member if member[c].dtype == bool and bool(member[c].iloc[0])]
        expected = ", ".join(n.replace("_", " ") for n in named) or "in no named region"
        assert found["rest"] == f"% signal change · {expected}"


def test_a_click_moves_all_three_planes_and_nothing_is_asked_of_the_server(
    page, app_url, slices, settle
):
    sent = []
    page.on("websocket", lambda ws: ws.on("framesent", lambda f: sent.append(len(f))))
    frame = slices(page, app_url)
    settle(page)
    before, n_sent = voxel(frame), len(sent)
    canvases = frame.locator("canvas")
    pictures = [pixels(canvases.nth(plane)) for plane in range(3)]
    canvases.nth(2).scroll_into_view_if_needed()
    box = canvases.nth(2).bounding_box()
    canvases.nth(2).click(position={"x": box["width"] * 0.35, "y": box["height"] * 0.6})
    after = voxel(frame)
    assert after[:2] != before[:2]
    assert after[2] == before[2], "a click in the axial plane stays in it"
    for plane in range(3):
        assert not np.array_equal(pixels(canvases.nth(plane)), pictures[plane])
    assert len(sent) == n_sent


def test_keys_in_a_slice_move_the_crosshair_and_not_the_trial(page, app_url, slices):
    frame = slices(page, app_url)
    wait_for(page, (1, 1, 1))
    frame.get_by_role("button", name="start").click()
    i, j, k = voxel(frame)
    axial = frame.locator("canvas").nth(2)
    axial.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("PageUp")
    assert voxel(frame) == (i + 2, j - 1, k + 1)
    assert at(page) == (1, 1, 1)
    assert f"voxel ({i + 2}, {j - 1}, {k + 1})" in axial.get_attribute("aria-label")


def test_the_crosshair_stays_from_trial_to_trial(page, app_url, slices):
    frame = slices(page, app_url)
    wait_for(page, (1, 1, 1))
    frame.get_by_role("button", name="strongest −").click()
    place, beta = voxel(frame), readout(frame)["beta"]
    frame.locator(".readout").click()
    page.keyboard.press("ArrowRight")  # the frame passes keys on that mean nothing to it
    wait_for(page, (1, 1, 2))
    page.wait_for_function(
        "beta => ![...document.querySelectorAll('iframe')].some("
        "f => f.contentDocument?.querySelector('output')?.textContent.includes(beta))",
        arg=beta,
    )
    assert voxel(frame) == place


def test_orientation_left_is_left(page, app_url, slices, store):
    frame = slices(page, app_url)
    axial = frame.locator("canvas").nth(2)
    axial.scroll_into_view_if_needed()
    box = axial.bounding_box()
    xs, ys = [], []
    for share in (0.3, 0.7):
        axial.click(position={"x": box["width"] * share, "y": box["height"] * 0.5})
        xs.append(number(readout(frame)["x"]))
    for share in (0.3, 0.7):
        axial.click(position={"x": box["width"] * 0.5, "y": box["height"] * share})
        ys.append(number(readout(frame)["y"]))
    assert xs[0] < xs[1], "x grows to the right"
    assert ys[0] > ys[1], "y grows to the front, which is up"


def test_the_pointer_reads_without_a_click(page, app_url, slices):
    frame = slices(page, app_url)
    before = voxel(frame)
    frame.locator("canvas").nth(1).hover()
    frame.locator(".pointer", has_text="under the pointer").wait_for()
    assert voxel(frame) == before


def test_averaging_by_the_slider_changes_the_response(page, app_url, slices, store):
    row = int(np.flatnonzero(store.trials["trial_type"] == "test")[0])
    key = store.key(row)
    frame = slices(page, app_url, f"?session={key.session}&run={key.run}&trial={key.trial}")
    one = frame.locator("output").inner_text()
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.get_by_text("mean of 3 showings").first.wait_for()
    frame.locator("output", has_not_text=one).wait_for()
    same = np.flatnonzero(store.trials["image_filename"] == store.trials["image_filename"][row])
    mean = np.mean([store.volume(int(r)) for r in same[:3]], axis=0)
    place = voxel(frame)
    assert number(readout(frame)["beta"]) == pytest.approx(float(mean[place]), rel=1e-2, abs=2e-3)
    assert wait_for(page, (key.session, key.run, key.trial)) is None, (
        "keys of a slider are its own"
    )


def test_pictures_have_words(page, app_url, slices, settle):
    slices(page, app_url)
    settle(page)
    alts = [image.get_attribute("alt") for image in page.locator("main img, img").all()]
    assert any((alt or "").startswith("The picture shown: ") for alt in alts)
    assert all(alts)


@pytest.mark.parametrize(
    ("scheme", "ground"), [("light", (255, 255, 255)), ("dark", (16, 22, 28))]
)
def test_slices_stand_on_the_page_in_both_themes(chromium, app_url, slices, scheme, ground):
    page = chromium.new_page(viewport={"width": 1280, "height": 1600}, color_scheme=scheme)
    frame = slices(page, app_url)
    shown = pixels(frame.locator("canvas").nth(2))
    corner = shown[4:8, 20:30].reshape(-1, 3)
    assert np.abs(corner - ground).max() <= 2
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) > 50
    between = pixels(frame.locator(".foot"))[-1, -1]
    assert np.abs(between - ground).max() <= 2, "the frame's own ground too"
    page.close()


@pytest.mark.parametrize("width", [1280, 768])
def test_the_page_does_not_scroll_sideways(chromium, app_url, slices, settle, width):
    page = chromium.new_page(viewport={"width": width, "height": 900})
    frame = slices(page, app_url)
    settle(page)
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 2
    for canvas in frame.locator("canvas").all():
        box = canvas.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    page.close()


def test_nonsense_in_the_address_is_one_sentence(page, app_url, slices):
    slices(page, app_url, "?dataset=%3Cscript%3E&session=abc")
    boxes = page.get_by_test_id("stAlert").all_inner_texts()
    assert len(boxes) == 2
    assert any("is not here" in text for text in boxes)
    assert any("should be a number counted from 1" in text for text in boxes)
    wait_for(page, (1, 1, 1))
