"""How training trials are varied: Gaussian noise, and mixing with a repeat of the same concept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.base.arrays import Floats, Rows
from models.base.errors import ModelError
from models.training.config import FitConfig
from models.training.distributed.processes import MicroBatch

STREAM = 1  # of the generator (seed, epoch, STREAM): other numbers than the order of the batches
Read = Callable[[list[Rows]], Iterator[tuple[Rows, Floats]]]


class EpochBatches(NamedTuple):
    """An epoch's batches, the first that is left, and which trials of each left are read here."""

    number: int
    batches: list[Rows]
    first: int
    chosen: list[NDArray[np.int64]]


class Augmentation:
    """One way to vary training trials: where they are read, or on the device. It may do both.

    Random numbers are drawn for whole batches, so that they do not depend on the processes.
    """

    def reading(self, read: Read, epoch: EpochBatches) -> Read:
        """Return how the batches of an epoch are read, given how they are read without it."""
        return read

    def change(self, x: Tensor, part: MicroBatch | None = None) -> Tensor:
        """Return responses x (b, n_voxels) changed; they are this process's of the part."""
        return x


class Partners(NamedTuple):
    """For each trial of a batch its partner (B,), and the share of the trial itself (B,)."""

    partner: Rows
    share: Floats

    def of(self, own: NDArray[np.int64]) -> Partners:
        """Return that of some trials of the batch."""
        return Partners(self.partner[own], self.share[own])


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

    def draw(self, rng: np.random.Generator, rows: Rows, chance: float) -> Partners:
        """Draw partners for a batch; a trial whose group has no other one stays alone."""
        own = self.place[rows]
        first, count = self.first[own], self.count[own]
        step = 1 + (rng.random(len(rows)) * (count - 1)).astype(np.int64)
        partner = self.sorted[first + (own - first + step) % count]
        share = (1 - 0.5 * rng.random(len(rows))).astype(np.float32)
        share[rng.random(len(rows)) >= chance] = 1
        return Partners(partner, share)


class Mixing(Augmentation):
    """With chance `repeat_mixing` trial i becomes λ i + (1 − λ) j, λ uniform in [½, 1].

    j is another fitting trial of the same group. The ratings stay: they are those of the concept.
    """

    def __init__(self, config: FitConfig, groups: NDArray[Any] | None, train: Rows) -> None:
        self.config, self.repeats = config, Repeats(groups, train)

    def draw(self, epoch: int, batches: list[Rows]) -> list[Partners]:
        """Draw the partners of an epoch, by a generator of its own for each (seed, epoch)."""
        rng = np.random.default_rng([self.config.seed, epoch, STREAM])
        return [self.repeats.draw(rng, rows, self.config.repeat_mixing) for rows in batches]

    def reading(self, read: Read, epoch: EpochBatches) -> Read:
        """Read each trial's partner beside it, and mix the two."""
        drawn = self.draw(epoch.number, epoch.batches)[epoch.first :]
        own = [one.of(which) for one, which in zip(drawn, epoch.chosen, strict=True)]
        return lambda batches: read_mixed(read, batches, own)


def read_mixed(
    read: Read, batches: list[Rows], drawn: list[Partners]
) -> Iterator[tuple[Rows, Floats]]:
    """Yield rows and mixed responses (len(rows), n_voxels); reads twice as many trials."""
    both = [np.concatenate([r, m.partner]) for r, m in zip(batches, drawn, strict=True)]
    for rows, partners, (_, block) in zip(batches, drawn, read(both), strict=True):
        share = partners.share[:, None]
        own, other = np.split(block, 2)
        yield rows, own * share + other * (1 - share)


class Noise(Augmentation):
    """Gaussian noise of an SD in the responses' own unit (z by default)."""

    def __init__(self, sd: float) -> None:
        self.sd = sd

    def change(self, x: Tensor, part: MicroBatch | None = None) -> Tensor:
        """Add noise, drawn for all trials of the part, of which x are this process's own."""
        n, mine = (len(x), slice(None)) if part is None else (part.whole, part.mine)
        noise = torch.randn((n, *x.shape[1:]), dtype=x.dtype, device=x.device)
        return x + self.sd * noise[mine]


def augmentations(
    config: FitConfig, groups: NDArray[Any] | None, train: Rows
) -> list[Augmentation]:
    """Return what a recipe asks for, in the order in which it is applied; a new one joins here."""
    mixing = [Mixing(config, groups, train)] if config.repeat_mixing else []
    return [*mixing, *([Noise(config.noise_sd)] if config.noise_sd else [])]
