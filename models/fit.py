"""The loop over batches: seeded, stoppable between batches, resumed bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from models.config import FitConfig
from models.inputs import Floats, Rows, TrialMatrix
from models.network import Network


@dataclass(frozen=True)
class FitData:
    """Responses, ratings Y (n_trials, n_targets) on any scale, and the rows of each part."""

    X: TrialMatrix
    Y: Floats
    train: Rows
    validation: Rows


@dataclass
class TrainingState:
    """All that a resume needs: tensors by name, and JSON-ready facts (epoch, batch, RNG lists …).

    `facts["n_reports"]` counts the rows reported so far: a reader of an append-only metrics file
    drops what comes after that many rows before it goes on.
    """

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


def _ignore(_: Any) -> None:  # noqa: ANN401
    return None


@dataclass(frozen=True)
class Hooks:
    """How the loop talks to its owner. All are called from the thread that trains.

    `report` gets rows {"kind": "step" | "epoch", …}; `should_stop` is asked between batches;
    `save` gets a state at each epoch's end, every `save_every_s` seconds and at a stop.
    """

    report: Callable[[dict[str, Any]], None] = _ignore
    should_stop: Callable[[], bool] = lambda: False
    save: Callable[[TrainingState], None] = _ignore
    report_every: int = 4
    save_every_s: float = 60.0


@dataclass
class FitResult:
    """How a training ended; the network holds the best epoch's weights when `finished`."""

    finished: bool
    epochs: int
    best_epoch: int
    best_value: float
    history: list[dict[str, Any]] = field(default_factory=list)


def fit_network(
    network: Network,
    data: FitData,
    config: FitConfig,
    hooks: Hooks | None = None,
    resume: TrainingState | None = None,
) -> FitResult:
    """Train `network` in place; with `resume`, go on as if there had been no interruption."""
    raise NotImplementedError


def predict_network(network: Network, X: TrialMatrix, rows: Rows, batch_size: int = 64) -> Floats:
    """Ratings (len(rows), n_targets) on the scale of the Y that was fitted."""
    raise NotImplementedError
