"""Volumes become surfaces in the right place, and slices lie where their voxels are."""

import numpy as np
import pytest

from tests.figures.brains import AFFINE, BLOB, CENTRE, GRID, RADII, SHAPE, bump, mask, mirrored
from thingsviz.core.space import Grid
from thingsviz.figures.brain import surface
from thingsviz.figures.brain.volume import colours


def normals(mesh):
    return np.asarray(mesh.point_data.active_normals)


def test_a_planted_response_appears_at_its_millimetre_position():
    found = surface.isosurface(bump(), 4.0, GRID)
    middle = np.asarray(found.points).mean(0)
    np.testing.assert_allclose(middle, GRID.to_mm(np.array(BLOB)), atol=1.5)
    assert middle[0] < 0  # left is left
    # half of a Gaussian's peak lies at sd √(2 ln 2): the radius of the surface
    radius = np.linalg.norm(found.points - GRID.to_mm(np.array(BLOB)), axis=1).mean()
    assert radius == pytest.approx(2.0 * 4 * np.sqrt(2 * np.log(2)), rel=0.08)


def test_a_mirrored_file_shows_the_same_surface_in_the_same_place():
    volume, _, grid = mirrored()
    one, other = surface.isosurface(bump(), 4.0, GRID), surface.isosurface(volume, 4.0, grid)
    np.testing.assert_allclose(
        np.asarray(one.points).mean(0), np.asarray(other.points).mean(0), atol=0.3
    )
    assert one.area == pytest.approx(other.area, rel=0.02)


@pytest.mark.parametrize("case", [lambda: (bump(), mask(), GRID), mirrored])
def test_normals_point_out_of_what_they_enclose(case):
    volume, inside, grid = case()
    for mesh in (surface.isosurface(volume, 4.0, grid), surface.brain_surface(inside, grid)):
        points = np.asarray(mesh.points)
        outwards = ((points - points.mean(0)) * normals(mesh)).sum(1)
        assert (outwards > 0).mean() > 0.97


def test_an_oblique_grid_turns_the_surface_with_it():
    angle = np.radians(20)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    grid = Grid.of(SHAPE, turn @ AFFINE)
    found = surface.isosurface(bump(), 4.0, grid)
    np.testing.assert_allclose(
        np.asarray(found.points).mean(0), grid.to_mm(np.array(BLOB)), atol=1.5
    )


def test_the_brain_surface_has_the_brains_size_and_keeps_to_its_budget():
    brain = surface.brain_surface(mask(), GRID, n_faces=1500)
    assert 1000 < surface.n_faces(brain) <= 1500
    low, high = np.array(brain.bounds).reshape(3, 2).T
    np.testing.assert_allclose((low + high) / 2, GRID.to_mm(CENTRE), atol=2.5)
    np.testing.assert_allclose((high - low) / 2, RADII * 4, atol=5)


def test_a_hole_inside_the_mask_costs_no_triangle():
    hollow = mask()
    hollow[15:20, 18:24, 13:18] = False
    full = surface.brain_surface(mask(), GRID, 10**6)
    assert surface.n_faces(surface.brain_surface(hollow, GRID, 10**6)) == surface.n_faces(full)


def test_a_mask_of_one_voxel_still_has_a_surface():
    one = np.zeros(SHAPE, bool)
    one[BLOB] = True
    found = surface.brain_surface(one, GRID)
    np.testing.assert_allclose(
        np.asarray(found.points).mean(0), GRID.to_mm(np.array(BLOB)), atol=1
    )


def test_a_noisy_volume_keeps_to_the_budget(rng):
    noise = np.where(mask(), rng.standard_normal(SHAPE), 0).astype(np.float32)
    found = surface.isosurface(noise, 1.5, GRID, n_faces=3000)
    assert 0 < surface.n_faces(found) <= 3000
    assert np.isfinite(found.points).all()


def test_a_response_at_the_edge_of_the_grid_is_closed():
    volume = np.zeros(SHAPE, np.float32)
    volume[:4] = 1.0
    found = surface.isosurface(volume, 0.5, GRID)
    assert found.is_manifold


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_slice_covers_exactly_the_brain_of_its_plane(axis):
    index = 15
    inside = np.take(mask(), index, axis)
    plane = surface.slice_plane(axis, index, np.zeros((*inside.shape, 3), np.uint8), mask(), GRID)
    assert plane.mesh.area == pytest.approx(inside.sum() * 16.0, rel=1e-5)  # 4 mm × 4 mm
    assert surface.n_faces(plane.mesh) < inside.sum() / 5
    across = np.asarray(plane.mesh.points)[:, axis]
    expected = GRID.to_mm(np.full(3, index))[axis]
    np.testing.assert_allclose(across, expected, atol=1e-3)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_slice_carries_each_voxels_colour_to_its_millimetre_position(axis, rng):
    volume = np.where(mask(), rng.standard_normal(SHAPE), 0).astype(np.float32)
    index = 15
    values = np.take(volume, index, axis)
    plane = surface.slice_plane(axis, index, colours(values, 3.0, "light"), mask(), GRID)
    points = np.asarray(plane.mesh.points, float)
    uv = np.asarray(plane.mesh.active_texture_coordinates, float)
    # texture coordinates are linear in mm: fit the map, then ask it for voxels' centres
    design = np.column_stack([points, np.ones(len(points))])
    solution = np.linalg.lstsq(design, uv, rcond=None)[0]
    for place in rng.permutation(np.argwhere(np.take(mask(), index, axis)))[:20]:
        ijk = np.insert(place, axis, index)
        u, v = np.append(GRID.to_mm(ijk), 1) @ solution
        height, width = plane.picture.shape[:2]
        pixel = plane.picture[int(v * height), int(u * width)]
        np.testing.assert_array_equal(pixel, colours(volume[tuple(ijk)], 3.0, "light"))


def test_runs_say_the_same_as_counting_voxel_by_voxel(rng):
    inside = rng.random((9, 7)) < 0.5
    again = np.zeros_like(inside)
    for v, first, last in surface._runs(inside):
        again[first:last, v] = True
    np.testing.assert_array_equal(again, inside)
    assert surface._runs(np.zeros((3, 3), bool)) == []


def test_a_slice_outside_the_brain_has_no_face():
    plane = surface.slice_plane(0, 0, np.zeros((*SHAPE[1:], 3), np.uint8), mask(), GRID)
    assert surface.n_faces(plane.mesh) == 0
    assert surface.n_faces(None) == 0
