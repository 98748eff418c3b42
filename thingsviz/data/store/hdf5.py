"""The store as one HDF5 file, subject.h5, that any language reads."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from thingsviz.core.files import fsync_folder
from thingsviz.core.json_files import write_sealed
from thingsviz.core.progress import Progress, Report
from thingsviz.data.store import manifest
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.tables import plain_array

NAME = "subject.h5"
ROWS_AT_ONCE = 64


def write_hdf5(store: BetaStore, on_progress: Report) -> None:
    """Write betas (trials, voxels), trials/…, voxels/…, mask and affine; note it in the manifest.

    Each column of a table is a dataset of its own, text as UTF-8, so no pandas is needed to read.
    """
    path = store.folder / NAME
    for left in store.folder.glob(f".{NAME}.*.tmp"):
        left.unlink()
    temporary = path.with_name(f".{NAME}.{secrets.token_hex(4)}.tmp")
    try:
        _check_space(temporary, _most_bytes(store))
        with h5py.File(temporary, "w") as file:
            _fill(file, store, on_progress)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    fsync_folder(store.folder)
    files = {**store.manifest["files"], NAME: path.stat().st_size}
    write_sealed(store.folder / manifest.NAME, {**store.manifest, "files": files})


def _most_bytes(store: BetaStore) -> int:
    """Return an upper bound of the size of the export."""
    tables = sum(int(t.memory_usage(deep=True).sum()) for t in (store.trials, store.voxels))
    return store.betas.nbytes + store.mask.size + 2 * tables + (1 << 20)


def _check_space(scratch: Path, n_bytes: int) -> None:
    """Claim the space and give it back: HDF5 crashes the process if a disk fills up on it."""
    try:
        with scratch.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, n_bytes)
    finally:
        scratch.unlink(missing_ok=True)


def _fill(file: Any, store: BetaStore, on_progress: Report) -> None:  # noqa: ANN401
    n_trials, n_voxels = store.shape
    for name in ("dataset", "subject", "space", "fingerprint", "simulated"):
        file.attrs[name] = store.manifest[name]
    file.attrs["betas"] = (
        "% signal change, float16, one row a trial, voxels in the order of voxels/"
    )
    betas = file.create_dataset("betas", (n_trials, n_voxels), np.float16)
    for first in range(0, n_trials, ROWS_AT_ONCE):
        betas[first : first + ROWS_AT_ONCE] = store.read(slice(first, first + ROWS_AT_ONCE))
        on_progress(Progress(first, n_trials, "writing HDF5"))
    file.create_dataset("mask", data=store.mask)
    file.create_dataset("affine", data=store.grid.matrix)
    _table(file.create_group("trials"), store.trials)
    _table(file.create_group("voxels"), store.voxels)


def _table(group: Any, table: pd.DataFrame) -> None:  # noqa: ANN401
    for name in table.columns:
        values = plain_array(table[name])
        text = values.dtype.kind == "U"
        # A slash in a column's name would make a group of it.
        group.create_dataset(
            str(name).replace("/", "_"),
            data=values.astype(object) if text else values,
            dtype=h5py.string_dtype() if text else None,
        )
