"""What a training costs before it starts: parameters, memory, multiplications, time; no torch."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.base.work import FLOAT, FitWork, NetworkWork, Size
from models.catalog.config import ModelConfig
from models.catalog.registry import spec_of
from models.training.config import FitConfig

__all__ = ["Cost", "Size", "Speed", "estimate", "machine_speed", "work_of"]

COPIES = 5  # of each weight while training: itself, gradient, two moments, the best epoch's
ADAMW_TOUCHES = 8  # times that a step reads or writes each weight's numbers
READ_AHEAD = 3  # batches of responses in memory


@dataclass(frozen=True)
class Speed:
    """How fast a machine is: float32 multiplications-and-additions, and memory, per second."""

    flops: float
    bytes: float


@dataclass(frozen=True)
class Cost:
    """What a training will take.

    `flops_per_sample` is forward and backward; `bytes` is beyond what Python and torch need by
    themselves (about 0.6 GB); `seconds` is a guess that is right within a factor of two on an
    idle machine.
    """

    parameters: int
    n_tokens: int
    flops_per_sample: float
    bytes: int
    seconds_per_epoch: float
    seconds: float


def estimate(
    config: ModelConfig,
    mask: NDArray[np.bool_],
    fit: FitConfig,
    size: Size,
    speed: Speed | None = None,
) -> Cost:
    """Estimate a training on a brain mask (X, Y, Z); without `speed` it is measured, once."""
    speed, work = speed or machine_speed(), work_of(config, mask, size)
    if isinstance(work, FitWork):
        seconds = work.flops / speed.flops + work.moved / speed.bytes
        per_sample = work.flops / max(size.n_train, 1)
        return Cost(work.parameters, 0, per_sample, int(work.held), seconds, seconds)
    return _network(work, int(mask.sum()), fit, size, speed)


def work_of(
    config: ModelConfig, mask: NDArray[np.bool_], size: Size | None = None
) -> NetworkWork | FitWork:
    """Count what a training takes, of a single trial unless `size` says more."""
    return spec_of(config).work(config, mask, size or Size(1))


def _network(work: NetworkWork, n_voxels: int, fit: FitConfig, size: Size, speed: Speed) -> Cost:
    parameters, n_tokens, flops, activations = work
    batches = fit.batches_per_epoch or -(-size.n_train // fit.batch_size)
    validated = size.n_validation
    if fit.validation_batches is not None:
        validated = min(validated, fit.validation_batches * fit.batch_size)
    sample = flops / speed.flops + (3 * activations + 6 * FLOAT * n_voxels) / speed.bytes
    step = fit.batch_size * sample + ADAMW_TOUCHES * FLOAT * parameters / speed.bytes
    epoch = batches * step + validated * sample / 3
    held = fit.micro_batch_size or fit.batch_size
    memory = (
        COPIES * FLOAT * parameters
        + held * activations
        + READ_AHEAD * fit.batch_size * n_voxels * FLOAT
    )
    return Cost(parameters, n_tokens, flops, int(memory), epoch, epoch * fit.epochs)


@cache
def machine_speed() -> Speed:
    """Measure this machine for a fifth of a second: a float32 matrix product, and a copy."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal((1024, 1024), np.float32)
    flops = 2 * 1024**3 / _best_time(lambda: a @ a)
    big = np.ones(16_000_000, np.float32)
    other = np.empty_like(big)
    return Speed(0.6 * flops, 2 * big.nbytes / _best_time(lambda: np.copyto(other, big)))


def _best_time(work: Callable[[], object]) -> float:
    times = []
    for _ in range(6):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
