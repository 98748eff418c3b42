"""How training trials are varied: Gaussian noise, and mixing with a repeat of the same concept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.base.arrays import Floats, Rows, TrialMatrix
from models.base.errors import ModelError
from models.training.batches import read_ahead
from models.training.config import FitConfig
from models.training.distributed.processes import MicroBatch

STREAM = 1  # of the generator (seed, epoch, STREAM): other numbers than the order of the batches


class Mixing(NamedTuple):
    """For each trial of a batch its partner (B,), and the share of the trial itself (B,)."""

    partner: Rows
    share: Floats

    def of(self, own: NDArray[np.int64]) -> Mixing:
        """Return that of some trials of the batch."""
        return Mixing(self.partner[own], self.share[own])


class Repeats:
    """Which training trials show the same: `groups` (n_trials,) of all trials, rows `train`."""

    def __init__(self, groups: NDArray[Any] | None, train: Rows) -> None:
        if groups is None:
            msg = (
                "repeat_mixing mixes trials of the same concept: pass FitData(groups=...), the "
                "concept of each trial"
            )
            raise ModelError(msg)
        _, of = np.unique(groups[train], return_inverse=True)
        order = np.argsort(of, kind="stable")
        self.sorted = train[order]  # trials of a group stand beside each other
        self.count = np.bincount(of)[of[order]]  # size of each one's group
        first = np.concatenate([[0], np.cumsum(np.bincount(of))[:-1]])
        self.first = first[of[order]]  # where its group begins
        self.place = np.full(len(groups), -1)
        self.place[self.sorted] = np.arange(len(train))

    def draw(self, rng: np.random.Generator, rows: Rows, chance: float) -> Mixing:
        """Draw partners for a batch; a trial whose group has no other one stays alone."""
        own = self.place[rows]
        first, count = self.first[own], self.count[own]
        step = 1 + (rng.random(len(rows)) * (count - 1)).astype(np.int64)
        partner = self.sorted[first + (own - first + step) % count]
        share = (1 - 0.5 * rng.random(len(rows))).astype(np.float32)
        share[rng.random(len(rows)) >= chance] = 1
        return Mixing(partner, share)


def mixings(config: FitConfig, repeats: Repeats, batches: list[Rows], epoch: int) -> list[Mixing]:
    """Draw the mixings of an epoch, by a generator of its own for each (seed, epoch).

    With chance `repeat_mixing` trial i becomes λ i + (1 − λ) j, λ uniform in [½, 1], j another
    fitting trial of the same group. Its ratings stay: they are those of the concept.
    """
    rng = np.random.default_rng([config.seed, epoch, STREAM])
    return [repeats.draw(rng, rows, config.repeat_mixing) for rows in batches]


def read_mixed(
    X: TrialMatrix, batches: list[Rows], drawn: list[Mixing]
) -> Iterator[tuple[Rows, Floats]]:
    """Yield rows and mixed responses (len(rows), n_voxels); reads twice as many trials."""
    both = [np.concatenate([r, m.partner]) for r, m in zip(batches, drawn, strict=True)]
    for rows, mixing, (_, block) in zip(batches, drawn, read_ahead(X, both), strict=True):
        share = mixing.share[:, None]
        own, other = np.split(block, 2)
        yield rows, own * share + other * (1 - share)


def noisy(config: FitConfig, x: Tensor, part: MicroBatch | None = None) -> Tensor:
    """Add Gaussian noise of SD `noise_sd` to responses, in their own unit (z by default).

    It is drawn for all trials of the part, of which x (b, n_voxels) are this process's own.
    """
    if not config.noise_sd:
        return x
    n, mine = (len(x), slice(None)) if part is None else (part.whole, part.mine)
    noise = torch.randn((n, *x.shape[1:]), dtype=x.dtype, device=x.device)
    return x + config.noise_sd * noise[mine]
