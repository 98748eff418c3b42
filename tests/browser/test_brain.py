"""The 3D page in a real browser: what is on the screen, judged by its pixels."""

import io

import numpy as np
import pytest
from PIL import Image

LIGHT, DARK = (255, 255, 255), (16, 22, 28)
FIRST_SCENE = 60_000  # ms; the first visitor waits for stpyvista's import and the drawing process


class Stage:
    """The stage in a page: its state, its pixels, its eye."""

    def __init__(self, page):
        self.page = page
        self.frame = page.frame_locator("#stpyvistaframe")
        self.box = self.frame.locator("#stage")

    def open(self, url, wait=FIRST_SCENE):
        self.page.goto(url)
        self.frame.locator("#stage[data-scene]").wait_for(timeout=wait)
        return self

    @property
    def scene(self):
        return self.box.get_attribute("data-scene")

    def next_scene(self, old):
        self.frame.locator(f"#stage[data-scene]:not([data-scene='{old}'])").wait_for()

    def view(self, name):
        self.page.get_by_role("radio", name=name, exact=True).click()
        self.frame.locator(f"#stage[data-view='{name}']").wait_for()

    def pixels(self):
        """What the visitor sees of the scene (height, width, 3), without the words around it."""
        self.page.wait_for_timeout(400)
        shot = Image.open(io.BytesIO(self.box.screenshot())).convert("RGB")
        pixels = np.asarray(shot, int)
        return pixels[40:-70]

    def eye(self):
        return self.box.evaluate(
            "(stage) => stage.querySelector('iframe.shown').contentWindow.renderWindow"
            ".getRenderers().find((r) => r.getActors().length).getActiveCamera().getPosition()"
        )

    def labels(self):
        """Where the sides are written: {name: (x, y)} of those seen, in pixels."""
        found = {}
        for label in self.frame.locator("#over b").all():
            if float(label.evaluate("(b) => getComputedStyle(b).opacity")) > 0.5:
                box = label.bounding_box()
                found[label.inner_text()] = (box["x"], box["y"])
        return found


@pytest.fixture
def stage(page, app_url):
    return Stage(page).open(f"{app_url}/brain")


def differing(one, other, by=24):
    return int((np.abs(one - other).max(-1) > by).sum())


def unlike(pixels, colour, by=6):
    return int((np.abs(pixels - colour).max(-1) > by).sum())


def test_the_scene_is_drawn_with_both_signs_in_colour(stage):
    pixels = stage.pixels()
    assert unlike(pixels, LIGHT) > 0.1 * pixels[..., 0].size
    red = (pixels[..., 0] - pixels[..., 2] > 60).sum()
    blue = (pixels[..., 2] - pixels[..., 0] > 60).sum()
    assert red > 100
    assert blue > 100
    assert stage.box.get_attribute("aria-label").startswith("3D brain of tiny")


def test_threshold_changes_the_picture_and_keeps_the_eye(stage, page):
    box = stage.box.bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 420, box["y"] + 260, steps=5)
    page.mouse.up()
    turned, before, old = stage.eye(), stage.pixels(), stage.scene
    slider = page.get_by_role("slider", name="Percentile of |beta|")
    slider.focus()
    for _ in range(60):
        slider.press("ArrowLeft")
    stage.next_scene(old)
    page.wait_for_timeout(1500)
    assert differing(before, stage.pixels()) > 500
    np.testing.assert_allclose(stage.eye(), turned, atol=0.5)
    stage.frame.get_by_role("button", name="Reset view").click()
    assert not np.allclose(stage.eye(), turned, atol=5)


def test_views_change_the_picture_and_left_is_left(stage):
    seen = {}
    for name in ("left", "back", "top"):
        stage.view(name)
        seen[name] = stage.pixels()
        labels = stage.labels()
        if name == "left":
            assert labels["A"][0] < labels["P"][0]
        else:
            assert labels["L"][0] < labels["R"][0]
    assert differing(seen["left"], seen["back"]) > 2000
    assert differing(seen["back"], seen["top"]) > 2000


def test_parts_are_switched_without_a_new_scene(stage, page):
    scene, full = stage.scene, stage.pixels()
    page.get_by_role("button", name="slices in space").click()
    page.wait_for_timeout(1000)
    sliced = stage.pixels()
    assert differing(full, sliced) > 5000
    for part in ("positive", "negative", "slices in space"):
        page.get_by_role("button", name=part, exact=True).click()
        page.wait_for_timeout(700)
    shell = stage.pixels()
    assert (np.ptp(shell, axis=-1) > 40).sum() < 50  # only the grey brain is left
    assert unlike(shell, LIGHT) > 5000
    assert stage.scene == scene


def test_trials_follow_each_other_by_the_arrow_keys_on_one_canvas(stage, page):
    for trial in (2, 3):
        old = stage.scene
        page.keyboard.press("ArrowRight")
        stage.next_scene(old)
        assert f"trial={trial}" in page.url
    assert stage.box.locator("iframe").count() == 1
    assert "trial 3" in stage.box.get_attribute("aria-label")


def test_the_volume_rendering_is_a_picture_that_can_be_kept(stage, page):
    page.get_by_role("radio", name="Volume rendering").click()
    picture = page.get_by_role("img", name="Volume rendering of tiny")
    picture.wait_for()
    assert picture.evaluate("(img) => img.decode().then(() => img.naturalWidth)") == 1200
    before = picture.get_attribute("src")
    page.get_by_role("radio", name="top", exact=True).click()
    page.get_by_role("img", name=", top").wait_for()
    assert picture.get_attribute("src") != before
    kept = saved(page)
    assert kept.size == (1200, 1004)
    assert kept.text["Description"].startswith("SIMULATED. tiny · sub-01 · ses-01 run-01 trial 1")
    assert len(kept.convert("RGB").getcolors(1 << 24)) > 500


def test_the_surfaces_can_be_kept_too(stage, page):
    kept = saved(page)
    assert kept.size == (1200, 1004)
    assert kept.text["Description"].startswith("SIMULATED. tiny")
    colours = np.asarray(kept.convert("RGB"), int)
    assert (colours[..., 0] - colours[..., 2] > 60).sum() > 100


def saved(page):
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").click()
    assert download.value.suggested_filename.endswith(".png")
    found = Image.open(download.value.path())
    found.load()
    return found


def test_nothing_above_the_threshold_is_a_sentence_in_place_of_the_scene(stage, page):
    page.get_by_role("radio", name="value", exact=True).click()
    field = page.get_by_label("|beta| above, % signal change")
    field.fill("900")
    field.press("Enter")
    page.get_by_text("No voxel of this brain passes").wait_for()
    assert page.locator("#stpyvistaframe").count() == 0
    field.fill("1")
    field.press("Enter")
    stage.frame.locator("#stage[data-scene]").wait_for()
    assert unlike(stage.pixels(), LIGHT) > 5000


def test_dark_is_dark_all_over(chromium, app_url):
    context = chromium.new_context(viewport={"width": 768, "height": 1000}, color_scheme="dark")
    stage = Stage(context.new_page()).open(f"{app_url}/brain")
    pixels = stage.pixels()
    assert tuple(pixels[0, 0]) == DARK
    assert unlike(pixels, DARK) > 5000
    context.close()


def test_a_scene_costs_less_than_its_budget_of_bytes(page, app_url, settle):
    """< 1.5 MB for the first scene with its viewer; a look costs next to nothing."""
    heard = [0]
    page.on(
        "websocket",
        lambda ws: ws.on("framereceived", lambda f: heard.__setitem__(0, heard[0] + len(f))),
    )
    page.on(
        "requestfinished",
        lambda r: heard.__setitem__(0, heard[0] + r.sizes()["responseBodySize"]),
    )
    page.goto(app_url)
    settle(page)
    heard[0] = 0
    page.get_by_role("link", name="3D brain").first.click()
    stage = Stage(page)
    stage.frame.locator("#stage[data-scene]").wait_for(timeout=FIRST_SCENE)
    settle(page)
    first, heard[0] = heard[0], 0
    stage.view("left")
    settle(page)
    look, heard[0] = heard[0], 0
    old = stage.scene
    page.get_by_role("button", name="Next").click()
    stage.next_scene(old)
    settle(page)
    another = heard[0]
    assert first < 1_500_000
    assert look < 40_000
    assert another < 700_000
