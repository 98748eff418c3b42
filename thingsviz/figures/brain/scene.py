"""The 3D scene of a trial for the browser: which layers in which colours; surfaces only.

A volume actor in the scene blanks the whole of it in vtk.js; volume rendering is a picture
(`volume_picture`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyvista as pv
from numpy.typing import NDArray

from thingsviz.core.arrays import Mask, Volume
from thingsviz.core.space import Grid
from thingsviz.figures.base.style import Theme, palette
from thingsviz.figures.base.views import Camera
from thingsviz.figures.brain import surface
from thingsviz.figures.brain.draw_orders import SceneLayer
from thingsviz.figures.brain.volume import VolumeInfo, colours

BRAIN_COLOURS: dict[Theme, str] = {"light": "#B9C2CC", "dark": "#8C99A8"}
DEFAULT_OPACITY = {"brain": 0.16, "positive": 1.0, "negative": 1.0, "slices": 1.0}


class Meshes(NamedTuple):
    """What is drawn, in mm; None where nothing passes the threshold."""

    brain: pv.PolyData
    positive: pv.PolyData | None
    negative: pv.PolyData | None
    slices: tuple[surface.TexturedPlane, ...]


def scene_meshes(
    smoothed: Volume, mask: Mask, grid: Grid, info: VolumeInfo, theme: Theme
) -> Meshes:
    """Return the meshes of a smoothed volume (X, Y, Z) in 60 ms, the brain's surface left empty.

    That one costs 250 ms and is the same for all trials: see `draw_worker`, which keeps it.
    """
    empty = pv.PolyData()
    return Meshes(
        brain=empty,
        positive=_response(smoothed, info.n_positive, info.threshold, grid),
        negative=_response(-smoothed, info.n_negative, info.threshold, grid),
        slices=tuple(_slice(axis, smoothed, mask, grid, info, theme) for axis in range(3)),
    )


def scene_layers(meshes: Meshes, theme: Theme) -> tuple[SceneLayer, ...]:
    """Return what will be drawn of `meshes`, in drawing order, without what has no face."""
    p = palette(theme)
    slices = [
        SceneLayer(f"slice {axis}", "slices", None, 1.0, surface.n_faces(plane.mesh))
        for axis, plane in zip(surface.AXES, meshes.slices, strict=True)
    ]
    surfaces = [
        ("negative", p.negative, meshes.negative),
        ("positive", p.positive, meshes.positive),
        ("brain", BRAIN_COLOURS[theme], meshes.brain),
    ]
    layers = slices + [
        SceneLayer(name, name, colour, DEFAULT_OPACITY[name], surface.n_faces(mesh))
        for name, colour, mesh in surfaces
    ]
    return tuple(layer for layer in layers if layer.n_faces)


def draw_scene(
    layers: tuple[SceneLayer, ...], meshes: Meshes, camera: Camera, theme: Theme
) -> pv.Plotter:
    """Draw `layers` of `meshes`: one actor each, in their order."""
    plotter = pv.Plotter(off_screen=True, window_size=[1200, 900])
    plotter.renderer.SetBackground(pv.Color(palette(theme).background).float_rgb)
    for layer in layers:
        plotter.add_actor(_actor(layer, meshes, theme), name=layer.name, reset_camera=False)
    plotter.camera.position = camera.position
    plotter.camera.focal_point = camera.focal_point
    plotter.camera.up = camera.up
    return plotter


def photograph(plotter: pv.Plotter) -> NDArray[np.uint8]:
    """Return the picture (height, width, 3) of a drawn scene and close it. Needs OpenGL."""
    # what lies behind shines through in the right order
    plotter.renderer.enable_depth_peeling(6)  # type: ignore[no-untyped-call]
    plotter.enable_anti_aliasing("ssaa")
    plotter.reset_camera_clipping_range()
    pixels = np.asarray(plotter.screenshot(None, return_img=True), np.uint8)
    plotter.close()
    return pixels


def _response(volume: Volume, n_voxels: int, level: float, grid: Grid) -> pv.PolyData | None:
    return surface.isosurface(volume, level, grid) if n_voxels else None


def _slice(
    axis: int, smoothed: Volume, mask: Mask, grid: Grid, info: VolumeInfo, theme: Theme
) -> surface.TexturedPlane:
    index = info.crosshair.ijk[axis]
    picture = colours(np.take(smoothed, index, axis), info.limit, theme)
    return surface.slice_plane(axis, index, picture, mask, grid)


def _actor(layer: SceneLayer, meshes: Meshes, theme: Theme) -> pv.Actor:
    if layer.colour is None:
        return _textured(meshes.slices[surface.AXES.index(layer.name[-1])])
    mesh = getattr(meshes, layer.name)
    shell = layer.name == "brain"
    look = pv.Property(
        theme=pv.themes.Theme(),
        color=layer.colour,
        opacity=layer.opacity,
        interpolation="Phong",
        ambient=0.25 if shell else 0.18,
        diffuse=0.75,
        specular=0.25 if shell else 0.3,
        specular_power=20,
    )
    return pv.Actor(mapper=_mapper(mesh), prop=look, name=layer.name)


def _textured(plane: surface.TexturedPlane) -> pv.Actor:
    """Return a slice that shows its colours as they are: no light falls on it."""
    look = pv.Property(theme=pv.themes.Theme(), color="white", lighting=False)
    actor = pv.Actor(mapper=_mapper(plane.mesh), prop=look)
    texture: Any = pv.Texture(plane.picture[::-1])  # type: ignore[no-untyped-call]  # rows are v
    texture.interpolate, texture.repeat = True, False
    texture.SetEdgeClamp(True)
    actor.texture = texture
    return actor


def _mapper(mesh: pv.PolyData) -> pv.DataSetMapper:
    mapper = pv.DataSetMapper(mesh)
    mapper.scalar_visibility = False
    return mapper
