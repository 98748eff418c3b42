"""What a training takes, as each family counts it: numbers, operations, bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

FLOAT = 4  # bytes


@dataclass(frozen=True)
class Size:
    """What the data bring: trials in each part, targets."""

    n_train: int
    n_validation: int = 0
    n_targets: int = 12


class NetworkWork(NamedTuple):
    """Of one network: trainable numbers, tokens, operations and kept bytes a sample.

    Operations are forward and backward; a multiplication and an addition are two.
    """

    parameters: int
    n_tokens: int
    flops: float
    kept_bytes: int


class FitWork(NamedTuple):
    """Of one fit: numbers that are fitted, operations, bytes moved and bytes held."""

    parameters: int
    flops: float
    moved: float
    held: float
