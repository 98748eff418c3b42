"""A finished job as a function: any trials in, ratings on the raters' own scales out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.core.arrays import Rows
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.pipeline.load_model import load_predict
from thingsviz.pipeline.tasks.base import Task
from thingsviz.pipeline.tasks.registry import open_task


class Predictor:
    """One finished job on one store; it loads weights and z-scoring once."""

    def __init__(self, material: Task, predict: Callable[[Rows], NDArray[np.float32]]) -> None:
        self.material, self._predict = material, predict

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns of a prediction: properties, or classes."""
        return self.material.outputs

    def __call__(self, rows: NDArray[np.integer] | list[int]) -> NDArray[np.float32]:
        """Ratings (len(rows), n_targets) on the raters' own scales, catch trials included.

        A classifier gives scores (len(rows), n_classes), the larger the likelier.
        """
        wanted = np.atleast_1d(np.asarray(rows, np.int64))
        n = self.material.store.shape[0]
        if len(wanted) and not (wanted.min() >= 0 and wanted.max() < n):
            msg = f"rows must lie in 0 to {n - 1}, but {wanted.min()} to {wanted.max()} came"
            raise IndexError(msg)
        return self._predict(wanted)

    def table(self, rows: NDArray[np.integer] | list[int]) -> pd.DataFrame:
        """The same with a column a target, indexed by row."""
        return pd.DataFrame(
            self(rows), columns=list(self.targets), index=pd.Index(rows, name="row")
        )

    def part_of(self, row: int) -> str:
        """The part of the split a trial is in: predicting a trained one tests nothing."""
        parts = {"train": self.material.split.train, **self.material.parts}
        return next((name for name, rows in parts.items() if row in rows), "unused")


def load_predictor(job: JobFolder | Path, store: BetaStore | None = None) -> Predictor:
    """Load the best weights of a finished job; `store`: opened already, of the same data."""
    folder = job if isinstance(job, JobFolder) else JobFolder(Path(job))
    material = open_task(folder, store)
    return Predictor(material, load_predict(folder, material, material.responses))
