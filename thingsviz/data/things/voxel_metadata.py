"""What is published about each voxel: regions of interest and noise ceilings."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.core.errors import DataError
from thingsviz.data.volumes.masks import BrainMask

POSITION = ["voxel_x", "voxel_y", "voxel_z"]
CEILINGS = ["nc_singletrial", "nc_testset"]
NOT_A_REGION = re.compile(r"voxel_|nc_|splithalf_|prf-|subject_id|Unnamed|$")
ROWS_AT_ONCE = 20_000
MOST_ODD = 0.1  # of the rows of a region may be neither 0 nor 1 before it is taken for no region


def read_voxels(path: Path, mask: BrainMask) -> tuple[pd.DataFrame, list[str]]:
    """Return i, j, k, regions (bool) and noise ceilings (%) of the voxels in store order."""
    table = pd.DataFrame(mask.ijk.astype(np.int32), columns=["i", "j", "k"])
    if not path.is_file():
        return table, []
    return voxel_table(mask, read_metadata(path), path)


def voxel_table(
    mask: BrainMask, published: pd.DataFrame, path: Path
) -> tuple[pd.DataFrame, list[str]]:
    """Put published rows in store order; a brain voxel that is not listed has no region."""
    table = pd.DataFrame(mask.ijk.astype(np.int32), columns=["i", "j", "k"])
    place = place_in(mask, published[POSITION].to_numpy(dtype=np.int64), path)
    kept = published.drop(columns=["voxel_id", *POSITION]).iloc[place[place >= 0]]
    kept.index = pd.Index(np.flatnonzero(place >= 0))
    lacking = int((place < 0).sum())
    note = f"{path.name} does not list {lacking} of {len(place)} brain voxels"
    regions = region_columns(kept)
    parts = [
        table,
        kept.drop(columns=regions).reindex(table.index),
        kept[regions].reindex(table.index, fill_value=False),
    ]
    return pd.concat(parts, axis=1), [note] if lacking else []


def place_in(mask: BrainMask, ijk: NDArray[np.int64], path: Path) -> NDArray[np.int64]:
    """Return for each brain voxel the row of `ijk` (n, 3) that is it, -1 for none, (n_voxels,)."""
    shape = np.array(mask.grid.shape)
    if len(ijk) and not ((ijk >= 0) & (ijk < shape)).all():
        msg = f"{str(path)!r} lists voxels outside the grid {mask.grid.shape} of the brain mask"
        raise DataError(f"{msg}: put the files of one subject together")
    where = np.full(mask.grid.shape, -1, np.int64)
    where[tuple(ijk.T)] = np.arange(len(ijk))
    if np.count_nonzero(where >= 0) < len(ijk):
        msg = f"{str(path)!r} lists a voxel twice: download it again"
        raise DataError(msg)
    found: NDArray[np.int64] = where[mask.inside]
    return found


def read_metadata(path: Path) -> pd.DataFrame:
    """Read VoxelMetadata.csv: voxel_x, voxel_y, voxel_z, ceilings, each 0/1 column as a region.

    The file has 222 columns, two of whose names hold a newline: names are put on one line.
    """
    check_shape(path)
    try:
        chunks = pd.read_csv(
            path, chunksize=ROWS_AT_ONCE, low_memory=False, encoding_errors="replace"
        )
        parts = [_narrow(path, chunk) for chunk in chunks]
        if any(list(part.columns) != list(parts[0].columns) for part in parts):
            msg = "a column holds numbers in one place and text in another"
            raise ValueError(msg)
        table = pd.concat(parts, ignore_index=True)
    except (OSError, ValueError, pd.errors.ParserError) as error:
        msg = f"{str(path)!r} cannot be read ({str(error).splitlines()[0]}): download it again"
        raise DataError(msg) from error
    if not set(POSITION) <= set(table.columns):
        msg = f"{str(path)!r} lacks the columns voxel_x, voxel_y, voxel_z: download it again"
        raise DataError(msg)
    if "voxel_id" not in table.columns:
        table["voxel_id"] = np.arange(len(table))
    _check_voxels(path, table)
    fixed = ["voxel_id", *POSITION]
    regions = [name for name in table.columns if name not in {*fixed, *CEILINGS}]
    flags = [name for name in regions if _is_flag(path, table[name])]
    table[flags] = table[flags].astype(bool)
    ceilings = [name for name in CEILINGS if name in table.columns]
    return table[[*fixed, *ceilings, *flags]]


def _narrow(path: Path, chunk: pd.DataFrame) -> pd.DataFrame:
    """Keep positions, ceilings and what may be a region, in little memory."""
    chunk.columns = pd.Index([" ".join(str(name).split()) for name in chunk.columns])
    for name in chunk.columns:
        if not (NOT_A_REGION.match(name) or pd.api.types.is_numeric_dtype(chunk[name])):
            _check_text(path, chunk[name])
    names = [
        name
        for name in chunk.columns
        if name in {"voxel_id", *POSITION, *CEILINGS}
        or (not NOT_A_REGION.match(name) and pd.api.types.is_numeric_dtype(chunk[name]))
    ]
    floats = [name for name in names if name not in {"voxel_id", *POSITION}]
    return chunk[names].astype(dict.fromkeys(floats, np.float32))


def _check_text(path: Path, cells: pd.Series) -> None:
    """Refuse a column of numbers in which a cell is none: it would be left out as text."""
    wrong = pd.to_numeric(cells, errors="coerce").isna() & cells.notna()
    if not wrong.all():
        odd = wrong if wrong.any() else cells.notna()  # none: numbers too large for any type
        longest = max(cells[odd].astype(str), key=len)
        cell = f"{longest!r} in column {cells.name!r}"
        msg = f"{str(path)!r}: {cell} is not a number; download it again"
        raise DataError(msg)


def _check_voxels(path: Path, table: pd.DataFrame) -> None:
    """Refuse positions that are no whole numbers, and a number of a voxel that comes twice."""
    for name in ("voxel_id", *POSITION):
        column = table[name]
        number = pd.api.types.is_numeric_dtype(column)
        if not (number and (column == column.round()).all() and (column.abs() < 2**31).all()):
            msg = f"{str(path)!r}: column {name!r} should hold whole numbers; download it again"
            raise DataError(msg)
    if table["voxel_id"].duplicated().any():
        twice = int(table["voxel_id"][table["voxel_id"].duplicated()].iloc[0])
        msg = f"{str(path)!r} lists the voxel_id {twice} twice; download it again"
        raise DataError(msg)


def _is_flag(path: Path, column: pd.Series) -> bool:
    """Whether a column is a region: 0 or 1 everywhere; a few other numbers there are damage."""
    odd = ~column.isin([0, 1])
    if odd.any() and odd.mean() < MOST_ODD and (column == 1).any():
        cell = f"{column[odd].iloc[0]:g} in column {column.name!r}, row {int(odd.argmax()) + 2}"
        msg = f"{str(path)!r}: {cell} should be 0 or 1, as in nearly all rows; download it again"
        raise DataError(msg)
    return not odd.any()


def check_shape(path: Path) -> None:
    """Refuse rows that have not as many cells as the header, and names that come twice.

    pandas fills a short row up, so that numbers stand under other names. Measured: 0.2 s for
    211,000 rows of 222 cells.
    """
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            rows = csv.reader(file)
            names = [" ".join(name.split()) for name in next(rows, [])]
            _check_names(path, names)
            for number, line in enumerate(file, 2):
                n = len(next(csv.reader([line]), [])) if '"' in line else line.count(",") + 1
                if n != len(names) and line.strip():
                    counts = f"{n} cells where the header has {len(names)}"
                    msg = f"{str(path)!r}: table row {number} has {counts}; download it again"
                    raise DataError(msg)
    except (OSError, csv.Error) as error:
        msg = f"{str(path)!r} cannot be read ({error}): download it again"
        raise DataError(msg) from error


def _check_names(path: Path, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"{str(path)!r} names the column {twice[0]!r} twice; download it again"
        raise DataError(msg)


def region_columns(voxels: pd.DataFrame) -> list[str]:
    """Return the names of the regions in a voxel table."""
    return [str(name) for name in voxels.columns if voxels[name].dtype == bool]
