"""Where the eye stands: the named views of a brain, and where its sides are written."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thingsviz.core.errors import ConfigError
from thingsviz.core.space import Grid

Triple = tuple[float, float, float]

# x grows to the person's right, y to the front, z to the top (RAS+, as NIfTI has it).
# name: (where the eye stands, which way is up)
_VIEWS: dict[str, tuple[Triple, Triple]] = {
    "left": ((-1, 0, 0), (0, 0, 1)),
    "right": ((1, 0, 0), (0, 0, 1)),
    "front": ((0, 1, 0), (0, 0, 1)),
    "back": ((0, -1, 0), (0, 0, 1)),
    "top": ((0, 0, 1), (0, 1, 0)),
    "bottom": ((0, 0, -1), (0, 1, 0)),
    # from behind on the left and above: both the visual cortex and the lateral surface are seen
    "oblique": ((-0.72, -0.60, 0.36), (0, 0, 1)),
}
VIEWS = tuple(_VIEWS)
SIDES = {
    "L": (-1, 0, 0),
    "R": (1, 0, 0),
    "A": (0, 1, 0),
    "P": (0, -1, 0),
    "S": (0, 0, 1),
    "I": (0, 0, -1),
}
VIEW_ANGLE = 30.0  # degrees, from the lower to the upper edge; what vtk.js uses unless told
ASPECT = 4 / 3  # of a picture; a narrower window steps back


class Camera(NamedTuple):
    """Eye, what it looks at, and which way is up; all in mm."""

    position: Triple
    focal_point: Triple
    up: Triple


class Frame(NamedTuple):
    """The brain's middle and half its extent along x, y, z, in mm."""

    centre: Triple
    half: Triple


def frame_of(mask: NDArray[np.bool_], grid: Grid) -> Frame:
    """Return the box around the brain of `mask` (X, Y, Z), in mm."""
    ijk = np.argwhere(mask)
    if not len(ijk):
        ijk = np.array([[0, 0, 0], np.array(mask.shape) - 1])
    low, high = ijk.min(0), ijk.max(0)
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    mm = grid.to_mm(low + corners * (high - low))
    centre, half = (mm.min(0) + mm.max(0)) / 2, (mm.max(0) - mm.min(0)) / 2
    return Frame(_triple(centre), _triple(np.maximum(half, 1.0)))


def camera(view: str, frame: Frame, room: float = 1.24) -> Camera:
    """Return the camera of a named view that sees the whole brain with `room` around it."""
    if view not in _VIEWS:
        msg = f"view {view!r} is unknown: choose one of {', '.join(VIEWS)}"
        raise ConfigError(msg)
    direction, up = _VIEWS[view]
    towards = np.array(direction) / np.linalg.norm(direction)
    right = np.cross(up, towards)
    right = right / np.linalg.norm(right)
    above = np.cross(towards, right)
    # an ellipsoid of half axes h reaches |h ∘ u| along a unit vector u
    across, upwards = (np.linalg.norm(np.array(frame.half) * u) for u in (right, above))
    # d = r / tan(α / 2): r just fits into a cone of opening α
    distance = room * max(upwards, across / ASPECT) / math.tan(math.radians(VIEW_ANGLE / 2))
    return Camera(_triple(np.array(frame.centre) + distance * towards), frame.centre, up)


def sides(frame: Frame, room: float = 1.13) -> dict[str, Triple]:
    """Return where L, R, A, P, S, I stand around the brain, in mm."""
    centre, half = np.array(frame.centre), np.array(frame.half)
    return {name: _triple(centre + room * half * np.array(to)) for name, to in SIDES.items()}


def _triple(mm: NDArray[np.floating]) -> Triple:
    x, y, z = (round(float(v), 2) for v in mm)
    return x, y, z


def on_picture(
    mm: NDArray[np.floating], camera_: Camera, size: tuple[int, int]
) -> NDArray[np.float64]:
    """Return where points (n, 3) in mm fall on a picture of `size` (width, height): (n, 2) pixels.

    A pinhole at the eye: right = forward × up; y counts from the top.
    """
    eye, focal = np.array(camera_.position), np.array(camera_.focal_point)
    forward = (focal - eye) / np.linalg.norm(focal - eye)
    right = np.cross(forward, camera_.up)
    right /= np.linalg.norm(right)
    up = np.cross(right, forward)
    to = np.asarray(mm, float) - eye
    width, height = size
    scale = height / 2 / math.tan(math.radians(VIEW_ANGLE / 2)) / (to @ forward)
    x, y = width / 2 + scale * (to @ right), height / 2 - scale * (to @ up)
    return np.column_stack([x, y])


def sides_on_picture(
    frame: Frame, camera_: Camera, size: tuple[int, int]
) -> dict[str, tuple[float, float]]:
    """Return where the sides are written on a picture; not those before or behind the brain."""
    forward = np.array(camera_.focal_point) - np.array(camera_.position)
    forward = forward / np.linalg.norm(forward)
    seen = {k: mm for k, mm in sides(frame).items() if abs(np.dot(SIDES[k], forward)) < 0.8}
    places = on_picture(np.array(list(seen.values())), camera_, size)
    return {name: (float(x), float(y)) for name, (x, y) in zip(seen, places, strict=True)}
