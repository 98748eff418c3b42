"""What building a store consists of, whichever release it comes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import pandas as pd

from thingsviz.data.prepare.plan import StorePlan
from thingsviz.data.prepare.read_run import FinishedPiece, Tick, fill_run
from thingsviz.data.store.manifest import Source
from thingsviz.data.store.matrix_file import StoreFile
from thingsviz.data.things.layout import Dataset
from thingsviz.data.volumes.masks import BrainMask


class Piece(NamedTuple):
    """One step that can be done on its own, its size for the progress, and how it is done."""

    key: str
    n_bytes: int
    fill: Callable[[StoreFile, Tick], FinishedPiece]


@dataclass(frozen=True)
class StoreWork:
    """Everything a store needs, checked; the pieces are still to be read."""

    dataset: Dataset
    subject: str
    kind: str
    trials: pd.DataFrame
    voxels: pd.DataFrame
    mask: BrainMask
    sources: Sequence[Source]
    warnings: Sequence[str]
    simulated: bool
    signature: str
    pieces: Sequence[Piece]

    @property
    def shape(self) -> tuple[int, int]:
        """(n_trials, n_voxels)."""
        return len(self.trials), self.mask.n_voxels


def volume_pieces(plan: StorePlan) -> list[Piece]:
    """Return one piece a run."""
    return [
        Piece(str(run.files), run.betas.stat().st_size, partial(_fill, plan, number))
        for number, run in enumerate(plan.runs)
    ]


def _fill(plan: StorePlan, number: int, store: StoreFile, tick: Tick) -> FinishedPiece:
    return fill_run(plan, plan.runs[number], store, tick)
