"""Z-scores of each voxel within a session, learned from training trials alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thingsviz.core.arrays import Floats, Rows
from thingsviz.core.errors import DataError
from thingsviz.data.store.beta_store import BetaStore

ROWS_AT_ONCE = 32  # 27 MB of float32 at 211,000 voxels
FEWEST = 2
# Below this share of its squared mean a variance is rounding error of float32 sums.
SMALLEST = 1e-10


class SessionScaler:
    """Mean and SD of each voxel in each session, (n_sessions, n_voxels), from `fitted_rows`.

        z[t, v] = (y[t, v] − mean[s(t), v]) / sd[s(t), v]

    A session with fewer than two training trials takes the mean and SD over all training
    trials; `pooled` names those sessions. A voxel that does not vary gives 0.
    """

    def __init__(
        self,
        sessions: NDArray[np.int64],
        mean: Floats,
        inverse_sd: Floats,
        fitted_rows: Rows,
        pooled: tuple[int, ...] = (),
    ) -> None:
        self.sessions, self.mean, self.inverse_sd = sessions, mean, inverse_sd
        self.fitted_rows, self.pooled = fitted_rows, pooled

    @classmethod
    def fit(cls, store: BetaStore, train_rows: Rows) -> SessionScaler:
        """Learn from training rows, in one pass front to back over the store."""
        rows = np.unique(np.asarray(train_rows, np.int64))
        if len(rows) < FEWEST:
            msg = f"z-scores need at least {FEWEST} training trials, there are {len(rows)}"
            raise DataError(f"{msg}: choose a split with more")
        of_trial = store.trials["session"].to_numpy(dtype=np.int64)
        sessions = np.unique(of_trial)
        # Moments about one trial instead of 0: a voxel that never varies then has exactly none.
        origin = store.vector(int(rows[0]))
        sums = [_sums(store, rows[of_trial[rows] == session], origin) for session in sessions]
        pool = _Sums(*(sum(parts) for parts in zip(*sums, strict=True)))
        used = [own if own.n >= FEWEST else pool for own in sums]
        moments = [_moments(one, origin) for one in used]
        mean, inverse_sd = (np.stack(part) for part in zip(*moments, strict=True))
        few = zip(sessions, sums, strict=True)
        pooled = tuple(int(session) for session, own in few if own.n < FEWEST)
        return cls(sessions, mean, inverse_sd, rows, pooled)

    def apply(
        self,
        block: NDArray[np.floating],
        sessions: NDArray[np.integer],
        voxels: slice | None = None,
    ) -> Floats:
        """Return z-scores of `block` (n, n_voxels or the `voxels` of it); `sessions` is (n,)."""
        part = voxels or slice(None)
        place = self._places(sessions)
        out = np.empty(block.shape, np.float32)
        # Neighbouring trials of one session are done together, without a copy.
        ends = [*np.flatnonzero(np.diff(place)) + 1, len(place)]
        for first, last in pairwise([0, *ends]):
            if last > first:
                here = out[first:last]
                np.subtract(block[first:last], self.mean[place[first], part], out=here)
                np.multiply(here, self.inverse_sd[place[first], part], out=here)
        return out

    def _places(self, sessions: NDArray[np.integer]) -> NDArray[np.intp]:
        """Return the row of `mean` for each session number."""
        sessions = np.asarray(sessions)
        place = np.searchsorted(self.sessions, sessions).clip(max=len(self.sessions) - 1)
        wrong = self.sessions[place] != sessions
        if wrong.any():
            msg = (
                f"session {sessions[wrong][0]} is unknown to this scaling: fit it on this subject"
            )
            raise DataError(msg)
        return place

    def as_json(self) -> dict[str, object]:
        """Return what a manifest should say of the scaling."""
        return {
            "kind": "session z-score",
            "fitted_trials": len(self.fitted_rows),
            "pooled_sessions": list(self.pooled),
        }


class _Sums(NamedTuple):
    """How many trials, and the sums over them of (y − origin) and its square, (n_voxels,)."""

    n: int
    first: NDArray[np.float64]
    second: NDArray[np.float64]


def _sums(store: BetaStore, rows: Rows, origin: Floats) -> _Sums:
    first, second = np.zeros(store.shape[1]), np.zeros(store.shape[1])
    for chunk in np.array_split(rows, -(-len(rows) // ROWS_AT_ONCE)) if len(rows) else []:
        block = store.read(chunk) - origin
        first += block.sum(0)
        second += np.einsum("tv,tv->v", block, block)
    return _Sums(len(rows), first, second)


def _moments(sums: _Sums, origin: Floats) -> tuple[Floats, Floats]:
    """Return mean and 1/SD of each voxel, (n_voxels,); 1/SD is 0 where nothing varies."""
    shift = sums.first / sums.n
    variance = sums.second / sums.n - shift**2
    varies = variance > SMALLEST * (shift**2 + origin**2)
    inverse = np.zeros_like(shift)
    inverse[varies] = variance[varies] ** -0.5
    return (origin + shift).astype(np.float32), inverse.astype(np.float32)


class StandardisedBetas:
    """The betas of a store as a `TrialMatrix`: z-scored when read, never in memory."""

    def __init__(self, store: BetaStore, scaler: SessionScaler | None = None) -> None:
        self.store, self.scaler = store, scaler
        self._sessions = store.trials["session"].to_numpy(dtype=np.int64)

    @property
    def shape(self) -> tuple[int, int]:
        """(n_trials, n_voxels)."""
        return self.store.shape

    def batch(self, rows: Rows) -> Floats:
        """All voxels of some trials, (len(rows), n_voxels)."""
        rows = np.asarray(rows, np.int64)
        return self._scaled(self.store.read(rows), rows, None)

    def blocks(self, rows: Rows, width: int) -> Iterator[tuple[slice, Floats]]:
        """Walk over the voxels `width` at a time: the voxel slice and (len(rows), ≤ width)."""
        rows = np.asarray(rows, np.int64)
        for first in range(0, self.shape[1], width):
            voxels = slice(first, min(first + width, self.shape[1]))
            yield voxels, self._scaled(self.store.read(rows, voxels), rows, voxels)

    def _scaled(self, block: NDArray[np.float16], rows: Rows, voxels: slice | None) -> Floats:
        if self.scaler is None:
            return block.astype(np.float32)
        return self.scaler.apply(block, self._sessions[rows], voxels)
