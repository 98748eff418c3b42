"""Single trials for PyTorch, addressed by number, by (run, trial), or by (session, run, trial)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset as TorchDataset

from thingsviz.core.errors import DataError
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.ratings import TARGETS_10, available, mean_column
from thingsviz.data.trials.indexing import Index, row_of
from thingsviz.data.trials.standardise import SessionScaler, StandardisedBetas

Sample = tuple[torch.Tensor, torch.Tensor]


class TrialDataset(TorchDataset[Sample]):
    """Pairs (response, ratings) of all trials of a subject.

    `ds[i]` is row i of the trials table, `ds[run, trial]` is of session 1, and
    `ds[session, run, trial]` any trial; runs and trials count from 1. The response is float32,
    (n_voxels,) or with `dense` (X, Y, Z), 0 outside the brain; the ratings are float32
    (n_targets,) on the raters' own scales, NaN for catch trials.
    """

    def __init__(
        self,
        store: BetaStore,
        scaler: SessionScaler | None = None,
        targets: Sequence[str] = TARGETS_10,
        *,
        dense: bool = False,
    ) -> None:
        lacking = [name for name in targets if name not in available(store.trials.columns)]
        if lacking:
            there = ", ".join(available(store.trials.columns))
            msg = (
                f"{store.folder.name} has no ratings of {', '.join(lacking)}: choose from {there}"
            )
            raise DataError(msg)
        self.store, self.dense = store, dense
        self._matrix = StandardisedBetas(store, scaler)
        columns = [mean_column(name) for name in targets]
        self._ratings = store.trials[columns].to_numpy(dtype=np.float32)

    def __len__(self) -> int:
        """Return the number of trials, catch trials included."""
        return self.store.shape[0]

    def __getitem__(self, index: Index) -> Sample:
        """Return one trial; an index that does not exist is an IndexError naming what does."""
        row = self.row(index)
        vector = self._matrix.batch(np.array([row]))[0]
        response = self.store.brain.unmask(vector) if self.dense else vector
        return torch.from_numpy(response), torch.from_numpy(self._ratings[row].copy())

    def row(self, index: Index) -> int:
        """Translate any of the three ways of indexing into a row of the store."""
        return row_of(self.store, index)
