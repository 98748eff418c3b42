"""ResponseData.h5 of the table release: voxels × trials in a pandas file, read without pandas."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.core.errors import DataError
from thingsviz.core.space import Grid
from thingsviz.data.prepare.pieces import Piece, StoreWork
from thingsviz.data.prepare.read_run import LARGEST, FinishedPiece, Tick
from thingsviz.data.prepare.table_trials import build_release_trials
from thingsviz.data.store.manifest import FORMAT, RESPONSES, Source, note_source
from thingsviz.data.store.matrix_file import StoreFile
from thingsviz.data.things.layout import Dataset, TableRelease
from thingsviz.data.things.sources import small_sources
from thingsviz.data.things.voxel_metadata import POSITION, place_in, read_metadata, voxel_table
from thingsviz.data.volumes.gzip_stream import CHUNK, Digest
from thingsviz.data.volumes.masks import BrainMask, read_mask

KEY = "ResponseData"
# 9,840 trials of 1,024 voxels are 80 MB as float64; two such blocks are in memory at a time.
VOXELS_AT_ONCE = 1024


@dataclass(frozen=True)
class ResponseTable:
    """Where the responses stand in the file: (n_voxels, first_column + n_trials)."""

    path: Path
    block: str
    first_column: int
    voxel_id: NDArray[np.int64]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open the group of the table; anything wrong with the file is one sentence."""
    try:
        with h5py.File(path, "r") as file:
            if KEY not in file:
                msg = f"it has no group {KEY!r} but {sorted(file)[:5]}"
                raise KeyError(msg)
            yield file[KEY]
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        what = str(error).strip("'\"").splitlines()[0]
        msg = f"{str(path)!r} is not the published table ({what}): download it again"
        raise DataError(msg) from error


def find_responses(path: Path, n_trials: int) -> ResponseTable:
    """Find the responses among the blocks of a pandas 'fixed' table.

    pandas keeps columns of one type together: the responses are one block of `n_trials` columns
    and voxel_id another; if voxel_id is a float of the same width it is the first column of the
    one block. The column names are pickled in the file and are not read: columns stand in order.
    """
    with _opened(path) as group:
        blocks = {name: group[name] for name in group if name.endswith("_values")}
        for name, values in blocks.items():
            extra = values.shape[1] - n_trials if values.ndim == 2 else -1
            apart = _ids(blocks, name)
            first = np.asarray(values[:, 0]) if extra == 1 and apart is None else None
            if extra == 0:
                ids = np.arange(len(values)) if apart is None else apart
                return ResponseTable(path, name, 0, ids.astype(np.int64))
            if first is not None and len(np.unique(np.rint(first))) == len(first):
                return ResponseTable(path, name, 1, first.astype(np.int64))
        shapes = ", ".join(f"{name} {values.shape}" for name, values in blocks.items()) or "none"
        msg = f"no block of {n_trials} trials, as StimulusMetadata.csv lists; blocks: {shapes}"
        raise ValueError(msg)


def _ids(blocks: dict[str, Any], besides: str) -> NDArray[np.generic] | None:
    """Return the block of one column, if there is one."""
    for name, values in blocks.items():
        if name != besides and values.shape == (blocks[besides].shape[0], 1):
            return np.asarray(values[:, 0])
    return None


def plan_table(dataset: Dataset, subject: str) -> StoreWork:
    """Check the three files against each other and return what there is to do."""
    release = dataset.table_release(subject)
    for path in release:
        if not path.is_file():
            msg = f"the table release lacks {str(path)!r}: put the published file there"
            raise DataError(msg)
    trials, notes = build_release_trials(dataset, subject)
    table = find_responses(release.responses, len(trials))
    metadata = read_metadata(release.voxels)
    published, listed = _match(release, table, metadata)
    ijk = published[POSITION].to_numpy(dtype=np.int64)
    mask, more = _mask(dataset, subject, ijk)
    order = listed[place_in(mask, ijk, release.voxels)]
    sources = [
        note_source(dataset, path) for path in small_sources(dataset, subject, with_betas=True)
    ]
    return StoreWork(
        dataset=dataset,
        subject=subject,
        kind=RESPONSES,
        trials=trials.drop(columns="column"),
        voxels=voxel_table(mask, published, release.voxels)[0],
        mask=mask,
        sources=sources,
        warnings=[*notes, *more],
        simulated=dataset.simulated,
        signature=_signature(table, sources, mask),
        pieces=_pieces(dataset, table, trials["column"].to_numpy(dtype=np.int64), order),
    )


def _match(
    release: TableRelease, table: ResponseTable, metadata: pd.DataFrame
) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Return the voxels that have responses, and the row of the responses of each, (n,)."""
    rows = pd.Series(np.arange(len(table.voxel_id)), index=table.voxel_id)
    found = rows.reindex(metadata["voxel_id"])
    kept = found.notna().to_numpy()
    if rows.index.has_duplicates or int(kept.sum()) != len(rows):
        counts = f"{len(rows)} voxels, {release.voxels.name} knows {int(kept.sum())} of them"
        msg = (
            f"{str(release.responses)!r} has {counts}: put files of one subject and release there"
        )
        raise DataError(msg)
    return metadata[kept].reset_index(drop=True), found[kept].to_numpy(dtype=np.int64)


def _mask(dataset: Dataset, subject: str, ijk: NDArray[np.int64]) -> tuple[BrainMask, list[str]]:
    """Make the mask of the listed voxels, on the grid of the brain mask if that is there."""
    path = dataset.brain_mask(subject)
    if path.is_file():
        whole, _ = read_mask(path)
        grid, notes = whole.grid, []
    else:
        shape = tuple(int(v) + 1 for v in ijk.max(0))
        grid = Grid.of(shape, np.diag([2.0, 2.0, 2.0, 1.0]))
        notes = [f"there is no {path.name}: positions in mm are not those of the scanner"]
    if (ijk < 0).any() or (ijk >= grid.shape).any():
        msg = f"{str(path)!r} has the grid {grid.shape}, but voxels of the table lie outside it"
        raise DataError(f"{msg}: put files of one subject together")
    inside = np.zeros(grid.shape, bool)
    inside[tuple(ijk.T)] = True
    return BrainMask(inside, grid), notes


def _signature(table: ResponseTable, sources: list[Source], mask: BrainMask) -> str:
    stat = table.path.stat()
    small = [[source.path, source.sha256] for source in sources]
    what = [FORMAT, VOXELS_AT_ONCE, stat.st_size, stat.st_mtime_ns, mask.n_voxels, small]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()


def _pieces(
    dataset: Dataset, table: ResponseTable, columns: NDArray[np.int64], order: NDArray[np.int64]
) -> list[Piece]:
    """Return one piece for the sha256 and one for each block of voxels of the store."""
    size = table.path.stat().st_size
    whole = Piece("sha256", size, partial(_hash, dataset, table.path))
    firsts = range(0, len(order), VOXELS_AT_ONCE)
    return [whole] + [
        Piece(
            f"voxels from {first}",
            size * len(order[first : first + VOXELS_AT_ONCE]) // len(order),
            partial(_fill, table, columns, order[first : first + VOXELS_AT_ONCE], first),
        )
        for first in firsts
    ]


def _hash(dataset: Dataset, path: Path, store: StoreFile, tick: Tick) -> FinishedPiece:
    sha, size = hashlib.sha256(), 0
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK * 8):
            sha.update(chunk)
            size += len(chunk)
            tick(size)
    source = note_source(dataset, path, Digest(size, sha.hexdigest()))
    return FinishedPiece("sha256", source)


def _fill(
    table: ResponseTable,
    columns: NDArray[np.int64],
    rows: NDArray[np.int64],
    first: int,
    store: StoreFile,
    tick: Tick,
) -> FinishedPiece:
    """Read the responses of some voxels, (n, n_trials), and write them as columns of the store."""
    tick(0)
    block = _read(table, rows)[:, columns]
    finite = np.isfinite(block)
    n_bad = int(block.size - np.count_nonzero(finite))
    _check(table, block, finite, first)
    block[~finite] = 0
    store.write_columns(first, np.ascontiguousarray(block.T.astype(np.float16)))
    notes = [f"{n_bad} values of voxels {first} … are not finite, stored as 0"] * (n_bad > 0)
    return FinishedPiece(f"voxels from {first}", warnings=notes)


def _read(table: ResponseTable, rows: NDArray[np.int64]) -> NDArray[np.floating]:
    """Read rows in the order asked for, neighbours together."""
    with _opened(table.path) as group:
        values = group[table.block]
        runs = np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1)
        parts = [values[int(run[0]) : int(run[-1]) + 1, table.first_column :] for run in runs]
    return np.concatenate(parts)


def _check(
    table: ResponseTable, block: NDArray[np.floating], finite: NDArray[np.bool_], first: int
) -> None:
    """Refuse trials that are mostly not finite or constant, and values beyond float16."""
    where = f"{str(table.path)!r}, {len(block)} voxels from {first}"
    lost = np.flatnonzero(2 * finite.sum(0) < len(block))
    largest = float(np.abs(np.where(finite, block, 0)).max())
    flat = np.flatnonzero((block == block[0]).all(0)) if len(block) >= 16 else lost[:0]
    if len(lost):
        msg = f"{where}: trial {lost[0]} is mostly not finite; download the file again"
    elif len(flat):
        msg = f"{where}: trial {flat[0]} has one value everywhere; download the file again"
    elif largest > LARGEST:
        msg = f"{where}: values up to {largest:g}, expected % signal change; download it again"
    else:
        return
    raise DataError(msg)
