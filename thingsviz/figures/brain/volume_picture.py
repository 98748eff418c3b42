"""True volume rendering of a trial as a picture: transfer function, brain's outline, camera.

Without OpenGL, VTK ends the process that asks it for a picture: this runs in `draw_worker` only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyvista as pv
from numpy.typing import NDArray
from scipy import ndimage
from vtkmodules.vtkCommonDataModel import vtkPiecewiseFunction
from vtkmodules.vtkRenderingCore import vtkColorTransferFunction, vtkVolume, vtkVolumeProperty
from vtkmodules.vtkRenderingVolume import vtkFixedPointVolumeRayCastMapper

from thingsviz.core.arrays import Mask, Volume
from thingsviz.core.space import Grid
from thingsviz.figures.base.style import Theme, diverging_table, palette, rgb
from thingsviz.figures.base.views import Camera
from thingsviz.figures.brain.scene import BRAIN_COLOURS
from thingsviz.figures.brain.volume import VolumeInfo

SIZE = (1200, 900)  # pixels
# a ray that runs this far through tissue at the colour limit meets the chosen opacity
DEPTH_MM = 4.0
N_COLOURS = 33


class PictureInfo(NamedTuple):
    """What the picture will show: `opacities` and `colours` by ascending value, colours 0–1."""

    size: tuple[int, int]
    opacities: tuple[tuple[float, float], ...]
    colours: tuple[tuple[float, float, float, float], ...]
    brain_opacity: float
    background: str
    camera: Camera


def picture_info(
    info: VolumeInfo, camera: Camera, theme: Theme, opacity: float = 0.8, brain: float = 0.08
) -> PictureInfo:
    """Return the transfer function of `info`: nothing below the threshold, `opacity` at the limit.

    α(v) = opacity · (0.15 + 0.85 · (|v| − t) / (L − t)) for t ≤ |v| ≤ L, 0 for |v| < t
    """
    t, end = info.threshold, max(info.limit, info.threshold * 1.001)
    side = ((t * 0.999, 0.0), (t, 0.15 * opacity), (end, opacity))
    opacities = tuple((-v, a) for v, a in reversed(side)) + side
    table = diverging_table(theme, N_COLOURS) / 255
    values = np.linspace(-end, end, N_COLOURS)
    rows = np.column_stack([values, table])
    colours = tuple((float(v), float(r), float(g), float(b)) for v, r, g, b in rows)
    return PictureInfo(SIZE, opacities, colours, brain, palette(theme).background, camera)


def draw_picture(
    picture: PictureInfo, volume: vtkVolume, brain: pv.PolyData, covered: Mask, theme: Theme
) -> NDArray[np.uint8]:
    """Draw a `volume_actor` and the outline of what the brain covers: (height, width, 3).

    Without anti-aliasing: VTK's passes for it make the volume vanish. The outline is drawn on the
    finished picture instead.
    """
    shell = pv.Property(
        theme=pv.themes.Theme(),
        color=BRAIN_COLOURS[theme],
        opacity=picture.brain_opacity,
        interpolation="Phong",
        specular=0.2,
    )
    glass = pv.Actor(mapper=pv.DataSetMapper(brain), prop=shell)
    pixels = _photograph(picture.size, picture.camera, picture.background, glass, volume)
    return _outlined(pixels, covered, rgb(palette(theme).muted))


def _photograph(
    size: tuple[int, int], eye: Camera, background: str, *actors: pv.Actor | vtkVolume
) -> NDArray[np.uint8]:
    plotter = pv.Plotter(off_screen=True, window_size=list(size))
    plotter.renderer.SetBackground(pv.Color(background).float_rgb)
    for actor in actors:
        plotter.renderer.AddViewProp(actor)
    plotter.camera.position = eye.position
    plotter.camera.focal_point = eye.focal_point
    plotter.camera.up = eye.up
    plotter.reset_camera_clipping_range()
    pixels = np.asarray(plotter.screenshot(None, return_img=True), np.uint8)
    plotter.close()
    return pixels


def silhouette(eye: Camera, brain: pv.PolyData) -> Mask:
    """Return which pixels (height, width) the brain covers."""
    flat = pv.Property(theme=pv.themes.Theme(), color="white", lighting=False)
    actor = pv.Actor(mapper=pv.DataSetMapper(brain), prop=flat)
    return np.asarray(_photograph(SIZE, eye, "black", actor)[..., 0] > 127)


def _outlined(
    pixels: NDArray[np.uint8], covered: Mask, colour: tuple[int, int, int]
) -> NDArray[np.uint8]:
    """Draw a soft line around `covered` (height, width) on `pixels` (height, width, 3)."""
    edge = covered ^ ndimage.binary_erosion(covered, iterations=2)
    weight = 0.85 * ndimage.gaussian_filter(edge.astype(np.float32), 0.8)[..., None]
    mixed = pixels * (1 - weight) + np.array(colour) * weight
    return np.asarray(np.rint(mixed), np.uint8)


def volume_actor(picture: PictureInfo, smoothed: Volume, grid: Grid) -> vtkVolume:
    """Return a volume (X, Y, Z) in mm: its image has the spacing, a rigid matrix places it.

    A mirrored affine (x to the left) is undone by turning the axis around, so that the matrix
    is a rotation: VTK's ray caster shades mirrored volumes inside out.
    """
    volume, matrix = _unmirrored(smoothed, grid.matrix)
    spacing = np.sqrt((matrix[:3, :3] ** 2).sum(0))
    image = pv.ImageData(dimensions=volume.shape, spacing=spacing)
    image.point_data["v"] = volume.ravel(order="F")
    # A lab's server has no graphics card: there the ray caster for the processor needs 0.6 s, the
    # one for OpenGL 1.3 s, with shading 3.9 s (1200 × 900, two cores).
    mapper = vtkFixedPointVolumeRayCastMapper()
    mapper.SetInputData(image)
    mapper.SetAutoAdjustSampleDistances(False)
    mapper.SetSampleDistance(float(spacing.min()) / 2)
    mapper.SetInteractiveSampleDistance(float(spacing.min()) / 2)
    mapper.SetImageSampleDistance(1)
    actor = vtkVolume()
    actor.SetMapper(mapper)
    actor.SetProperty(_look(picture))
    rigid = matrix.copy()
    rigid[:3, :3] /= spacing
    actor.SetUserMatrix(pv.vtkmatrix_from_array(rigid))
    return actor


def _unmirrored(volume: Volume, matrix: NDArray[np.float64]) -> tuple[Volume, NDArray[np.float64]]:
    if np.linalg.det(matrix[:3, :3]) > 0:
        return volume, matrix
    flip = np.eye(4)
    flip[0, 0], flip[0, 3] = -1, volume.shape[0] - 1
    return np.ascontiguousarray(volume[::-1]), matrix @ flip


def _look(picture: PictureInfo) -> vtkVolumeProperty:
    opacity, colour = vtkPiecewiseFunction(), vtkColorTransferFunction()
    for value, alpha in picture.opacities:
        opacity.AddPoint(value, alpha)
    for row in picture.colours:
        colour.AddRGBPoint(*row)
    look = vtkVolumeProperty()
    look.SetScalarOpacity(opacity)
    look.SetColor(colour)
    look.SetScalarOpacityUnitDistance(DEPTH_MM)
    look.SetInterpolationTypeToLinear()
    look.ShadeOff()  # so that a colour means a value, as on the colour bar
    return look
