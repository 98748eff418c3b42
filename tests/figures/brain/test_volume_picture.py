"""Pictures of volumes: the transfer function in numbers, and what the drawing process makes."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.figures.brains import GRID, bump, mask, mirrored
from thingsviz.figures.base.style import diverging_table, palette, rgb
from thingsviz.figures.base.views import camera, frame_of
from thingsviz.figures.brain import caption as captions
from thingsviz.figures.brain.draw_orders import DrawJob, DrawOrder
from thingsviz.figures.brain.volume import VolumeChoice, volume_info
from thingsviz.figures.brain.volume_picture import N_COLOURS, SIZE, picture_info
from thingsviz.ui.brain.drawing import DrawingPool

CHOICE = VolumeChoice(0.0, "value", 4.0)
FRAME = frame_of(mask(), GRID)


@pytest.fixture(scope="module")
def drawing_pool():
    made = DrawingPool(1)
    yield made
    made.close()


def png(drawing_pool, volume=None, inside=None, grid=GRID, **changes):
    """Draw in the drawing process; return pixels (height, width, 3) and the text beside them."""
    order = DrawOrder("volume", "light", CHOICE, title="demo · sub-01")._replace(**changes)
    volume = bump() if volume is None else volume
    reply = drawing_pool.draw(DrawJob(order, volume, mask() if inside is None else inside, grid))
    picture = Image.open(io.BytesIO(reply.blob))
    picture.load()
    return np.asarray(picture.convert("RGB"), int), picture.text


def middle_of_red(pixels):
    """Where the red response lies: mean (x, y) of clearly red pixels above the caption."""
    top = pixels[: SIZE[1]]
    red = (top[..., 0] > 120) & (top[..., 1] < 90) & (top[..., 2] < 100)
    assert red.sum() > 200
    y, x = np.argwhere(red).mean(0)
    return x, y


def test_the_transfer_function_is_known_in_numbers():
    info = volume_info(bump(), mask(), GRID, CHOICE)._replace(limit=6.0)
    eye = camera("left", FRAME)
    found = picture_info(info, eye, "light", 0.8, 0.1)
    assert found.size == (1200, 900)
    assert found.camera == eye
    assert (found.background, found.brain_opacity) == ("#FFFFFF", 0.1)
    values = [v for v, _ in found.opacities]
    assert values == pytest.approx([-6.0, -4.0, -3.996, 3.996, 4.0, 6.0])
    assert [a for _, a in found.opacities] == pytest.approx([0.8, 0.12, 0.0, 0.0, 0.12, 0.8])
    assert len(found.colours) == N_COLOURS
    assert found.colours[0][0] == -6.0
    assert found.colours[-1][0] == 6.0
    table = diverging_table("light", N_COLOURS) / 255
    np.testing.assert_allclose([row[1:] for row in found.colours], table)


def test_a_threshold_at_the_limit_still_rises():
    info = volume_info(bump(), mask(), GRID, CHOICE)._replace(limit=4.0)
    values = [v for v, _ in picture_info(info, camera("left", FRAME), "dark").opacities]
    assert values == sorted(values)
    assert len(set(values)) == 6


@pytest.mark.parametrize(
    ("view", "left", "low"), [("back", True, True), ("front", False, True), ("top", True, True)]
)
@pytest.mark.parametrize("kind", ["volume", "surfaces"])
def test_a_planted_response_appears_on_its_own_side(drawing_pool, kind, view, left, low):
    # planted on the left, at the back, low: in the view from above, the back is below
    x, y = middle_of_red(png(drawing_pool, kind=kind, view=view)[0])
    assert (x < SIZE[0] / 2 - 40) == left
    assert (y > SIZE[1] / 2 + 40) == low


def test_a_mirrored_file_gives_the_same_picture(drawing_pool):
    one, _ = png(drawing_pool, view="back")
    volume, inside, grid = mirrored()
    other, _ = png(drawing_pool, volume, inside, grid, view="back")
    np.testing.assert_allclose(middle_of_red(one), middle_of_red(other), atol=4)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_background_is_the_pages(drawing_pool, theme):
    pixels, _ = png(drawing_pool, theme=theme)
    assert tuple(pixels[5, 5]) == rgb(palette(theme).background)
    assert pixels.shape == (SIZE[1] + captions.STRIP, SIZE[0], 3)


def test_threshold_opacity_and_parts_change_the_picture(drawing_pool):
    plain, _ = png(drawing_pool)
    assert (png(drawing_pool)[0] == plain).all()  # and nothing else does
    for changes in (
        {"choice": CHOICE._replace(threshold=2.0)},
        {"opacity": {"volume": 0.2, "brain": 0.08}},
        {"opacity": {"volume": 0.8, "brain": 0.5}},
        {"view": "left"},
    ):
        other, _ = png(drawing_pool, **changes)
        assert (np.abs(other - plain)[: SIZE[1]].max(-1) > 12).sum() > 300, changes
    surfaces, _ = png(drawing_pool, kind="surfaces")
    sliced, _ = png(drawing_pool, kind="surfaces", show=("brain", "positive", "slices"))
    assert (surfaces != sliced).any(-1).sum() > 10_000


def test_simulated_is_written_into_the_picture_and_beside_it(drawing_pool):
    plain, text = png(drawing_pool)
    assert text["Description"].startswith("demo · sub-01. |beta| > 4 % signal change")
    marked, text = png(drawing_pool, simulated=True)
    assert text["Description"].startswith("SIMULATED. demo")
    strip = np.s_[SIZE[1] :, :200]
    assert (np.abs(marked[strip] - rgb(captions.ORANGE)).max(-1) < 3).sum() > 800
    assert (np.abs(plain[strip] - rgb(captions.ORANGE)).max(-1) < 3).sum() == 0


def test_the_caption_is_known_in_words_and_numbers():
    info = volume_info(bump(), mask(), GRID, VolumeChoice(6.0, "percentile", 97.0))
    info = info._replace(threshold=1.25, percentile=97.0, limit=3.0)
    found = captions.caption("demo", "dog_12s.jpg", info, simulated=True)
    assert found == captions.Caption(
        title="demo",
        lines=(
            "dog_12s.jpg",
            "|beta| > 1.25 % signal change (97th percentile of the brain) · smoothing 6 mm FWHM",
        ),
        simulated=True,
        unit="beta (% signal change)",
        patches=(),
        ticks=((-3.0, "-3"), (-1.25, "-1.25"), (1.25, "+1.25"), (3.0, "+3")),
        limit=3.0,
        hidden=1.25,
    )
    shown = ("brain", "positive", "slices")
    surfaces = captions.of_surfaces(found, info, shown, "light")
    assert surfaces == found._replace(
        patches=(captions.Patch(palette("light").positive, "above +1.25"),),
        ticks=((-3.0, "-3"), (0.0, "0"), (3.0, "+3")),
        hidden=0.0,
    )
    assert captions.of_surfaces(found, info, ("negative",), "dark").ticks == ()
    assert "smoothing none" in captions.threshold_text(info._replace(smoothing_mm=0.0))


@pytest.mark.parametrize(
    ("percentile", "words"),
    [(97, "97th"), (91, "91st"), (82, "82nd"), (93, "93rd"), (99.9, "99.9th"), (12, "12th")],
)
def test_percentiles_are_spoken_properly(percentile, words):
    assert captions._ordinal(percentile) == words


def test_the_bar_leaves_open_what_the_threshold_hides():
    info = volume_info(bump(), mask(), GRID, CHOICE)._replace(limit=8.0)
    text = captions.caption("", "", info, simulated=False)
    blank = np.full((50, SIZE[0], 3), 255, np.uint8)
    packed = captions.finish(blank, text, "light")
    pixels = np.asarray(Image.open(io.BytesIO(packed)).convert("RGB"))
    row = pixels[50 + 30 + captions.BAR[1] // 2]
    first = SIZE[0] - captions.MARGIN - captions.BAR[0]
    surface = rgb(palette("light").surface)
    hidden = (row[first : first + captions.BAR[0]] == surface).all(-1)
    assert hidden.mean() == pytest.approx(0.5, abs=0.02)  # ±4 of ±8
    assert hidden[captions.BAR[0] // 2]
    assert not hidden[[0, -1]].any()
