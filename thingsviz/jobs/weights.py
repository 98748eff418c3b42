"""What a model leaves in checkpoints/: the best weights, and the states from which it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.inputs import TrialMatrix
from models.registry import build_network, load_linear, spec_of
from thingsviz.core.errors import JobError
from thingsviz.jobs.arrays import read_arrays
from thingsviz.jobs.material import Material, Rows
from thingsviz.jobs.results import Predict
from thingsviz.jobs.store import JobFolder

KEPT_STATES = 2


def best_file(job: JobFolder) -> Path:
    """Return where the weights of the finished model are."""
    return job.checkpoints / "best.safetensors"


def states(job: JobFolder) -> list[Path]:
    """Return the training states, the newest first; their names count the steps."""
    return sorted(job.checkpoints.glob("state-*.safetensors"), reverse=True)


def keep_state(job: JobFolder, state: Any) -> None:  # noqa: ANN401
    """Write a training state beside the one before it, and forget older ones."""
    from models.checkpoint import save_state

    name = f"state-{int(state.facts['step']):09d}.safetensors"
    save_state(job.checkpoints / name, state)
    for path in states(job)[KEPT_STATES:]:
        path.unlink()


def newest_state(job: JobFolder) -> Any:  # noqa: ANN401
    """Return the newest state that can be read; None for a fresh job; all damaged is an error."""
    from models.checkpoint import load_state

    faults = []
    for path in states(job):
        try:
            return load_state(path)
        except ModelError as error:
            faults.append(str(error))
            print(f"{error}; the state before it is tried")
    if faults:
        msg = f"{faults[0]}; delete {job.checkpoints} to train from the beginning"
        raise JobError(msg)
    return None


def load_predict(job: JobFolder, material: Material, X: TrialMatrix) -> Predict:
    """Return the finished model as a function from rows to ratings on the raters' scales."""
    config, path = material.config, best_file(job)
    if not path.is_file():
        msg = f"job {job.name!r} has no finished model yet: let it train to its end"
        raise JobError(msg)
    predict: Predict
    if spec_of(config.model).kind == "linear":
        model = load_linear(config.model, read_arrays(path))

        def predict(rows: Rows) -> NDArray[np.float32]:
            return model.predict(X, rows)
    else:
        from models.checkpoint import load_weights

        from models.fit import predict_network

        network = build_network(config.model, material.store.mask, len(config.targets))
        load_weights(path, network)

        def predict(rows: Rows) -> NDArray[np.float32]:
            return predict_network(network, X, rows, config.fit)

    return lambda rows: material.scale.to_ratings(predict(rows)).astype(np.float32)
