"""The slices' JavaScript against Python, on grids that no planted subject has."""

from __future__ import annotations

import base64
import functools
import http.server
import io
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import thingsviz.ui
from thingsviz.analysis.regions.regions import Regions
from thingsviz.core.space import Grid
from thingsviz.figures.base.style import diverging_table, palette
from thingsviz.figures.brain.slices import PLANES, slices_info
from thingsviz.figures.brain.slices_packet import pack, pack_geometry

VIEWER = Path(thingsviz.ui.__file__).parent / "shell" / "viewer"
SHAPE = (12, 9, 10)
# Streamlit's side of the talk: answers the frame's messages and keeps them
HOST = b"""<!doctype html><title>host</title><body><iframe src="/index.html" width=900 height=500>
</iframe><script>window.said = []; window.keys = [];
addEventListener('message', e => said.push(e.data));
document.body.addEventListener('keydown', e => keys.push(e.key));
window.show = (packet, theme) => document.querySelector('iframe').contentWindow.postMessage({
  type: 'streamlit:render', theme,
  args: {view: 'slices', packet: Uint8Array.from(atob(packet), c => c.charCodeAt(0))}}, '*');
</script></body>"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the viewer's files and a page around them."""

    def do_GET(self):
        if self.path in {"/", "/favicon.ico"}:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(HOST)
        else:
            super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    handler = functools.partial(Handler, directory=str(VIEWER))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


class Brain:
    """A small brain on a grid: its packet and its truth."""

    def __init__(self, affine, seed=0):
        rng = np.random.default_rng(seed)
        self.grid = Grid.of(SHAPE, np.asarray(affine, float))
        self.mask = np.zeros(SHAPE, bool)
        self.mask[1:-1, 1:-1, 1:-1] = rng.random([n - 2 for n in SHAPE]) < 0.7
        self.start = tuple(int(i) for i in np.argwhere(self.mask)[100])
        n = int(self.mask.sum())
        self.values = rng.normal(size=n).astype(np.float16)
        self.regions = Regions(
            rng.integers(0, 3, n).astype(np.uint16), ("V1", "a, b"), "made by hand"
        )
        key = f"{affine}{seed}"
        self.geometry = pack_geometry(self.mask, self.grid, self.regions, self.start, key)

    def packet(self):
        return base64.b64encode(pack(self.geometry, self.values, "a trial")).decode()

    @property
    def volume(self):
        volume = np.zeros(SHAPE, np.float32)
        volume[self.mask] = self.values
        return volume


def theme(name):
    p = palette(name)
    return {
        "base": name,
        "textColor": p.text,
        "backgroundColor": p.background,
        "secondaryBackgroundColor": p.surface,
        "primaryColor": p.truth,
    }


@pytest.fixture
def show(page, server):
    """Show a brain in the viewer; returns its frame."""

    def go(brain, name="light"):
        if page.url != f"{server}/":
            page.goto(server)
            page.wait_for_function("said.some(m => m.type === 'streamlit:componentReady')")
        page.evaluate("([packet, theme]) => show(packet, theme)", [brain.packet(), theme(name)])
        frame = page.frame_locator("iframe")
        frame.locator("output:not(:empty)").wait_for()
        return frame

    return go


def text(frame):
    return frame.locator("output").inner_text()


def expected(brain, at):
    """What the read-out should say of a voxel, in Python."""
    x, y, z = (f"{round(float(v), 1):g}".replace("-", "−") for v in brain.grid.to_mm(np.array(at)))
    place = f"x {x} · y {y} · z {z} mm · voxel ({', '.join(map(str, at))})"
    if not brain.mask[at]:
        return f"{place} · outside the brain"
    info = slices_info(brain.volume, brain.mask, brain.grid, at, brain.regions)
    return f"{place} · beta", f"% signal change · {info.region or 'in no named region'}"


RAS = np.array([[2, 0, 0, -11], [0, 2, 0, -8.5], [0, 0, 2.5, -9], [0, 0, 0, 1]])
LAS = np.array([[-2, 0, 0, 11], [0, 2, 0, -8.5], [0, 0, 2.5, -9], [0, 0, 0, 1]])
PIR = np.array([[0, 0, 3, -12.5], [-2, 0, 0, 10], [0, -2, 0, 7], [0, 0, 0, 1]])
GRIDS = {"RAS": RAS, "LAS": LAS, "PIR": PIR}


@pytest.mark.parametrize("name", GRIDS)
def test_the_read_out_is_pythons(show, page, name):
    brain = Brain(GRIDS[name])
    frame = show(brain)
    canvas = frame.locator("canvas").nth(2)
    canvas.focus()
    for key in ("PageUp", "ArrowLeft", "ArrowLeft", "ArrowUp", "PageDown", "ArrowRight"):
        page.keyboard.press(key)
        said = text(frame)
        at = tuple(int(n) for n in said.split("voxel (")[1].split(")")[0].split(", "))
        wanted = expected(brain, at)
        if isinstance(wanted, str):
            assert said == wanted
        else:
            assert said.startswith(wanted[0])
            assert said.endswith(wanted[1])
            value = float(said.split(" · beta ")[1].split(" %")[0].replace("−", "-"))
            assert value == pytest.approx(float(brain.volume[at]), rel=5e-3)


@pytest.mark.parametrize("name", GRIDS)
def test_arrows_move_to_the_right_and_up_of_the_world(show, page, name):
    brain = Brain(GRIDS[name])
    frame = show(brain)

    def mm():
        said = text(frame).replace("−", "-")
        return np.array([float(said.split(f"{axis} ")[1].split(" ")[0]) for axis in "xyz"])

    for plane, (_, across, right, up) in enumerate(PLANES):
        frame.get_by_role("button", name="start").click()
        frame.locator("canvas").nth(plane).focus()
        for key, axis in (("ArrowRight", right), ("ArrowUp", up), ("PageUp", across)):
            before = mm()
            page.keyboard.press(key)
            moved = mm() - before
            assert moved[axis] > 0
            assert np.abs(np.delete(moved, axis)).max() == 0


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pixels_are_those_of_the_plain_slices(show, page, name, scheme):
    brain = Brain(GRIDS[name])
    frame = show(brain, scheme)
    info = slices_info(brain.volume, brain.mask, brain.grid, brain.start, brain.regions)
    table = diverging_table(scheme, 255).astype(int)
    for plane, cut in enumerate(info.planes):
        shot = frame.locator("canvas").nth(plane).screenshot()
        picture = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), int)
        inside = np.isfinite(cut.image)[::-1]  # the box leaves one voxel of margin: all of it here
        ny, nx = inside.shape
        image = np.nan_to_num(cut.image[::-1])
        wanted = table[np.clip(np.rint((image / info.limit + 1) * 127), 0, 254).astype(int)]
        right = near = 0
        for y in range(ny):
            for x in range(nx):
                # off the middle, where no crosshair runs
                at_y, at_x = (y + 0.2) / ny * picture.shape[0], (x + 0.2) / nx * picture.shape[1]
                seen = picture[int(at_y), int(at_x)]
                colour = wanted[y, x] if inside[y, x] else _rgb(palette(scheme).background)
                near += 1
                right += np.abs(seen - colour).max() <= 3
        assert right / near > 0.93, "letters cover a few"


def _rgb(colour):
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])


def test_every_half_is_read_as_numpy_reads_it(show, page):
    brain = Brain(RAS)
    odd = np.array([0, -0.0, 6e-8, -6e-8, 6.1e-5, 1, -2.5, 65504, np.inf, np.nan], np.float16)
    brain.values[: odd.size] = odd
    frame = show(brain)
    frame.get_by_role("button", name="strongest +").click()
    assert "+65504" in text(frame).replace("6.55e+4", "65504"), "infinity is no response"
    inner = page.frames[1]
    script = "async () => Array.from((await import('./slices.js')).HALF, String)"
    words = inner.evaluate(script)
    plain = np.arange(65536, dtype=np.uint16).view(np.float16).astype(float)
    seen = np.array([float(word.replace("Infinity", "inf")) for word in words])
    assert np.array_equal(seen, plain, equal_nan=True)


def test_a_missing_value_is_called_missing_and_is_grey(show, page):
    brain = Brain(RAS)
    rank = int(np.flatnonzero((np.argwhere(brain.mask) == brain.start).all(1))[0])
    brain.values[rank] = np.nan
    assert " · beta missing " in text(show(brain))


def test_the_crosshair_stays_in_the_box(show, page):
    brain = Brain(RAS)
    frame = show(brain)
    frame.locator("canvas").nth(0).focus()
    for _ in range(30):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("PageDown")
    at = text(frame).split("voxel (")[1].split(")")[0]
    assert at == f"0, {SHAPE[1] - 1}, {brain.start[2]}"


def test_another_subject_begins_at_its_own_start(show, page):
    first, second = Brain(RAS), Brain(LAS, seed=1)
    frame = show(first)
    frame.get_by_role("button", name="strongest +").click()
    moved = text(frame)
    show(second)
    wanted = f"voxel ({', '.join(map(str, second.start))})"
    frame.locator("output", has_text=wanted).wait_for()
    show(first)
    frame.locator("output", has_text=moved.split(" · beta")[0]).wait_for()


def test_keys_that_mean_nothing_here_go_to_the_page(show, page):
    frame = show(Brain(RAS))
    frame.locator(".readout").click()
    page.keyboard.press("ArrowRight")
    frame.locator("canvas").nth(0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("n")
    assert page.evaluate("keys") == ["ArrowRight", "n"]


def test_the_frame_says_how_high_it_is(show, page):
    frame = show(Brain(RAS))
    height = frame.locator("body").evaluate("b => b.getBoundingClientRect().height")
    page.wait_for_function(
        "h => said.some(m => m.type === 'streamlit:setFrameHeight' && m.height === Math.ceil(h))",
        arg=height,
    )
