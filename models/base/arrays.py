"""What a model asks of its data: single-trial responses that are never in memory as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Floats = NDArray[np.float32]
Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


class TrialMatrix(Protocol):
    """Responses as a (n_trials, n_voxels) matrix that is read in pieces."""

    @property
    def shape(self) -> tuple[int, int]:
        """(n_trials, n_voxels)."""
        ...

    def batch(self, rows: Rows) -> Floats:
        """All voxels of some trials, (len(rows), n_voxels)."""
        ...

    def blocks(self, rows: Rows, width: int) -> Iterator[tuple[slice, Floats]]:
        """Walk over the voxels `width` at a time: the voxel slice and (len(rows), ≤ width)."""
        ...


class ArrayTrials:
    """A TrialMatrix over an array in memory (or a memory map), for scripts and tests."""

    def __init__(self, array: NDArray[np.floating]) -> None:
        self.array = array

    @property
    def shape(self) -> tuple[int, int]:
        """(n_trials, n_voxels)."""
        return int(self.array.shape[0]), int(self.array.shape[1])

    def batch(self, rows: Rows) -> Floats:
        """All voxels of some trials, (len(rows), n_voxels)."""
        return np.asarray(self.array[rows], np.float32)

    def blocks(self, rows: Rows, width: int) -> Iterator[tuple[slice, Floats]]:
        """Walk over the voxels `width` at a time."""
        for start in range(0, self.shape[1], width):
            part = slice(start, min(start + width, self.shape[1]))
            yield part, np.asarray(self.array[:, part][rows], np.float32)
