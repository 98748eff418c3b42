"""What this process reads of an epoch: its share of each batch, mixed where that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from models.base.arrays import Floats, Rows
from models.training.augment import Repeats, mixings, read_mixed
from models.training.batches import epoch_batches, read_ahead
from models.training.config import FitConfig
from models.training.data import FitData, TrainingProgress
from models.training.distributed.processes import MicroBatch, Processes, parts_of


class ProcessShare(NamedTuple):
    """Parts of a batch, the rows of this process (n,), and their responses (n, n_voxels)."""

    parts: list[MicroBatch]
    rows: Rows
    block: Floats


def read_epoch(
    config: FitConfig,
    data: FitData,
    repeats: Repeats | None,
    place: TrainingProgress,
    here: Processes,
) -> Iterator[ProcessShare]:
    """Yield the shares of the batches that are left of an epoch.

    Order and mixing are drawn for whole batches, so they are the same for every process.
    """
    batches = epoch_batches(config, data.train, place.epoch)
    left = batches[place.batch :]
    cut = [parts_of(len(rows), config.micro_batch_size, here) for rows in left]
    chosen = [np.concatenate([np.r_[part.batch] for part in parts]) for parts in cut]
    own = [rows[which] for rows, which in zip(left, chosen, strict=True)]
    read = read_ahead(data.X, own)
    if repeats is not None:
        drawn = mixings(config, repeats, batches, place.epoch)[place.batch :]
        mixed = [one.of(which) for one, which in zip(drawn, chosen, strict=True)]
        read = read_mixed(data.X, own, mixed)
    for parts, (rows, block) in zip(cut, read, strict=True):
        yield ProcessShare(parts, rows, block)
