"""Which trials come in which batch, and reading the next ones while the network works."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from models.base.arrays import Floats, Rows, TrialMatrix
from models.training.config import FitConfig

AHEAD = 2


def batches_in_epoch(config: FitConfig, n_train: int) -> int:
    """Number of batches in an epoch of `n_train` trials."""
    return config.batches_per_epoch or -(-n_train // config.batch_size)


def epoch_batches(config: FitConfig, train: Rows, epoch: int) -> list[Rows]:
    """Batches of an epoch, drawn by a generator of its own for each (seed, epoch).

    Every trial once, the last batch smaller; or `batches_per_epoch` full batches from as many
    shuffled passes as that takes.
    """
    rng = np.random.default_rng([config.seed, epoch])
    if config.batches_per_epoch is None:
        order, n = rng.permutation(train), batches_in_epoch(config, len(train))
    else:
        n = config.batches_per_epoch
        passes = -(-n * config.batch_size // len(train))
        order = np.concatenate([rng.permutation(train) for _ in range(passes)])
    size = config.batch_size
    return [order[i * size : (i + 1) * size] for i in range(n)]


def read_ahead(X: TrialMatrix, batches: list[Rows]) -> Iterator[tuple[Rows, Floats]]:
    """Yield rows and responses (len(rows), n_voxels), reading in one thread `AHEAD` batches.

    The thread draws no random numbers, so the order and content are those of a plain loop.
    """
    with ThreadPoolExecutor(1, "read-ahead") as pool:
        waiting = [pool.submit(X.batch, rows) for rows in batches[:AHEAD]]
        try:
            for i, rows in enumerate(batches):
                block = waiting.pop(0).result()
                if i + AHEAD < len(batches):
                    waiting.append(pool.submit(X.batch, batches[i + AHEAD]))
                yield rows, block
        finally:
            for future in waiting:
                future.cancel()
