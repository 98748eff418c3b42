"""How maps of several heads are drawn: one scene of linked views to turn, or rendered volumes."""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
import pyvista as pv
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from thingsviz.analysis.maps.volumes import Volumes
from thingsviz.core.arrays import Mask
from thingsviz.core.space import Grid
from thingsviz.figures.base.lettering import letters, wrapped
from thingsviz.figures.base.style import Theme, diverging_table, palette
from thingsviz.figures.base.views import Camera
from thingsviz.figures.brain import surface, volume_picture
from thingsviz.figures.brain.draw_orders import SceneLayer
from thingsviz.figures.brain.heads import HeadInfo, HeadsInfo
from thingsviz.figures.brain.scene import BRAIN_COLOURS, _mapper

# a head's surfaces; eight heads are 8 × (2 × 3,500) triangles, 0.6 MB packed
HEAD_FACES = 3_500
HALO, BRAIN = 0.38, 0.10
CELL = (600, 450)  # pixels of one head in a picture
TITLE, LETTERS = 52, 34


class HeadsScene(NamedTuple):
    """What is drawn: volumes (n, X, Y, Z) on a grid, the brain's surface, the camera of all."""

    volumes: Volumes
    grid: Grid
    brain: pv.PolyData
    camera: Camera


def heads_plotter(
    scene: HeadsScene, info: HeadsInfo, theme: Theme
) -> tuple[tuple[SceneLayer, ...], pv.Plotter]:
    """Return the scene: a view a head in a grid, all with one camera; and its layers in order."""
    plotter = pv.Plotter(off_screen=True, shape=(info.rows, info.columns), border=False)
    layers: list[SceneLayer] = []
    for n, (head, volume) in enumerate(zip(info.heads, scene.volumes, strict=True)):
        plotter.subplot(*divmod(n, info.columns))
        plotter.renderer.SetBackground(pv.Color(palette(theme).background).float_rgb)
        for layer, mesh in _meshes(head, volume, scene, theme):
            look = pv.Property(
                theme=pv.themes.Theme(),
                color=layer.colour,
                opacity=layer.opacity,
                interpolation="Phong",
                ambient=0.25,
                diffuse=0.75,
                specular=0.2,
                specular_power=20,
            )
            actor = pv.Actor(mapper=_mapper(mesh), prop=look, name=layer.name)
            plotter.add_actor(actor, name=layer.name, reset_camera=False)
            layers.append(layer)
    plotter.link_views()
    plotter.camera.position = scene.camera.position
    plotter.camera.focal_point = scene.camera.focal_point
    plotter.camera.up = scene.camera.up
    return tuple(layers), plotter


def _meshes(
    head: HeadInfo, volume: NDArray[np.float32], scene: HeadsScene, theme: Theme
) -> list[tuple[SceneLayer, pv.PolyData]]:
    """Return the layers of one head with a face to draw, inside out."""
    p = palette(theme)
    found = []
    for group, level, opacity in (("core", head.core, 1.0), ("halo", head.level, HALO)):
        if 0 < level < float(volume.max()):
            mesh = surface.isosurface(volume, level, scene.grid, HEAD_FACES)
            found.append((SceneLayer(f"{group} {head.name}", group, p.positive, opacity, 0), mesh))
    shell = SceneLayer(f"brain {head.name}", "brain", BRAIN_COLOURS[theme], BRAIN, 0)
    found.append((shell, scene.brain))
    return [
        (layer._replace(n_faces=surface.n_faces(mesh)), mesh)
        for layer, mesh in found
        if surface.n_faces(mesh)
    ]


def picture_of(
    head: HeadInfo, camera: Camera, theme: Theme, size: tuple[int, int] = volume_picture.SIZE
) -> volume_picture.PictureInfo:
    """Return the transfer function of a map: nothing below its level, most opaque at its limit."""
    n = volume_picture.N_COLOURS
    table = diverging_table(theme, 2 * n + 1)[n:] / 255
    values = np.linspace(0, head.limit, len(table))
    colours = tuple(
        (float(v), float(r), float(g), float(b))
        for v, (r, g, b) in zip(values, table, strict=True)
    )
    level = max(head.level, 1e-9)
    end = max(head.limit, level * 1.01)
    opacities = ((0.0, 0.0), (level * 0.999, 0.0), (level, 0.12), (end, 0.8))
    background = palette(theme).background
    return volume_picture.PictureInfo(size, opacities, colours, 0.08, background, camera)


def heads_picture(
    scene: HeadsScene, covered: Mask, info: HeadsInfo, theme: Theme
) -> NDArray[np.uint8]:
    """Return rendered volumes, one a head, with their names: (height, width, 3)."""
    p = palette(theme)
    several = len(info.heads) > 1
    width, height = CELL if several else volume_picture.SIZE
    outline = covered[::2, ::2] if several else covered
    size = (info.columns * width, info.rows * (height + TITLE))
    sheet = Image.new("RGB", size, p.background)
    pen, font = ImageDraw.Draw(sheet), letters(LETTERS)
    for n, (head, volume) in enumerate(zip(info.heads, scene.volumes, strict=True)):
        row, column = divmod(n, info.columns)
        picture = picture_of(head, scene.camera, theme, (width, height))
        actor = volume_picture.volume_actor(picture, volume, scene.grid)
        pixels = volume_picture.draw_picture(picture, actor, scene.brain, outline, theme)
        cell = Image.fromarray(pixels)
        corner = (column * width, row * (height + TITLE))
        sheet.paste(cell, (corner[0], corner[1] + TITLE))
        pen.text((corner[0] + 16, corner[1] + 8), head.name, p.text, font)
    return np.asarray(sheet)


def finish(pixels: NDArray[np.uint8], lines: tuple[str, ...], theme: Theme, mark: str) -> bytes:
    """Return a PNG of a picture with lines of words under it; `mark` stands out before them."""
    p, width = palette(theme), pixels.shape[1]
    first = f"{mark}  {lines[0]}" if mark else lines[0]
    # as large as on a screen when the picture is shown half its size
    size = max(20, width // 60)
    rows = [row for line in (first, *lines[1:]) for row in wrapped(line, size, width - 32)]
    step = round(1.5 * size)
    sheet = Image.new("RGB", (width, pixels.shape[0] + step * (len(rows) + 1)), p.background)
    sheet.paste(Image.fromarray(pixels), (0, 0))
    pen, font, top = ImageDraw.Draw(sheet), letters(size), pixels.shape[0] + step // 3
    for n, row in enumerate(rows):
        pen.text((16, top + step * n), row, p.text if n == 0 else p.muted, font)
    if mark:
        pen.text((16, top), mark, "#D55E00", font)
    packed = io.BytesIO()
    sheet.save(packed, "PNG")
    return packed.getvalue()
