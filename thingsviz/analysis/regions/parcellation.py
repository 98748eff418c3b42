"""A user's own parcellation: an image of labels, a table of their names, and whether they fit.

Beside the data: DATASET/parcellations/NAME.nii.gz with NAME.tsv (columns index, name). The space
is said by the name's entity (`space-T1w`) or by NAME.json ({"Space": "T1w"}).
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError, SpatialImage
from numpy.typing import NDArray

from thingsviz.analysis.regions.regions import Regions
from thingsviz.core.errors import DataError
from thingsviz.core.json_files import read_value
from thingsviz.core.space import Grid
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset
from thingsviz.data.volumes.gzip_stream import check_whole

FOLDER = "parcellations"
ENDINGS = (".nii.gz", ".nii")
SPACE = re.compile(r"(?:^|_)space-([A-Za-z0-9]+)(?:_|$)")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,80}\.nii(\.gz)?")
MOST_LABELS = 2000
MOST_BYTES = 1 << 30  # of an image in memory; a label a voxel at 0.7 mm is 0.1 GB
ASIDE = 0.05  # of a voxel's edge: nearer is the same grid


def parcellations(dataset: Dataset) -> dict[str, Path]:
    """Return the parcellations beside a dataset, by name."""
    folders = (dataset.root / FOLDER, kept_folder(dataset))
    found = [p for f in folders for p in sorted(f.glob("*")) if p.name.endswith(ENDINGS)]
    return {name_of(path): path for path in found if path.is_file()}


def kept_folder(dataset: Dataset) -> Path:
    """Return where parcellations that came by the page are kept, beside the prepared data."""
    return dataset.store_dir("sub-01").parent / FOLDER


def by_name(dataset: Dataset, store: BetaStore, name: str) -> Regions:
    """Return a parcellation that lies beside the dataset."""
    there = parcellations(dataset)
    if name not in there:
        some = ", ".join(there) or "there are none"
        msg = f"no parcellation {name!r} lies beside the dataset: choose one of them ({some})"
        raise DataError(msg)
    return read_parcellation(there[name], store.grid, store.mask, store.space)


def name_of(path: Path) -> str:
    """Return a file's name without its ending."""
    return next(path.name.removesuffix(end) for end in ENDINGS if path.name.endswith(end))


def read_parcellation(path: Path, grid: Grid, mask: NDArray[np.bool_], space: str) -> Regions:
    """Name the brain voxels of a store (mask (X, Y, Z) on `grid`, in `space`) by a user's labels.

    On the store's own grid labels are taken as they are. On another grid they are looked up at
    the nearest voxel, but only when the parcellation declares the same space; the source says
    'approximate' then.
    """
    image = _image(path)
    labels, own = _labels(path, image), Grid.of(image.shape, image.affine)
    declared = declared_space(path)
    if declared and _plain(declared) != _plain(space):
        msg = (
            f"{path.name} is in the space {declared}, but these data are in {space}: bring it "
            f"into {space} first (for example with ANTs or FLIRT, nearest neighbour)"
        )
        raise DataError(msg)
    same = own.same_as(grid, ASIDE * float(grid.voxel_size.min()))
    if not (same or declared):
        msg = (
            f"{path.name} has another grid ({_shape(own)}) than these data ({_shape(grid)}) and "
            f'does not say its space: write {{"Space": "{space}"}} into {name_of(path)}.json '
            "if that is where it is"
        )
        raise DataError(msg)
    values = labels[mask] if same else nearest(labels, own, grid.to_mm(np.argwhere(mask)))
    how = "" if same else ", approximate: looked up at the nearest voxel of another grid"
    if same and declared.upper() not in ("", space.upper()):
        how = f", approximate: {declared} is not quite {space}"
    return _named(path, values, f"{name_of(path)} (your parcellation{how})")


def keep_parcellation(
    store: BetaStore, folder: Path, name: str, image: bytes, table: bytes, space: str
) -> Path:
    """Check an image and a table that came by the page and keep them; return the image's path.

    Nothing is kept of what does not fit, and nothing that is there is replaced.
    """
    if not NAME.fullmatch(name):
        msg = f"{name!r} is no name for a parcellation: use letters, digits, - and _, and .nii.gz"
        raise DataError(msg)
    with tempfile.TemporaryDirectory() as scratch:
        new = Path(scratch) / name
        new.write_bytes(image)
        new.with_name(f"{name_of(new)}.tsv").write_bytes(table)
        if space:
            new.with_name(f"{name_of(new)}.json").write_text(json.dumps({"Space": space}))
        read_parcellation(new, store.grid, store.mask, store.space)
        if (folder / name).exists():
            msg = f"there is a parcellation {name} already: give the new one another name"
            raise DataError(msg)
        folder.mkdir(parents=True, exist_ok=True)
        # the image last: without it there is no parcellation
        for path in sorted(new.parent.iterdir(), key=lambda p: p == new):
            shutil.copyfile(path, folder / path.name)
    return folder / name


def declared_space(path: Path) -> str:
    """Return the space that a parcellation declares, '' for none."""
    beside = path.with_name(f"{name_of(path)}.json")
    if beside.is_file():
        try:
            found = read_value(beside)
            return str(found["Space"])
        except (ValueError, KeyError, TypeError) as error:
            msg = f'{beside.name} should hold {{"Space": "T1w"}} or another space: correct it'
            raise DataError(msg) from error
    entity = SPACE.search(name_of(path))
    return entity[1] if entity else ""


def nearest(labels: NDArray[np.int64], grid: Grid, mm: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the labels (X, Y, Z) at places (n, 3) in mm; 0 outside the image."""
    inverse = np.linalg.inv(grid.matrix)
    ijk = np.rint(mm @ inverse[:3, :3].T + inverse[:3, 3]).astype(np.int64)
    inside = ((ijk >= 0) & (ijk < labels.shape)).all(1)
    at = tuple(np.clip(ijk, 0, np.array(labels.shape) - 1).T)
    return np.where(inside, labels[at], 0)


def _image(path: Path) -> SpatialImage:
    try:
        check_whole(path, MOST_BYTES)
        image = nib.load(path)
    except (OSError, ImageFileError, HeaderDataError, ValueError, OverflowError) as error:
        msg = f"{path.name} is no NIfTI image that can be read: save it again as .nii.gz"
        raise DataError(msg) from error
    except DataError as error:
        msg = f"{path.name} is no NIfTI image that can be read ({error})"
        raise DataError(msg) from None
    if not isinstance(image, SpatialImage):
        msg = f"{path.name} is a surface or something else without voxels: save a volume"
        raise DataError(msg)
    shape = tuple(image.shape)
    if len(shape) != 3 or not all(shape):
        msg = (
            f"{path.name} has the shape {' × '.join(map(str, shape))}, but one label a voxel is "
            "expected: save a 3-D image (of a 4-D one, the most probable label)"
        )
        raise DataError(msg)
    if 8 * np.prod(shape, dtype=float) > MOST_BYTES:
        msg = f"{path.name} holds {np.prod(shape):,} voxels: cut it to the brain first"
        raise DataError(msg)
    if not (np.isfinite(image.affine).all() and abs(np.linalg.det(image.affine[:3, :3])) > 1e-6):
        msg = f"{path.name} has an affine without volume: set its sform or qform"
        raise DataError(msg)
    return image


def _labels(path: Path, image: SpatialImage) -> NDArray[np.int64]:
    try:
        values = np.asarray(image.dataobj)
    except (OSError, EOFError, ValueError, OverflowError, MemoryError) as error:
        msg = f"{path.name} ends too early: copy it again"
        raise DataError(msg) from error
    whole = np.isfinite(values) & (values == np.rint(values)) & (values >= 0)
    if not whole.all():
        msg = (
            f"{path.name} has {int((~whole).sum()):,} voxels whose value is no label (0, 1, 2 and "
            "so on): save labels, not probabilities or a resampled mean of labels"
        )
        raise DataError(msg)
    return values.astype(np.int64)


def _named(path: Path, values: NDArray[np.int64], source: str) -> Regions:
    """Give the labels that are in the brain the numbers 1, 2 and so on, and their names."""
    names = read_names(path.with_name(f"{name_of(path)}.tsv"))
    there = np.unique(values[values > 0])
    if not len(there):
        msg = (
            f"{path.name} has no label inside the brain of these data: is its affine right, and "
            "is it of this subject?"
        )
        raise DataError(msg)
    without = [int(v) for v in there if int(v) not in names]
    if without:
        some = ", ".join(map(str, without[:5])) + (" …" if len(without) > 5 else "")
        msg = (
            f"{len(without)} of {len(there)} labels of {path.name} have no name in "
            f"{name_of(path)}.tsv ({some}): add a row for each"
        )
        raise DataError(msg)
    labels = np.where(values > 0, np.searchsorted(there, values) + 1, 0).astype(np.uint16)
    return Regions(labels, tuple(names[int(v)] for v in there), source)


def read_names(path: Path) -> dict[int, str]:
    """Read a table of labels: columns index (a whole number) and name."""
    if not path.is_file():
        msg = f"{path.name} is missing: put a table with the columns index and name beside it"
        raise DataError(msg)
    try:
        rows = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except (ValueError, UnicodeDecodeError, OSError) as error:
        msg = f"{path.name} is no table that can be read: save it as tab-separated UTF-8 text"
        raise DataError(msg) from error
    twice = [name for name in ("index", "name") if f"{name}.1" in rows.columns]
    if twice:
        msg = f"{path.name} names the column {twice[0]!r} twice: keep one"
        raise DataError(msg)
    if not {"index", "name"} <= set(rows.columns):
        came = ", ".join(map(str, rows.columns[:5]))
        msg = f"{path.name} should have the columns index and name, but it has {came}: rename them"
        raise DataError(msg)
    if len(rows) > MOST_LABELS:
        msg = f"{path.name} names {len(rows):,} regions: {MOST_LABELS:,} are the most"
        raise DataError(msg)
    return _checked(path, rows)


def _checked(path: Path, rows: pd.DataFrame) -> dict[int, str]:
    index = rows["index"].str.strip()
    bad = index[~index.str.fullmatch(r"\d{1,9}")]
    if len(bad):
        msg = f"{path.name} has the index {bad.iloc[0]!r}: write a whole number"
        raise DataError(msg)
    number = index.astype(int)
    if number.duplicated().any():
        twice = int(number[number.duplicated()].iloc[0])
        msg = f"{path.name} names the index {twice} twice: keep one row for each"
        raise DataError(msg)
    clean = rows["name"].str.split().str.join(" ").str.slice(0, 80)
    if clean.eq("").any():
        empty = int(number[clean.eq("")].iloc[0])
        msg = f"{path.name} gives no name to the index {empty}: write one"
        raise DataError(msg)
    return dict(zip(number, clean, strict=True))


def _plain(space: str) -> str:
    """Return a space to compare by: the kinds of MNI space lie within millimetres, so as one."""
    return "MNI" if space.upper().startswith("MNI") else space.upper()


def _shape(grid: Grid) -> str:
    return " × ".join(map(str, grid.shape))
