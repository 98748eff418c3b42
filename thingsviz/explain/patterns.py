"""Haufe's activation patterns of any decoder: which voxels go along with what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from models.base.arrays import Rows
from thingsviz.core.arrays import Array, Floats
from thingsviz.core.errors import ConfigError
from thingsviz.explain.shared_noise import (
    Covariances,
    SharedNoise,
    cleaned,
    sample_step,
    shared_noise,
)


def pattern(
    read: Callable[[Rows], Iterator[Tensor]],
    outputs: Callable[[Tensor], Floats],
    rows: Rows,
    concepts: NDArray[np.str_],
    clean: bool = False,
) -> tuple[Array, int]:
    """Return the share of each voxel's variance that outputs go along with, (n_voxels,), and n.

        A = Cov(x, ŷ) Cov(ŷ)⁻¹,   share = diag(A Cov(ŷ, x)) / Var(x) − rank Cov(ŷ) / n_trials

    (Haufe et al. 2014, eq. 6; the last term is what chance would give.) `read` gives responses of
    rows in batches, twice; `concepts` (len(rows),).
    ŷ is the mean output of the *other* trials of the same concept: a trial's own output holds the
    trial's own noise, which wide noise fields share, and would light up all that they reach (on
    the demo subject the AUC for planted voxels is .65 with it). `clean`: noise that many voxels
    share is taken out of x first.
    """
    said, sample = _heard(read(rows), outputs, clean)
    others, there = of_other_trials(said, concepts)
    shared = shared_noise(sample[there], others, concepts[there]) if clean else None
    return explained(read, others, rows[there], shared)


def _heard(
    batches: Iterator[Tensor], outputs: Callable[[Tensor], Floats], sampled: bool
) -> tuple[Floats, Floats]:
    """Return outputs of all trials and, when asked for, a sample of their voxels."""
    said, sample = [], []
    for x in batches:
        said.append(outputs(x))
        if sampled:
            sample.append(x.numpy()[:, :: sample_step(x.shape[1])].copy())
    return np.concatenate(said), np.concatenate(sample) if sampled else np.empty((0, 0), "f4")


def explained(
    read: Callable[[Rows], Iterator[Tensor]],
    beside: Floats,
    rows: Rows,
    shared: SharedNoise | None = None,
) -> tuple[Array, int]:
    """Return the share of each voxel's variance that `beside` (len(rows), n) explains, and n.

    Less what chance would give; with `shared`, of the variance without the shared noise.
    """
    sums: _Sums | None = None
    start, n_beside = 0, beside.shape[1]
    if shared is not None:
        beside = np.hstack([beside, shared.strength, shared.within]).astype(np.float32)
    for x in read(rows):
        sums = sums or _Sums(x.shape[1])
        sums.add(x.numpy(), beside[start : start + len(x)])
        start += len(x)
    assert sums is not None
    cross, among, variance = cleaned(sums.moments(), n_beside)
    inverse = np.linalg.pinv(among, rcond=1e-3, hermitian=True)
    share = np.einsum("vi,ij,vj->v", cross, inverse, cross) / np.maximum(variance, 1e-12)
    return share - np.linalg.matrix_rank(inverse, hermitian=True) / sums.n, sums.n


def of_other_trials(
    outputs: Floats, concepts: NDArray[np.str_]
) -> tuple[Floats, NDArray[np.intp]]:
    """Return the mean output (n, n_outputs) of other trials of each trial's concept, and which.

    Trials whose concept no other trial shows are left out; with fewer than three left, refused.
    """
    _, group, n = np.unique(concepts, return_inverse=True, return_counts=True)
    total = np.zeros((len(n), outputs.shape[1]))
    np.add.at(total, group, outputs)
    there = np.flatnonzero(n[group] > 1)
    if len(there) < 3:
        msg = (
            f"a pattern needs concepts shown more than once, but {len(there)} of {len(outputs)} "
            "trials share theirs: choose another method or more trials"
        )
        raise ConfigError(msg)
    own = group[there]
    mean = (total[own] - outputs[there]) / (n[own] - 1)[:, None]
    return mean.astype(np.float32), there


class _Sums:
    """Sums over trials of voxels x and outputs y, from which their covariances follow."""

    def __init__(self, n_voxels: int) -> None:
        self.n = 0
        self.x, self.xx = np.zeros(n_voxels), np.zeros(n_voxels)
        self.y, self.xy, self.yy = np.zeros(1), np.zeros((1, 1)), np.zeros((1, 1))

    def add(self, x: Floats, y: Floats) -> None:
        """Add trials: x (n, n_voxels), y (n, n_outputs)."""
        self.n += len(x)
        self.x += x.sum(0, dtype=float)
        self.xx += np.einsum("nv,nv->v", x, x)
        exact = y.astype(float)
        self.y = self.y + exact.sum(0)
        self.xy = self.xy + x.T @ y
        self.yy = self.yy + exact.T @ exact

    def moments(self) -> Covariances:
        """Return Cov(x, y) (n_voxels, n_outputs), Cov(y) and Var(x) (n_voxels,)."""
        mean_x, mean_y = self.x / self.n, self.y / self.n
        cross = self.xy / self.n - np.outer(mean_x, mean_y)
        among = self.yy / self.n - np.outer(mean_y, mean_y)
        return Covariances(cross, among, self.xx / self.n - mean_x**2)
