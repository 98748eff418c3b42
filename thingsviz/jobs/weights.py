"""What a model leaves in checkpoints/: the best weights, and how they become a function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import TrialMatrix
from models.catalog.registry import load_linear, spec_of
from thingsviz.core.errors import JobError
from thingsviz.jobs.arrays import read_arrays
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.pipeline.ratings.predictions import Predict
from thingsviz.pipeline.training_data import Material, Rows


def best_file(job: JobFolder) -> Path:
    """Return where the weights of the finished model are."""
    return job.checkpoints / "best.safetensors"


def states(job: JobFolder) -> list[Path]:
    """Return the training states, the newest first; a finished job has none."""
    return sorted(job.checkpoints.glob("state-*.safetensors"), reverse=True)


def epoch_file(job: JobFolder, epoch: int) -> Path:
    """Return where the weights after an epoch are, of a job that keeps them; 0 is its start."""
    return job.checkpoints / f"epoch-{epoch:05d}.safetensors"


def kept_epochs(job: JobFolder) -> list[int]:
    """Return the epochs whose weights are kept, the first one first."""
    found = job.checkpoints.glob("epoch-[0-9][0-9][0-9][0-9][0-9].safetensors")
    return sorted(int(path.stem.removeprefix("epoch-")) for path in found)


def load_predict(job: JobFolder, material: Material, X: TrialMatrix) -> Predict:
    """Return the finished model as a function from rows to ratings on the raters' scales.

    A classifier gives scores of its classes, (len(rows), n_classes), the larger the likelier.
    """
    path = best_file(job)
    if not path.is_file():
        msg = f"job {job.name!r} has no finished model yet: let it train to its end"
        raise JobError(msg)
    linear = spec_of(material.config.model).kind == "linear"
    predict = (_linear if linear else _network)(path, material, X)
    if material.labels is not None:
        return predict
    return lambda rows: material.scale.to_ratings(predict(rows)).astype(np.float32)


def _linear(path: Path, material: Material, X: TrialMatrix) -> Predict:
    model = load_linear(material.config.model, read_arrays(path))
    return lambda rows: model.predict(X, rows)


def _network(path: Path, material: Material, X: TrialMatrix) -> Predict:
    from models.training.checkpoint import load_network
    from models.training.loop import predict_network

    network, _ = load_network(path, material.config.model, material.store.mask)

    def predict(rows: Rows) -> NDArray[np.float32]:
        return predict_network(network, X, rows, material.config.fit)

    return predict
