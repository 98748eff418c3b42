"""What is published about each voxel: regions of interest and noise ceilings."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.core.errors import DataError
from thingsviz.data.masks import BrainMask

POSITION = ["voxel_x", "voxel_y", "voxel_z"]
CEILINGS = ["nc_singletrial", "nc_testset"]
NOT_A_REGION = re.compile(r"voxel_|nc_|splithalf_|prf-|subject_id|Unnamed|$")
ROWS_AT_ONCE = 20_000


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
    found: NDArray[np.int64] = where[mask.inside]
    return found


def read_metadata(path: Path) -> pd.DataFrame:
    """Read VoxelMetadata.csv: voxel_x, voxel_y, voxel_z, ceilings, each 0/1 column as a region.

    The file has 222 columns, two of whose names hold a newline: names are put on one line.
    """
    try:
        chunks = pd.read_csv(
            path, chunksize=ROWS_AT_ONCE, low_memory=False, encoding_errors="replace"
        )
        table = pd.concat([_narrow(chunk) for chunk in chunks], ignore_index=True)
    except (OSError, ValueError, pd.errors.ParserError) as error:
        msg = f"{str(path)!r} cannot be read ({str(error).splitlines()[0]}): download it again"
        raise DataError(msg) from error
    if not set(POSITION) <= set(table.columns):
        msg = f"{str(path)!r} lacks the columns voxel_x, voxel_y, voxel_z: download it again"
        raise DataError(msg)
    if "voxel_id" not in table.columns:
        table["voxel_id"] = np.arange(len(table))
    fixed = ["voxel_id", *POSITION]
    regions = [name for name in table.columns if name not in {*fixed, *CEILINGS}]
    flags = [name for name in regions if bool(table[name].isin([0, 1]).all())]
    table[flags] = table[flags].astype(bool)
    ceilings = [name for name in CEILINGS if name in table.columns]
    return table[[*fixed, *ceilings, *flags]]


def _narrow(chunk: pd.DataFrame) -> pd.DataFrame:
    """Keep positions, ceilings and what may be a region, in little memory."""
    chunk.columns = pd.Index([" ".join(str(name).split()) for name in chunk.columns])
    names = [
        name
        for name in chunk.columns
        if name in {"voxel_id", *POSITION, *CEILINGS}
        or (not NOT_A_REGION.match(name) and pd.api.types.is_numeric_dtype(chunk[name]))
    ]
    floats = [name for name in names if name not in {"voxel_id", *POSITION}]
    return chunk[names].astype(dict.fromkeys(floats, np.float32))


def region_columns(voxels: pd.DataFrame) -> list[str]:
    """Return the names of the regions in a voxel table."""
    return [str(name) for name in voxels.columns if voxels[name].dtype == bool]
