"""The process that draws: orders come on stdin, scenes and pictures go to stdout, one by one.

VTK ends the process that it runs in when the machine has no OpenGL (measured: `pyvista.Plotter()`
alone is a segmentation fault then), and no process that many people look at may end like that. So
it runs here. Started by `thingsviz.ui.brain.drawing`; ends when stdin closes or nobody asks.
"""

from __future__ import annotations

import ctypes
import os
import select
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import IO, TYPE_CHECKING

# the window that needs neither a screen nor, until it renders, OpenGL; read when VTK is loaded
os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

import numpy as np

from thingsviz.core.arrays import Mask
from thingsviz.core.errors import ThingsvizError
from thingsviz.core.space import Grid
from thingsviz.figures.base import gif, views
from thingsviz.figures.brain import caption, heads, heads_scene, scene, surface, vtkjs
from thingsviz.figures.brain import volume_picture as pictures
from thingsviz.figures.brain.draw_orders import (
    DrawingError,
    DrawJob,
    DrawReply,
    Kind,
    SceneLayer,
    pack_reply,
    receive,
    send,
    unpack_job,
)
from thingsviz.figures.brain.volume import VolumeInfo, volume_info

if TYPE_CHECKING:
    import pyvista as pv

IDLE_S = 900.0
# VTK and the serializers keep a little of each scene: after so many a new process takes over
ORDERS = 500
OPENGL = ("libEGL.so.1", "libEGL.so", "libOSMesa.so.8", "libOSMesa.so")
NO_OPENGL = (
    "This server has no OpenGL library, which pictures need; the surfaces that you turn by hand "
    "work without. On Debian, 'apt-get install libegl1 libgl1-mesa-dri' adds it."
)


def draw(job: DrawJob) -> DrawReply:
    """Draw one order."""
    if job.order.kind in {"heads", "heads_picture", "heads_gif"}:
        return draw_heads(job)
    info = volume_info(job.smoothed, job.mask, job.grid, job.order.choice)
    frame = views.frame_of(job.mask, job.grid)
    return _DRAW[job.order.kind](job, info, frame)


def draw_scene(job: DrawJob, info: VolumeInfo, frame: views.Frame) -> DrawReply:
    """Return the scene for vtk.js, with all layers; the browser hides and fades them."""
    layers, plotter = _plot(job, info, views.camera(job.order.view, frame))
    blob = vtkjs.vtksz(plotter)
    plotter.close()
    return DrawReply(blob, layers)


def draw_surfaces(job: DrawJob, info: VolumeInfo, frame: views.Frame) -> DrawReply:
    """Return a PNG of the scene in a named view, with its caption."""
    _need_opengl()
    camera = views.camera(job.order.view, frame)
    _, plotter = _plot(job, info, camera)
    plotter.window_size = list(pictures.SIZE)
    return _framed(job, info, frame, scene.photograph(plotter))


def draw_volume(job: DrawJob, info: VolumeInfo, frame: views.Frame) -> DrawReply:
    """Return a PNG of the volume rendered in a named view, with its caption."""
    _need_opengl()
    order, theme = job.order, job.order.theme
    picture = pictures.picture_info(
        info,
        views.camera(order.view, frame),
        theme,
        order.opacity.get("volume", 0.8),
        order.opacity.get("brain", 0.08),
    )
    brain = _brain(job.mask, job.grid)
    covered = _covered(np.packbits(job.mask).tobytes(), job.mask.shape, job.grid, picture.camera)
    volume = pictures.volume_actor(picture, job.smoothed, job.grid)
    return _framed(job, info, frame, pictures.draw_picture(picture, volume, brain, covered, theme))


def draw_heads(job: DrawJob) -> DrawReply:
    """Return the linked scene of several maps for vtk.js, or a PNG of their rendered volumes."""
    order, theme = job.order, job.order.theme
    eye = views.camera(order.view, views.frame_of(job.mask, job.grid))
    info = heads.heads_info(job.smoothed, job.mask, job.grid, order.names, order.heads)
    scene_ = heads_scene.HeadsScene(job.smoothed, job.grid, _brain(job.mask, job.grid), eye)
    if order.kind == "heads":
        layers, plotter = heads_scene.heads_plotter(scene_, info, theme)
        blob = vtkjs.vtksz(plotter)
        plotter.close()
        return DrawReply(blob, layers)
    _need_opengl()
    covered = _covered(np.packbits(job.mask).tobytes(), job.mask.shape, job.grid, eye)
    if order.kind == "heads_gif":
        return draw_gif(scene_, covered, info, job)
    pixels = heads_scene.heads_picture(scene_, covered, info, theme)
    lines = (order.title, order.subtitle, heads.describe(info))
    mark = "SIMULATED" if order.simulated else ""
    return DrawReply(heads_scene.finish(pixels, lines, theme, mark))


def draw_gif(
    scene_: heads_scene.HeadsScene, covered: Mask, info: heads.HeadsInfo, job: DrawJob
) -> DrawReply:
    """Return a GIF that shows one map after the other."""
    order = job.order
    mark = "SIMULATED" if order.simulated else ""
    frames = []
    for n, head in enumerate(info.heads):
        one = scene_._replace(volumes=scene_.volumes[n : n + 1])
        own = info._replace(heads=(head,), rows=1, columns=1)
        pixels = heads_scene.heads_picture(one, covered, own, order.theme)
        lines = (order.title, order.subtitle, heads.describe(info))
        frames.append(heads_scene.finish(pixels, lines, order.theme, mark))
    return DrawReply(gif.animate(frames))


_DRAW: dict[Kind, Callable[[DrawJob, VolumeInfo, views.Frame], DrawReply]] = {
    "scene": draw_scene,
    "surfaces": draw_surfaces,
    "volume": draw_volume,
}


def answer(message: bytes) -> DrawReply:
    """Draw the order in a message; what goes wrong becomes the reply's one sentence."""
    try:
        return draw(unpack_job(message))
    except ThingsvizError as error:
        return DrawReply(error=str(error))
    except Exception as error:  # it serves all visitors: one bad order must not end it
        return DrawReply(
            error=f"The picture could not be drawn ({type(error).__name__}: {error})."
        )


def serve(
    orders: IO[bytes], replies: IO[bytes], idle_s: float = IDLE_S, most: int = ORDERS
) -> int:
    """Answer until the pipe closes, nobody asks for `idle_s` seconds, or `most` are done."""
    for _ in range(most):
        if not select.select([orders], [], [], idle_s)[0]:
            break
        message = receive(orders)
        if message is None:
            break
        send(replies, pack_reply(answer(message)))
    return 0


def main() -> int:
    """Serve the pipe that this process was started with; what libraries print goes to stderr."""
    os.nice(5)  # the pages come first
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        return serve(sys.stdin.buffer, replies)
    except (BrokenPipeError, KeyboardInterrupt):
        return 0


def _plot(
    job: DrawJob, info: VolumeInfo, camera: views.Camera
) -> tuple[tuple[SceneLayer, ...], pv.Plotter]:
    order = job.order
    meshes = scene.scene_meshes(job.smoothed, job.mask, job.grid, info, order.theme)
    meshes = meshes._replace(brain=_brain(job.mask, job.grid))
    layers = scene.scene_layers(meshes, order.theme)
    if order.kind != "scene":
        layers = tuple(
            layer._replace(opacity=order.opacity.get(layer.group, layer.opacity))
            for layer in layers
            if layer.group in order.show
        )
    return layers, scene.draw_scene(layers, meshes, camera, order.theme)


def _framed(
    job: DrawJob, info: VolumeInfo, frame: views.Frame, pixels: caption.Pixels
) -> DrawReply:
    """Write the sides and the caption onto a picture."""
    order = job.order
    camera = views.camera(order.view, frame)
    places = views.sides_on_picture(frame, camera, pictures.SIZE)
    words = caption.caption(order.title, order.subtitle, info, simulated=order.simulated)
    if order.kind == "surfaces":
        words = caption.of_surfaces(words, info, order.show, order.theme)
    pixels = caption.with_sides(pixels, places, order.theme)
    return DrawReply(caption.finish(pixels, words, order.theme))


def _brain(mask: Mask, grid: Grid) -> pv.PolyData:
    """Return the brain's surface, made once a subject: 250 ms."""
    return _surface(np.packbits(mask).tobytes(), mask.shape, grid)


@lru_cache(maxsize=8)
def _surface(packed: bytes, shape: tuple[int, int, int], grid: Grid) -> pv.PolyData:
    flat = np.unpackbits(np.frombuffer(packed, np.uint8), count=int(np.prod(shape)))
    return surface.brain_surface(flat.reshape(shape).astype(bool), grid)


@lru_cache(maxsize=32)
def _covered(packed: bytes, shape: tuple[int, int, int], grid: Grid, eye: views.Camera) -> Mask:
    """Return which pixels of a picture the brain covers, made once a view: 150 ms of 800."""
    return pictures.silhouette(eye, _surface(packed, shape, grid))


def _need_opengl() -> None:
    """Refuse in words what would end this process."""
    for name in OPENGL:
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return
    raise DrawingError(NO_OPENGL)


if __name__ == "__main__":
    sys.exit(main())
