"""What a model asks of its data: single-trial responses that are never in memory as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Protocol

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


class TrialView:
    """Some trials of a TrialMatrix, in any order, that are read only when asked for.

    It is cut as an array is: `view[rows]` is a view again, `np.asarray(view)` reads all of it.
    """

    dtype: ClassVar[np.dtype[np.float32]] = np.dtype(np.float32)
    ndim: ClassVar[int] = 2

    def __init__(self, inner: TrialMatrix, rows: Rows | None = None) -> None:
        self.inner = inner
        self.rows = np.arange(inner.shape[0]) if rows is None else np.asarray(rows, np.int64)

    @property
    def shape(self) -> tuple[int, int]:
        """(n_trials, n_voxels)."""
        return len(self.rows), self.inner.shape[1]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> TrialView:  # noqa: ANN401
        """Cut trials by numbers, a slice or a (n_trials,) mask; voxels only with `:` or `…`."""
        rows = index
        if isinstance(index, tuple):
            rows, *rest = index
            if any(part is not Ellipsis and part != slice(None) for part in rest):
                msg = "responses that are read when asked for are cut by trials: use view[rows]"
                raise IndexError(msg)
        return TrialView(self.inner, np.atleast_1d(self.rows[rows]))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: ANN401
        if copy is False:
            msg = "responses on disk cannot become an array without a copy"
            raise ValueError(msg)
        return self.inner.batch(self.rows).astype(dtype or np.float32, copy=False)

    def __repr__(self) -> str:
        return f"TrialView({len(self):,} trials × {self.shape[1]:,} voxels, float32, on disk)"

    def batch(self, rows: Rows) -> Floats:
        """All voxels of some trials, (len(rows), n_voxels)."""
        return self.inner.batch(self.rows[rows])

    def blocks(self, rows: Rows, width: int) -> Iterator[tuple[slice, Floats]]:
        """Walk over the voxels `width` at a time."""
        return self.inner.blocks(self.rows[rows], width)
