"""What the pages may ask of the drawing process, and how orders and replies travel through a pipe.

One message is 8 bytes of length, then a NumPy archive (no pickle) with arrays and one JSON text.
"""

from __future__ import annotations

import io
import json
from typing import IO, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thingsviz.core.arrays import Mask, Volume
from thingsviz.core.errors import ThingsvizError
from thingsviz.core.space import Grid
from thingsviz.figures.base.style import Theme
from thingsviz.figures.brain.heads import HeadsChoice
from thingsviz.figures.brain.volume import VolumeChoice

LENGTH = 8
MOST = 1 << 31  # bytes; a longer message is none of ours

Kind = Literal["scene", "surfaces", "volume", "heads", "heads_picture", "heads_gif"]


class DrawingError(ThingsvizError):
    """A picture that could not be drawn, and why."""


class SceneLayer(NamedTuple):
    """One actor of a scene, in drawing order; `group` is what the page shows, hides and fades."""

    name: str
    group: str
    colour: str | None  # None: a picture lies on it
    opacity: float
    n_faces: int


class DrawOrder(NamedTuple):
    """What to draw: a scene for the browser, or a picture of its surfaces or of the volume."""

    kind: Kind
    theme: Theme
    choice: VolumeChoice = VolumeChoice()
    view: str = "oblique"
    opacity: dict[str, float] = {}  # noqa: RUF012  (never changed)
    show: tuple[str, ...] = ("brain", "positive", "negative")
    title: str = ""
    subtitle: str = ""
    simulated: bool = False
    # of "heads", "heads_picture" and "heads_gif" (a frame a map): their names, what is drawn
    names: tuple[str, ...] = ()
    heads: HeadsChoice = HeadsChoice()


class DrawJob(NamedTuple):
    """An order with its data: smoothed betas and brain mask (X, Y, Z) on a grid.

    Of heads, `smoothed` holds a volume a head, (n, X, Y, Z).
    """

    order: DrawOrder
    smoothed: Volume
    mask: Mask
    grid: Grid


class DrawReply(NamedTuple):
    """The drawn bytes (vtksz or PNG) and, of a scene, its layers; or what went wrong."""

    blob: bytes = b""
    layers: tuple[SceneLayer, ...] = ()
    error: str = ""


def pack_job(job: DrawJob) -> bytes:
    """Return a job as a message."""
    about = job.order._asdict() | {"choice": job.order.choice._asdict(), "affine": job.grid.affine}
    return _pack(about, smoothed=job.smoothed, mask=job.mask)


def unpack_job(message: bytes) -> DrawJob:
    """Return the job of a message."""
    about, arrays = _unpack(message)
    grid = Grid.of(arrays["mask"].shape, np.array(about.pop("affine")))
    choice = about.pop("choice")
    crosshair = choice.pop("crosshair_mm")
    about["choice"] = VolumeChoice(**choice, crosshair_mm=crosshair and tuple(crosshair))
    about["heads"] = HeadsChoice(*about["heads"])
    about["show"], about["names"] = tuple(about["show"]), tuple(about["names"])
    return DrawJob(DrawOrder(**about), arrays["smoothed"], arrays["mask"], grid)


def pack_reply(reply: DrawReply) -> bytes:
    """Return a reply as a message."""
    about = {"layers": reply.layers, "error": reply.error}
    return _pack(about, blob=np.frombuffer(reply.blob, np.uint8))


def unpack_reply(message: bytes) -> DrawReply:
    """Return the reply of a message."""
    about, arrays = _unpack(message)
    layers = tuple(SceneLayer(*layer) for layer in about["layers"])
    return DrawReply(arrays["blob"].tobytes(), layers, str(about["error"]))


def send(stream: IO[bytes], message: bytes) -> None:
    """Write a message and its length."""
    stream.write(len(message).to_bytes(LENGTH, "little") + message)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """Read one message; None when the other side has closed the pipe, even in mid-message."""
    head = stream.read(LENGTH)
    if len(head) < LENGTH:
        return None
    length = int.from_bytes(head, "little")
    if length > MOST:
        return None
    body = stream.read(length)
    return body if len(body) == length else None


def _pack(about: dict[str, Any], **arrays: NDArray[Any]) -> bytes:
    packed = io.BytesIO()
    text = np.frombuffer(json.dumps(about).encode(), np.uint8)
    np.savez(packed, allow_pickle=False, about=text, **arrays)
    return packed.getvalue()


def _unpack(message: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    with np.load(io.BytesIO(message), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return json.loads(arrays.pop("about").tobytes()), arrays
