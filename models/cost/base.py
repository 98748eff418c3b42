"""Sizes, costs and the measured speed of this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

FLOAT = 4  # bytes


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


@dataclass(frozen=True)
class Size:
    """What the data bring: trials in each part, targets."""

    n_train: int
    n_validation: int = 0
    n_targets: int = 12


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
