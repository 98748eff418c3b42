"""What this process reads of an epoch: its share of each batch, varied where that is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from models.base.arrays import Floats, Rows
from models.training.augment import Augmentation, EpochBatches, Read
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
    varied: Sequence[Augmentation],
    place: TrainingProgress,
    here: Processes,
) -> Iterator[ProcessShare]:
    """Yield the shares of the batches that are left of an epoch.

    Order and augmentations are drawn for whole batches, so they are the same for every process.
    """
    batches = epoch_batches(config, data.train, place.epoch)
    left = batches[place.batch :]
    cut = [parts_of(len(rows), config.micro_batch_size, here) for rows in left]
    chosen = [np.concatenate([np.r_[part.batch] for part in parts]) for parts in cut]
    own = [rows[which] for rows, which in zip(left, chosen, strict=True)]
    epoch = EpochBatches(place.epoch, batches, place.batch, chosen)
    read: Read = partial(read_ahead, data.X)
    for one in varied:
        read = one.reading(read, epoch)
    for parts, (rows, block) in zip(cut, read(own), strict=True):
        yield ProcessShare(parts, rows, block)
