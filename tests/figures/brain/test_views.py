"""Where the eye stands, and that left is left."""

import numpy as np
import pytest

from tests.figures.brains import CENTRE, GRID, RADII, mask, mirrored
from thingsviz.core.errors import ConfigError
from thingsviz.core.space import Grid
from thingsviz.figures.base.views import (
    VIEWS,
    Camera,
    Frame,
    camera,
    frame_of,
    on_picture,
    sides,
    sides_on_picture,
)

SIZE = (1200, 900)
FRAME = Frame((0.0, 0.0, 0.0), (60.0, 80.0, 55.0))
MM = {"L": (-50, 0, 0), "R": (50, 0, 0), "A": (0, 50, 0), "P": (0, -50, 0), "S": (0, 0, 50)}


def where(view, name):
    """Which way from the picture's middle a side lies: 'left', 'right', 'up', 'down' or ''."""
    (x, y), (mx, my) = on_picture(np.array([MM[name], (0, 0, 0)]), camera(view, FRAME), SIZE)
    if max(abs(x - mx), abs(y - my)) < 1:
        return ""
    if abs(x - mx) > abs(y - my):
        return "left" if x < mx else "right"
    return "up" if y < my else "down"


@pytest.mark.parametrize(
    ("view", "seen"),
    [
        ("left", {"A": "left", "P": "right", "S": "up", "L": ""}),
        ("right", {"A": "right", "P": "left", "S": "up", "R": ""}),
        ("front", {"R": "left", "L": "right", "S": "up"}),
        ("back", {"L": "left", "R": "right", "S": "up"}),
        ("top", {"L": "left", "R": "right", "A": "up"}),
        ("bottom", {"R": "left", "L": "right", "A": "up"}),
        ("oblique", {"A": "left", "P": "right", "S": "up"}),
    ],
)
def test_every_view_shows_the_sides_where_they_are(view, seen):
    assert {name: where(view, name) for name in seen} == seen


def test_the_left_view_is_known_in_millimetres():
    # 1.24 · max(55, 80 / (4/3)) / tan 15°
    distance = round(1.24 * 60 / np.tan(np.radians(15)), 2)
    assert camera("left", FRAME) == Camera((-distance, 0.0, 0.0), (0.0, 0.0, 0.0), (0, 0, 1))


@pytest.mark.parametrize("view", VIEWS)
def test_the_whole_brain_is_in_every_view(view, rng):
    direction = rng.standard_normal((500, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    surface = direction * FRAME.half
    places = on_picture(surface, camera(view, FRAME), SIZE)
    assert places.min() > 0
    assert (places < SIZE).all()
    reach = np.abs(places / SIZE - 0.5).max()
    assert reach > 0.35  # and fills it


def test_an_unknown_view_is_named_with_those_that_exist():
    with pytest.raises(ConfigError, match="'above' is unknown: choose one of left, right"):
        camera("above", FRAME)


def test_the_frame_is_the_box_of_the_mask():
    frame = frame_of(mask(), GRID)
    np.testing.assert_allclose(frame.centre, GRID.to_mm(CENTRE), atol=0.1)
    np.testing.assert_allclose(frame.half, RADII * 4, atol=4)


def test_a_mirrored_grid_gives_the_same_frame():
    _, inside, grid = mirrored()
    assert frame_of(inside, grid) == frame_of(mask(), GRID)


def test_an_empty_mask_frames_the_whole_grid():
    grid = Grid.of((11, 21, 31), np.diag([2.0, 2.0, 2.0, 1.0]))
    frame = frame_of(np.zeros((11, 21, 31), bool), grid)
    assert frame == Frame((10.0, 20.0, 30.0), (10.0, 20.0, 30.0))


def test_sides_stand_outside_the_brain_on_their_own_side():
    found = sides(FRAME)
    assert found["L"][0] < -60 < 60 < found["R"][0]
    assert found["P"][1] < -80 < 80 < found["A"][1]
    assert found["I"][2] < -55 < 55 < found["S"][2]


def test_sides_before_and_behind_the_brain_are_not_written():
    assert set(sides_on_picture(FRAME, camera("left", FRAME), SIZE)) == {"A", "P", "S", "I"}
    assert set(sides_on_picture(FRAME, camera("top", FRAME), SIZE)) == {"L", "R", "A", "P"}
    for name, (x, y) in sides_on_picture(FRAME, camera("back", FRAME), SIZE).items():
        assert 0 < x < SIZE[0], name
        assert 0 < y < SIZE[1], name
