"""How a job's model is fitted or continued: networks batch by batch, linear ones at once."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.config import ViT3DConfig
from models.inputs import TrialMatrix
from models.registry import build_linear, build_network, spec_of
from thingsviz.analysis.scoring import mse, pearson
from thingsviz.jobs.arrays import write_arrays
from thingsviz.jobs.clerk import Clerk, Interruptible, StoppedError
from thingsviz.jobs.manifest import add_to_manifest
from thingsviz.jobs.material import Material
from thingsviz.jobs.weights import best_file, keep_state, newest_state, states

MOST_STEP_ROWS = 2000


def default_threads() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


def fit(clerk: Clerk, material: Material) -> None:
    """Fit the job's model, or continue; afterwards `best_file` is there."""
    job = clerk.job
    if best_file(job).is_file():
        return
    job.checkpoints.mkdir(exist_ok=True)
    if spec_of(material.config.model).kind == "linear":
        _fit_linear(clerk, material)
    else:
        _fit_network(clerk, material)


def _fit_linear(clerk: Clerk, material: Material) -> None:
    clerk.announce(f"fitting {material.config.model.name}")
    clerk.keep_reports(0)
    X, rows = Interruptible(material.responses, clerk), material.split.train
    Y = material.training_ratings
    model = build_linear(material.config.model).fit(X, rows, Y[rows], material.concepts[rows])
    clerk.expect(1, 1)
    row: dict[str, Any] = {"kind": "epoch", "epoch": 1, "step": 1, "lr": None, "best": True}
    row["train_loss"] = _loss(Y[rows], model.predict(X, rows))
    validation = material.split.validation
    if len(validation):
        guess = model.predict(X, validation)
        row["validation_loss"] = _loss(Y[validation], guess)
        row["validation_r"] = float(np.nan_to_num(pearson(Y[validation], guess)).mean())
    clerk.report(row)
    write_arrays(best_file(clerk.job), model.arrays())


def _loss(true: NDArray[np.float32], guess: NDArray[np.float32]) -> float:
    return float(mse(true, guess).mean())


def _fit_network(clerk: Clerk, material: Material) -> None:
    import torch
    from models.checkpoint import save_weights

    from models.batches import batches_in_epoch
    from models.fit import FitData, Hooks, fit_network

    job, config = clerk.job, material.config.fit
    torch.set_num_threads(int(job.manifest().get("threads", default_threads())))
    network = new_network(material, clerk)
    resume = newest_state(job)
    clerk.keep_reports(int(resume.facts["n_reports"]) if resume else 0)
    batches = batches_in_epoch(config, len(material.split.train))
    clerk.expect(config.epochs, batches * config.epochs)
    every = max(1, batches * config.epochs // MOST_STEP_ROWS)
    hooks = Hooks(clerk.report, clerk.should_stop, lambda s: keep_state(job, s), every)
    clerk.announce("training" if resume is None else "training goes on")
    data = FitData(
        material.responses,
        material.training_ratings,
        material.split.train,
        material.split.validation,
    )
    result = fit_network(network, data, config, hooks, resume)
    if not result.finished:
        raise StoppedError
    save_weights(best_file(job), network)
    facts = {"best_epoch": result.best_epoch, "epochs": result.epochs}
    add_to_manifest(job, **facts, best_by=config.best_by, best_value=result.best_value)
    for path in states(job):
        path.unlink()


def new_network(material: Material, clerk: Clerk) -> Any:  # noqa: ANN401
    """Build the network, its weights drawn by the fit's seed."""
    from models.selection import encoding_score
    from models.state import seed_everything

    config, rows = material.config.model, material.split.train
    score = None
    if isinstance(config, ViT3DConfig) and config.n_selected_tokens is not None:
        clerk.announce("choosing the tokens that the ratings explain best")
        X: TrialMatrix = Interruptible(material.responses, clerk)
        score = encoding_score(X, rows, material.training_ratings[rows])
    seed_everything(material.config.fit.seed)
    return build_network(config, material.store.mask, len(material.config.targets), score)
