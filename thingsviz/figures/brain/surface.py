"""How a volume becomes triangles in mm: the brain's surface, isosurfaces, slices in space."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyvista as pv
from numpy.typing import NDArray
from scipy import ndimage

from thingsviz.core.arrays import Mask, Volume
from thingsviz.core.space import Grid

# A browser gets some 23,000 triangles, 330 kB packed: looks smooth, and turns smoothly without a
# graphics card. The brain is seen through and needs fewer than its area would ask.
BRAIN_FACES = 9_000
RESPONSE_FACES = 7_000
AXES = ("x", "y", "z")


class TexturedPlane(NamedTuple):
    """One slice in space: quads with texture coordinates, the picture (n_v, n_u, 3) on them."""

    mesh: pv.PolyData
    picture: NDArray[np.uint8]


def brain_surface(mask: Mask, grid: Grid, n_faces: int = BRAIN_FACES) -> pv.PolyData:
    """Return the smooth outside of `mask` (X, Y, Z) as at most `n_faces` triangles, in mm.

    Holes inside the mask are filled first: nobody sees them, and they cost triangles.
    """
    solid = ndimage.binary_fill_holes(mask).astype(np.float32)
    soft = ndimage.gaussian_filter(np.pad(solid, 2), 1.0, truncate=3)
    # a very small mask may smooth away below one half
    surface = _contour(soft, min(0.5, float(soft.max()) / 2), n_faces, pad=2)
    return _in_mm(surface.smooth_taubin(n_iter=15, pass_band=0.08), grid)


def isosurface(
    volume: Volume, level: float, grid: Grid, n_faces: int = RESPONSE_FACES
) -> pv.PolyData:
    """Return where `volume` (X, Y, Z) rises above `level`: at most `n_faces` triangles, in mm."""
    surface = _contour(np.pad(volume, 1), level, n_faces, pad=1)
    return _in_mm(surface.smooth_taubin(n_iter=10, pass_band=0.2), grid)


def slice_plane(
    axis: int, index: int, colours: NDArray[np.uint8], mask: Mask, grid: Grid
) -> TexturedPlane:
    """Return the slice at voxel `index` of `axis` through the brain, as textured quads in mm.

    `colours` (n_u, n_v, 3) is the slice's picture. One quad covers one run of brain voxels in a
    row, so that the slice ends where the mask ends, in about 150 quads instead of 4,000.
    """
    inside = np.take(mask, index, axis)
    runs = _runs(inside)
    quads = np.array([[[a, v], [b, v], [b, v + 1], [a, v + 1]] for v, a, b in runs], float)
    uv = quads.reshape(-1, 2)
    # a texture pixel's edge lies half a voxel before the voxel's centre
    points = np.insert(uv - 0.5, axis, index, axis=1)
    faces = np.insert(np.arange(len(uv)).reshape(-1, 4), 0, 4, axis=1)
    mesh = pv.PolyData(grid.to_mm(points).astype(np.float32), faces.ravel())
    mesh.active_texture_coordinates = (uv / inside.shape).astype(np.float32)
    picture = np.ascontiguousarray(colours.transpose(1, 0, 2))
    return TexturedPlane(mesh, picture)


def n_faces(mesh: pv.PolyData | None) -> int:
    """Return how many faces a mesh has; none has 0."""
    return 0 if mesh is None else int(mesh.n_cells)


def _runs(inside: Mask) -> list[tuple[int, int, int]]:
    """Return (v, first u, last u + 1) of each run of True along u in `inside` (n_u, n_v)."""
    edges = np.diff(np.pad(inside, ((1, 1), (0, 0))).astype(np.int8), axis=0).T
    starts, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    return [(int(v), int(a), int(b)) for (v, a), (_, b) in zip(starts, ends, strict=True)]


def _contour(volume: Volume, level: float, n_faces: int, pad: int) -> pv.PolyData:
    """Return the isosurface of a padded volume in voxel coordinates of the unpadded one."""
    image = pv.ImageData(dimensions=volume.shape, origin=(-pad,) * 3)
    image.point_data["v"] = volume.ravel(order="F")
    surface: pv.PolyData = image.contour(
        [level], scalars="v", method="flying_edges", compute_scalars=False
    )
    if surface.n_cells > n_faces:
        surface = surface.decimate_pro(1 - n_faces / surface.n_cells)
    return surface


def _in_mm(surface: pv.PolyData, grid: Grid) -> pv.PolyData:
    """Move a surface from voxel indices to mm, with normals that point out of it.

    Points are rounded to 0.02 mm and normals to 1/64: unseen, and a third fewer bytes once packed.
    """
    mirrored = np.linalg.det(grid.matrix[:3, :3]) < 0
    faces = surface.regular_faces
    make: Any = pv.PolyData.from_regular_faces  # typed for lists of lists
    points = np.round(grid.to_mm(surface.points) * 50) / 50
    moved = make(points, faces[:, ::-1] if mirrored else faces)
    moved = moved.compute_normals(
        cell_normals=False, split_vertices=False, auto_orient_normals=False
    )
    normals = np.round(np.asarray(moved.point_data["Normals"]) * 64) / 64
    clean: pv.PolyData = make(np.asarray(moved.points, np.float32), moved.regular_faces)
    clean.point_data.active_normals = normals.astype(np.float32)  # type: ignore[assignment]
    return clean
