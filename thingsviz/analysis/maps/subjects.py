"""Maps of several subjects voxel by voxel: only on one grid, and where all have brain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thingsviz.core.arrays import Array
from thingsviz.core.errors import DataError
from thingsviz.core.space import Grid

FEWEST = 100  # voxels that all must have, for a correlation over them to say something


class SubjectMap(NamedTuple):
    """A map (n_voxels,) in C order of a subject's brain mask (X, Y, Z) on its grid, in a space."""

    values: NDArray[np.floating]
    mask: NDArray[np.bool_]
    grid: Grid
    space: str


def on_common_voxels(maps: Mapping[str, SubjectMap], *, aligned: bool = False) -> dict[str, Array]:
    """Return maps (n_common,) over the voxels that lie in the brain of all subjects.

    Subjects of other grids or spaces are refused: voxel n of one is not voxel n of another there.
    So are those in a space of their own (T1w), however alike their grids, unless they are known
    to be `aligned`, as planted subjects are.
    """
    if len(maps) < 2:
        msg = f"maps of two subjects or more are compared, but {len(maps)} came: make more"
        raise DataError(msg)
    first, own = next(iter(maps.items()))
    if not aligned and not own.space.upper().startswith("MNI"):
        msg = (
            f"{first} is in a space of its own ({own.space}), where voxels of two people are not "
            "the same places: compare their regions, or bring all into MNI space"
        )
        raise DataError(msg)
    for name, other in maps.items():
        _check_same_place(first, own, name, other)
    common = np.logical_and.reduce([m.mask for m in maps.values()])
    if common.sum() < FEWEST:
        msg = (
            f"the brains of {', '.join(maps)} have {int(common.sum())} voxels in common, but "
            f"{FEWEST} are needed: are they aligned?"
        )
        raise DataError(msg)
    return {name: np.asarray(m.values, float)[common[m.mask]] for name, m in maps.items()}


def _check_same_place(first: str, own: SubjectMap, name: str, other: SubjectMap) -> None:
    if other.space.upper() != own.space.upper():
        msg = (
            f"{name} is in the space {other.space}, but {first} in {own.space}: compare their "
            "regions, or bring both into one space"
        )
        raise DataError(msg)
    if other.mask.shape != own.mask.shape or not other.grid.same_as(own.grid):
        shapes = [" × ".join(map(str, m.mask.shape)) for m in (other, own)]
        msg = (
            f"{name} has another grid ({shapes[0]}) than {first} ({shapes[1]}): compare their "
            "regions, or resample both to one grid"
        )
        raise DataError(msg)
    if len(other.values) != int(other.mask.sum()):
        msg = (
            f"the map of {name} has {len(other.values):,} voxels, but its brain mask "
            f"{int(other.mask.sum()):,}: make the map again"
        )
        raise DataError(msg)
