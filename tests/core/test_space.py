import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from thingsviz.core.space import Grid

PUBLISHED = Grid.of(
    (72, 91, 75, 92),
    np.array([[2, 0, 0, -71.16], [0, 2, 0, -80.94], [0, 0, 2, -68.47], [0, 0, 0, 1]]),
)


def test_only_the_first_three_axes_count():
    assert PUBLISHED.shape == (72, 91, 75)
    assert PUBLISHED.n_voxels == 72 * 91 * 75


def test_voxel_size_is_the_length_of_the_columns():
    turned = Grid.of(
        (4, 4, 4), np.array([[0, 3, 0, 0], [-2, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    )
    assert turned.voxel_size.tolist() == [2, 3, 1]


@given(st.tuples(st.integers(0, 71), st.integers(0, 90), st.integers(0, 74)))
def test_voxel_to_mm_and_back(ijk):
    assert tuple(PUBLISHED.to_voxel(PUBLISHED.to_mm(np.array(ijk)))) == ijk


def test_points_outside_are_moved_to_the_edge():
    assert PUBLISHED.to_voxel(np.array([1e4, -1e4, 0])).tolist() == [71, 0, 34]


def test_many_points_at_once():
    points = np.arange(12).reshape(2, 2, 3)
    assert PUBLISHED.to_mm(points).shape == (2, 2, 3)


def test_same_grid_means_shape_and_affine():
    moved = PUBLISHED.matrix
    moved[0, 3] += 0.1
    assert PUBLISHED.same_as(Grid.of((72, 91, 75), PUBLISHED.matrix))
    assert not PUBLISHED.same_as(Grid.of((72, 91, 75), moved))
    assert PUBLISHED.same_as(Grid.of((72, 91, 75), moved), tolerance_mm=0.2)
    assert not PUBLISHED.same_as(Grid.of((72, 91, 74), PUBLISHED.matrix))
