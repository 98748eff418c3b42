"""The prepared store of one subject: any single-trial response in well under a millisecond."""

from __future__ import annotations

import mmap
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.core.command_hint import command_hint
from thingsviz.core.errors import DataError
from thingsviz.core.space import Grid
from thingsviz.core.trial_key import TrialKey
from thingsviz.data.store.manifest import NAME as MANIFEST
from thingsviz.data.store.manifest import TABLE, check_file, read_manifest
from thingsviz.data.store.matrix_file import NAME as BETAS
from thingsviz.data.store.matrix_file import RowSums, checksums, open_matrix
from thingsviz.data.store.state import StoreState, first_fault, store_state
from thingsviz.data.things.layout import Dataset
from thingsviz.data.things.trials import KEYS, read_trials
from thingsviz.data.volumes.masks import BrainMask, read_mask

ROWS_AT_ONCE = 128
MOST_MAPPED = 2**28  # bytes that are read before their memory is given back

__all__ = ["BetaStore", "NoSuchTrialError", "StoreState", "store_state"]


class NoSuchTrialError(DataError, IndexError):
    """A (session, run, trial) that this subject does not have."""


class BetaStore:
    """Responses of one subject, and what is known of its trials and voxels.

    `betas` is (n_trials, n_voxels), % signal change, float16, mapped from disk; `trials` has one
    row a trial in the same order; `brain` is the mask whose C order the voxels stand in.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder, self.manifest = folder, manifest
        self.betas: NDArray[np.float16] = open_matrix(folder / BETAS)
        # Read now, not when asked for: the folder may be replaced while this store is open.
        for name in ("trials.parquet", "brain_mask.nii.gz"):
            check_file(folder, manifest, name)
        self.trials: pd.DataFrame = read_trials(folder)
        self.most_rows = MOST_MAPPED // max(1, self.betas[:1].nbytes)
        self._touched = 0
        self.sums = RowSums(folder, self.betas)
        self.brain: BrainMask = read_mask(folder / "brain_mask.nii.gz")[0]
        if (len(self.trials), self.brain.n_voxels) != self.shape:
            sizes = f"{len(self.trials)} trials and {self.brain.n_voxels} voxels"
            msg = f"{str(folder)!r} has betas {self.shape} but {sizes}: run prepare again"
            raise DataError(msg)

    @classmethod
    def open(cls, dataset: Dataset, subject: str) -> BetaStore:
        """Open a prepared store, a stale one too; one that is missing or damaged is an error."""
        folder = dataset.store_dir(subject)
        command = f"run '{command_hint('prepare', dataset.root, '--subject', subject)}'"
        if not (folder / MANIFEST).is_file():
            msg = f"{subject} of {dataset.name!r} is not prepared: {command}"
            raise DataError(msg)
        manifest = read_manifest(folder)
        if manifest["kind"] == TABLE:
            msg = f"{subject} of {dataset.name!r} has a trials table but no betas: {command}"
            raise DataError(msg)
        try:
            fault = first_fault(folder, manifest)
        except (OSError, ValueError, KeyError) as error:
            fault = f"{str(folder)!r} is damaged ({error})"
        if fault:
            raise DataError(fault)
        return cls(folder, manifest)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Which voxels of the grid are brain, (X, Y, Z)."""
        return self.brain.inside

    @property
    def grid(self) -> Grid:
        """The grid of the volumes."""
        return self.brain.grid

    @cached_property
    def voxels(self) -> pd.DataFrame:
        """One row a brain voxel: i, j, k, regions (bool), noise ceilings (%) where published."""
        path = self.folder / "voxels.parquet"
        if read_manifest(self.folder) == self.manifest:
            check_file(self.folder, self.manifest, path.name)
        try:
            table = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            msg = f"{str(path)!r} cannot be read: run prepare again"
            raise DataError(msg) from error
        if len(table) != self.shape[1]:
            msg = f"{str(self.folder)!r} was replaced while it was open: reload"
            raise DataError(msg)
        return table

    @property
    def shape(self) -> tuple[int, int]:
        """(n_trials, n_voxels)."""
        return self.betas.shape[0], self.betas.shape[1]

    @property
    def fingerprint(self) -> str:
        """One name for what the sources of this store hold."""
        return str(self.manifest["fingerprint"])

    @property
    def simulated(self) -> bool:
        """Whether the responses are planted, not measured."""
        return bool(self.manifest["simulated"])

    @property
    def space(self) -> str:
        """The space that the dataset declares, T1w unless it says otherwise."""
        return str(self.manifest["space"])

    def release(self) -> None:
        """Give back the memory of what was read; the system keeps it cached as long as it can."""
        self._touched = 0
        mapped: object = self.betas.base
        if isinstance(mapped, mmap.mmap):
            mapped.madvise(mmap.MADV_DONTNEED)

    def read(self, rows: Any, voxels: slice | None = None) -> NDArray[np.float16]:  # noqa: ANN401
        """Return a copy of trials (a row, rows or a slice), each compared with its checksum once.

        A pass over all trials would otherwise count the whole file as this process's own: the
        system maps up to megabytes around each page that is read. So whole rows are counted,
        and given back from time to time: a training on 4.7 GB held 4.2 GB at its peak without, 1.9
        with it, and took the same time.
        """
        wanted = np.arange(self.shape[0])[rows]
        part = voxels or slice(None)
        found = np.empty((wanted.size, len(range(*part.indices(self.shape[1])))), np.float16)
        for first in range(0, wanted.size, ROWS_AT_ONCE):
            few = wanted.reshape(-1)[first : first + ROWS_AT_ONCE]
            self.sums.check(few)
            found[first : first + len(few)] = self.betas[few, part]
            self._touched += len(few)
            if self._touched > self.most_rows:
                self.release()
        return found.reshape(*wanted.shape, found.shape[1])

    def vector(self, row: int) -> NDArray[np.float32]:
        """Return one trial's brain voxels, (n_voxels,), % signal change."""
        values: NDArray[np.float32] = self.read(row).astype(np.float32)
        return values

    def volume(self, row: int) -> NDArray[np.float32]:
        """Return one trial as a volume, (X, Y, Z), 0 outside the brain."""
        return self.brain.unmask(self.read(row))

    @cached_property
    def _rows(self) -> dict[tuple[int, int, int], int]:
        keys = self.trials[KEYS].itertuples(index=False, name=None)
        return {(int(s), int(r), int(t)): row for row, (s, r, t) in enumerate(keys)}

    def row(self, key: TrialKey) -> int:
        """Return the row of a trial; a key that does not exist is an error naming what does."""
        found = self._rows.get((key.session, key.run, key.trial))
        if found is None:
            raise NoSuchTrialError(no_such(self.trials, key))
        return found

    def key(self, row: int) -> TrialKey:
        """Return the scanner's name of a row."""
        session, run, trial = self.trials[KEYS].iloc[row]
        return TrialKey(int(session), int(run), int(trial))

    def damaged_rows(self) -> list[tuple[int, int]]:
        """Compare all betas with their checksums (reads them all); return bad row ranges."""
        if self.sums.known is not None:
            known = {(row, row + 1): int(crc) for row, crc in enumerate(self.sums.known)}
        else:  # a store of an earlier version has checksums of ranges only
            listed = self.manifest.get("checksums", [])
            known = {(one["rows"][0], one["rows"][1]): one["crc32"] for one in listed}
        now = checksums(self.folder / BETAS, list(known), self.shape[1])
        return [rows for rows, crc in zip(known, now, strict=True) if known[rows] != crc]


def no_such(trials: pd.DataFrame, key: TrialKey) -> str:
    """Say which sessions, runs or trials exist instead of `key`."""
    sessions = sorted(trials["session"].unique())
    here = trials[trials["session"] == key.session]
    if here.empty:
        return f"there is no session {key.session}: sessions are {say_range(sessions)}"
    runs = sorted(here["run"].unique())
    here = here[here["run"] == key.run]
    if here.empty:
        return f"session {key.session} has no run {key.run}: its runs are {say_range(runs)}"
    found = say_range(sorted(here["trial"].unique()))
    return f"ses-{key.session:02d} run-{key.run:02d} has no trial {key.trial}: trials are {found}"


def say_range(numbers: list[int]) -> str:
    """Write sorted numbers shortly: '1 to 12', or '1, 2, 5'."""
    if not numbers:
        return "none"
    first, last = int(numbers[0]), int(numbers[-1])
    if len(numbers) == last - first + 1:
        return f"{first} to {last}" if last > first else str(first)
    return ", ".join(str(int(n)) for n in numbers)
