from __future__ import annotations

import numpy as np
import pytest

from thingsviz.analysis.regions.regions import Regions
from thingsviz.core.space import Grid
from thingsviz.figures.brain.slices import (
    brain_box,
    describe,
    draw_slices,
    region_at,
    slices_info,
    start_voxel,
    world_axes,
)

SHAPE = (4, 5, 6)
RAS = np.diag([2.0, 2.0, 2.0, 1.0])
RAS[:3, 3] = (-3, -4, -5)


def grid(affine=RAS, shape=SHAPE):
    return Grid.of(shape, affine)


def coordinates():
    """A volume whose value tells its place: 100 i + 10 j + k."""
    i, j, k = np.indices(SHAPE)
    return (100 * i + 10 * j + k).astype(np.float32)


def test_world_axes_of_a_plain_grid():
    assert world_axes(grid()) == ((0, 1), (1, 1), (2, 1))


def test_world_axes_of_a_flipped_and_permuted_grid():
    affine = np.zeros((4, 4))
    affine[0, 2], affine[1, 0], affine[2, 1], affine[3, 3] = -2, 3, 4, 1  # x=−k, y=+i, z=+j
    assert world_axes(grid(affine)) == ((2, -1), (0, 1), (1, 1))


def test_world_axes_of_an_oblique_grid_are_the_nearest():
    c, s = np.cos(0.3), np.sin(0.3)
    affine = np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    assert world_axes(grid(affine)) == ((0, 1), (1, 1), (2, 1))


def test_planes_show_the_right_voxels_the_right_way_up():
    volume, mask = coordinates(), np.ones(SHAPE, bool)
    info = slices_info(volume, mask, grid(), (1, 2, 3))
    sagittal, coronal, axial = info.planes
    assert np.array_equal(sagittal.image, volume[1].T)
    assert np.array_equal(coronal.image, volume[:, 2].T)
    assert np.array_equal(axial.image, volume[:, :, 3].T)
    assert [p.letters for p in info.planes] == [tuple("PAIS"), tuple("LRIS"), tuple("LRPA")]
    assert [p.at_mm for p in info.planes] == [-1, 0, 1]
    assert axial.right_mm == (-3, -1, 1, 3)
    assert axial.up_mm == (-4, -2, 0, 2, 4)
    assert axial.cross_mm == (-1, 0)
    assert (info.voxel, info.mm, info.value) == ((1, 2, 3), (-1, 0, 1), 123)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_flipped_file_shows_the_same_picture(axis):
    volume, mask = coordinates(), np.ones(SHAPE, bool)
    flipped = RAS.copy()
    flipped[:3, 3] += flipped[:3, axis] * (SHAPE[axis] - 1)
    flipped[:3, axis] *= -1
    at = [1, 2, 3]
    plain = slices_info(volume, mask, grid(), tuple(at))
    at[axis] = SHAPE[axis] - 1 - at[axis]
    other = slices_info(np.flip(volume, axis), mask, grid(flipped), tuple(at))
    for one, two in zip(plain.planes, other.planes, strict=True):
        assert np.array_equal(one.image, two.image)
        assert one[3:] == two[3:]
    assert plain[2:] == other[2:]


def test_a_permuted_file_shows_the_same_picture():
    volume, mask = coordinates(), np.ones(SHAPE, bool)
    order = (2, 0, 1)
    affine = RAS[:, [*order, 3]]
    plain = slices_info(volume, mask, grid(), (1, 2, 3))
    turned = volume.transpose(order)
    other = slices_info(turned, mask.transpose(order), grid(affine, turned.shape), (3, 1, 2))
    for one, two in zip(plain.planes, other.planes, strict=True):
        assert np.array_equal(one.image, two.image)
        assert one[3:] == two[3:]


def test_outside_the_brain_is_empty_and_has_no_value():
    mask = np.ones(SHAPE, bool)
    mask[0] = False
    info = slices_info(coordinates(), mask, grid(), (0, 1, 1))
    assert info.value is None
    assert np.isnan(info.planes[0].image).all()
    assert describe(info) == "x -3, y -2, z -3 mm · outside the brain"


def test_the_limit_is_robust_and_taken_in_the_brain_alone():
    volume = np.ones(SHAPE, np.float32)
    volume[0, 0, 0] = 1000
    mask = np.ones(SHAPE, bool)
    assert slices_info(volume, mask, grid(), (1, 1, 1)).limit == 1
    mask[1:] = False
    assert slices_info(volume, mask, grid(), (0, 1, 1), limit=2.5).limit == 2.5


def test_regions_are_named_where_the_brain_is():
    mask = np.zeros(SHAPE, bool)
    mask[1, 1, 1:4] = True
    regions = Regions(np.array([0, 2, 1], np.uint16), ("V1", "V2"), "test")
    named = [region_at(mask, regions, (1, 1, k)) for k in range(5)]
    assert named == ["", "", "V2", "V1", ""]
    assert region_at(mask, None, (1, 1, 2)) == ""
    info = slices_info(coordinates(), mask, grid(), (1, 1, 2), regions)
    assert describe(info) == "x -1, y -2, z -1 mm · +112 % signal change · V2"


def test_the_crosshair_begins_at_the_most_weight_or_in_the_middle():
    mask = np.zeros(SHAPE, bool)
    mask[1:3, 1:4, 2:5] = True
    assert start_voxel(mask) in {(1, 2, 3), (2, 2, 3)}
    weight = np.full(mask.sum(), np.nan)
    assert start_voxel(mask, weight) == start_voxel(mask)
    weight[4] = 1.0
    assert start_voxel(mask, weight) == tuple(np.argwhere(mask)[4])


def test_the_box_of_the_brain_has_a_margin_inside_the_grid():
    mask = np.zeros(SHAPE, bool)
    mask[0, 2:4, 3] = True
    assert brain_box(mask) == ((0, 1), (1, 4), (2, 4))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_picture_has_three_titled_planes_and_one_symmetric_scale(theme):
    info = slices_info(coordinates() - 150, np.ones(SHAPE, bool), grid(), (1, 2, 3))
    figure = draw_slices(info, theme)
    assert [trace.name for trace in figure.data] == ["sagittal", "coronal", "axial"]
    assert {(trace.zmin, trace.zmax) for trace in figure.data} == {(-info.limit, info.limit)}
    assert [trace.showscale for trace in figure.data] == [True, False, False]
    assert figure.data[0].colorbar.title.text == "beta<br>% signal change"
    titles = [figure.layout[axis].title.text for axis in ("xaxis", "xaxis2", "xaxis3")]
    assert titles == ["sagittal, x = -1 mm", "coronal, y = 0 mm", "axial, z = 1 mm"]
    assert figure.layout.title.text == describe(info)
    assert [note.text for note in figure.layout.annotations] == list("PAISLRISLRPA")
    assert len(figure.layout.shapes) == 6
