"""The small files of a store: tables, mask, manifest."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import thingsviz
from thingsviz.core.errors import DataError
from thingsviz.core.files import crc_of_file, write_atomically
from thingsviz.core.json_files import sealed, write_json
from thingsviz.data.prepare.pieces import StoreWork
from thingsviz.data.prepare.read_run import FinishedPiece
from thingsviz.data.store import manifest
from thingsviz.data.store.manifest import CHECKED, FORMAT, TABLE, Source, fingerprint, note_source
from thingsviz.data.store.matrix_file import DTYPE, checksums, write_row_sums
from thingsviz.data.store.matrix_file import NAME as BETAS
from thingsviz.data.store.state import count
from thingsviz.data.things.layout import Dataset
from thingsviz.data.things.sources import small_sources
from thingsviz.data.things.tables import plain_array
from thingsviz.data.things.trials import TrialTable
from thingsviz.data.volumes.masks import write_mask


def write_small_files(work: StoreWork, filled: Sequence[FinishedPiece], folder: Path) -> None:
    """Write everything of a store but its betas; the manifest last."""
    write_trials(folder, work.trials)
    write_parquet(folder / "voxels.parquet", work.voxels)
    write_mask(folder / "brain_mask.nii.gz", work.mask)
    write_row_sums(folder, _row_sums(work, filled, folder))
    sources = [*work.sources, *(piece.source for piece in filled if piece.source)]
    notes = [*work.warnings, *(note for piece in filled for note in piece.warnings)]
    head = _head(work.dataset, work.subject, work.kind, sources, work.trials, notes)
    head["simulated"] = work.simulated
    head["counts"]["voxels"] = work.mask.n_voxels
    betas = {
        "shape": list(work.shape),
        "dtype": DTYPE.name,
        "grid": list(work.mask.grid.shape),
        "affine": [list(row) for row in work.mask.grid.affine],
    }
    _write_manifest(folder, {**head, **betas})


def write_table_only(dataset: Dataset, subject: str, table: TrialTable, folder: Path) -> None:
    """Write the trials table and its manifest, for a subject without betas."""
    trials, warnings = table
    write_trials(folder, trials)
    paths = small_sources(dataset, subject, with_betas=False)
    sources = [note_source(dataset, path) for path in paths]
    _write_manifest(folder, _head(dataset, subject, TABLE, sources, trials, warnings))


def write_trials(folder: Path, trials: pd.DataFrame) -> None:
    """Write the table as parquet and as .npz, one plain array a column."""
    write_parquet(folder / "trials.parquet", trials)
    arrays: dict[str, Any] = {str(name): plain_array(trials[name]) for name in trials.columns}
    write_atomically(folder / "trials.npz", lambda file: np.savez_compressed(file, **arrays))


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write a table whole or not at all."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    write_atomically(path, lambda file: file.write(buffer.getbuffer()))


def _head(
    dataset: Dataset,
    subject: str,
    kind: str,
    sources: Sequence[Source],
    trials: pd.DataFrame,
    warnings: Sequence[str],
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "kind": kind,
        "dataset": dataset.name,
        "subject": subject,
        "simulated": dataset.simulated,
        "space": dataset.space,
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "thingsviz": thingsviz.__version__,
        "fingerprint": fingerprint(sources),
        "counts": count(trials),
        "warnings": list(warnings),
        "sources": [source._asdict() for source in sources],
    }


def _row_sums(work: StoreWork, filled: Sequence[FinishedPiece], folder: Path) -> list[int]:
    """Return the CRC-32 of each row: those taken while filling, else read now."""
    pieces = sorted((piece.rows, piece.row_crcs) for piece in filled if piece.rows)
    known = [one for _, sums in pieces for one in sums]
    n = len(work.trials)
    if len(known) == n:
        return known
    return list(checksums(folder / BETAS, [(i, i + 1) for i in range(n)], work.shape[1]))


def _write_manifest(folder: Path, content: dict[str, Any]) -> None:
    names = sorted(p.name for p in folder.iterdir() if not p.name.startswith((".", "journal")))
    content["files"] = {name: (folder / name).stat().st_size for name in names}
    content["file_crc32"] = {name: crc_of_file(folder / name) for name in names if name in CHECKED}
    try:
        write_json(folder / manifest.NAME, sealed(content))
    except ValueError as error:
        msg = f"the manifest of {content['subject']} cannot be written: {error}"
        raise DataError(msg) from error
