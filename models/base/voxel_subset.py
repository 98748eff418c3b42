"""A part of the voxels of a matrix of trials, and sums over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import Floats, Rows, TrialMatrix


class VoxelSubset:
    """A TrialMatrix of some voxels (k,) of another one; `check` is called at every read."""

    def __init__(
        self,
        inner: TrialMatrix,
        voxels: NDArray[np.int64],
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.inner, self.voxels, self.check = inner, voxels, check

    @property
    def shape(self) -> tuple[int, int]:
        """(n_trials, k)."""
        return self.inner.shape[0], len(self.voxels)

    def batch(self, rows: Rows) -> Floats:
        """All k voxels of some trials, (len(rows), k)."""
        self.check()
        return self.inner.batch(rows)[:, self.voxels]

    def blocks(self, rows: Rows, width: int) -> Iterator[tuple[slice, Floats]]:
        """Walk over the k voxels, at most `width` at a time."""
        for part, block in self.inner.blocks(rows, width):
            self.check()
            start, stop = np.searchsorted(self.voxels, (part.start, part.stop))
            if stop > start:
                yield slice(int(start), int(stop)), block[:, self.voxels[start:stop] - part.start]


def gather(X: TrialMatrix, rows: Rows, voxels: NDArray[np.int64], width: int) -> Floats:
    """Read the responses of some voxels into memory once, (len(rows), len(voxels)), float32.

    60,000 voxels of 7,440 trials take 1.8 GB; reading them again for each step of an iteration
    took longer than the step.
    """
    out = np.empty((len(rows), len(voxels)), np.float32)
    for part, block in X.blocks(rows, width):
        first, last = np.searchsorted(voxels, (part.start, part.stop))
        out[:, first:last] = block[:, voxels[first:last] - part.start]
    return out


def mean_responses(
    X: TrialMatrix, rows: Rows, groups: NDArray[Any], voxels: NDArray[np.int64], width: int
) -> Floats:
    """Mean response of each concept, (n_concepts, len(voxels)), concepts as np.unique has them."""
    order = np.argsort(groups, kind="stable")
    _, starts, count = np.unique(groups[order], return_index=True, return_counts=True)
    out = np.empty((len(starts), len(voxels)), np.float32)
    for part, block in X.blocks(rows[order], width):
        first, last = np.searchsorted(voxels, (part.start, part.stop))
        chosen = block[:, voxels[first:last] - part.start]
        out[:, first:last] = np.add.reduceat(chosen, starts, axis=0) / count[:, None]
    return out
