"""What a model asks of its data: standardised single-trial responses that never need to be in memory as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Floats = NDArray[np.float32]


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
