"""Small brains made by hand: an ellipsoid on a coarse grid, a response planted where we know."""

import numpy as np

from thingsviz.core.space import Grid

# 4 mm voxels; x grows to the right, y to the front, z to the top
SHAPE = (36, 44, 32)
CENTRE = np.array([17.5, 21.5, 15.5])
RADII = np.array([15.0, 19.0, 13.0])
AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])
AFFINE[:3, 3] = (-70, -86, -62)
GRID = Grid.of(SHAPE, AFFINE)
# left (small i), at the back (small j), low (small k)
BLOB = (9, 9, 11)
PEAK = 8.0

_IJK = np.stack(np.indices(SHAPE), axis=-1)


def mask():
    return (((_IJK - CENTRE) / RADII) ** 2).sum(-1) < 1


def bump(at=BLOB, peak=PEAK, sd=2.0):
    """A Gaussian response of `peak` around voxel `at`, inside the brain, (X, Y, Z)."""
    size = ((_IJK - np.array(at)) ** 2).sum(-1)
    return (np.where(mask(), peak * np.exp(-size / 2 / sd**2), 0)).astype(np.float32)


def mirrored():
    """The same brain stored with x to the left, as many scanners do: (volume, mask, grid)."""
    affine = AFFINE.copy()
    affine[0, 0], affine[0, 3] = -4.0, AFFINE[0, 3] + 4.0 * (SHAPE[0] - 1)
    return bump()[::-1].copy(), mask()[::-1].copy(), Grid.of(SHAPE, affine)
