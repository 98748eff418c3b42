"""A finished job's model as a function of responses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import TrialMatrix
from models.catalog.registry import load_linear, spec_of
from thingsviz.core.arrays import Rows
from thingsviz.core.errors import JobError
from thingsviz.jobs.arrays import read_arrays
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.weights import best_file
from thingsviz.pipeline.tasks.base import Task
from thingsviz.pipeline.tasks.table import Predict


def load_predict(job: JobFolder, task: Task, X: TrialMatrix) -> Predict:
    """Return the finished model as a function from rows to ratings on the raters' scales.

    A classifier gives scores of its classes, (len(rows), n_classes), the larger the likelier.
    """
    path = best_file(job)
    if not path.is_file():
        msg = f"job {job.name!r} has no finished model yet: let it train to its end"
        raise JobError(msg)
    linear = spec_of(task.config.model).kind == "linear"
    predict = (_linear if linear else _network)(path, task, X)
    return lambda rows: task.unscaled(predict(rows))


def _linear(path: Path, task: Task, X: TrialMatrix) -> Predict:
    model = load_linear(task.config.model, read_arrays(path))
    return lambda rows: model.predict(X, rows)


def _network(path: Path, task: Task, X: TrialMatrix) -> Predict:
    from models.training.checkpoint import load_network
    from models.training.loop import predict_network

    network, _ = load_network(path, task.config.model, task.store.mask)

    def predict(rows: Rows) -> NDArray[np.float32]:
        return predict_network(network, X, rows, task.config.fit)

    return predict
