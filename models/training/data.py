"""What goes into a training and what comes out: data, hooks, reports, result."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import Floats, Rows, TrialMatrix
from models.base.errors import ModelError
from models.training.losses import Step
from models.training.state import TrainingState

Report = dict[str, Any]


@dataclass(frozen=True)
class FitData:
    """Responses, ratings Y (n_trials, n_targets) on any scale, and the rows of each part.

    `groups` (n_trials,) is what each trial shows (its concept): a linear start and repeat mixing
    need it. `weights` (n_trials, n_targets) says how much each rating counts in the training
    loss (models.training.losses.rating_weights); None: all alike.
    """

    X: TrialMatrix
    Y: Floats
    train: Rows
    validation: Rows
    groups: NDArray[Any] | None = None
    weights: Floats | None = None

    def check(self) -> None:
        """Refuse what cannot be trained on, in one sentence."""
        for name, rows in (("training", self.train), ("validation", self.validation)):
            if not len(rows):
                msg = f"the {name} part has no trials: change the split's fractions"
                raise ModelError(msg)
            bad = int((~np.isfinite(self.Y[rows])).any(1).sum())
            if bad:
                msg = f"{bad} of {len(rows)} {name} trials lack a rating: leave them out"
                raise ModelError(msg)

    def fingerprint(self) -> dict[str, Any]:
        """Sizes and checksums of rows and ratings; the responses are their owner's to check."""
        whole: dict[str, NDArray[Any]] = {"train": self.train, "validation": self.validation}
        whole["ratings"] = self.Y
        if self.groups is not None:
            whole["groups"] = np.unique(self.groups, return_inverse=True)[1]
        if self.weights is not None:
            whole["weights"] = self.weights
        sums = {k: zlib.crc32(np.ascontiguousarray(v).tobytes()) for k, v in whole.items()}
        return {"shape": list(self.X.shape), "targets": self.Y.shape[1], **sums}


def _ignore(_: Any) -> None:  # noqa: ANN401
    return None


@dataclass(frozen=True)
class Hooks:
    """How the loop talks to its owner. All are called from the thread that trains.

    `report` gets rows {"kind": "step" | "epoch", …}, a step row every `report_every` batches;
    `should_stop` is asked between batches; `save` gets a state at the end of an epoch, between
    batches once `save_every_s` seconds have gone by, and at a stop. `say` gets what is done
    when it is not training: "fitting the linear start". `epoch_end` gets the number of an epoch
    that has ended, 0 before the first, while the network holds its weights. `step` gives the
    mean loss of a batch, None: the loss of the recipe (models.training.losses.supervised).
    """

    report: Callable[[Report], None] = _ignore
    should_stop: Callable[[], bool] = lambda: False
    save: Callable[[TrainingState], None] = _ignore
    report_every: int = 4
    save_every_s: float = 60.0
    say: Callable[[str], None] = _ignore
    epoch_end: Callable[[int], None] = _ignore
    step: Step | None = None


@dataclass
class FitResult:
    """How a training ended; the network holds the best epoch's weights when `finished`."""

    finished: bool
    epochs: int
    best_epoch: int
    best_value: float
    history: list[Report] = field(default_factory=list)


@dataclass
class TrainingProgress:
    """Where a training is: counters, running sums, and what the best epoch was."""

    epoch: int = 0  # counted from 0 here, from 1 in reports
    batch: int = 0
    step: int = 0
    n_reports: int = 0
    epoch_loss: float = 0.0
    recent_loss: float = 0.0
    n_recent: int = 0
    best_epoch: int = 0
    best_value: float | None = None
    # of all epochs, kept or not
    lowest_epoch: int = 0
    lowest_value: float | None = None
    finished: bool = False
    history: list[Report] = field(default_factory=list)
