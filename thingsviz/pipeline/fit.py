"""How a job's model is fitted or continued: networks batch by batch, linear ones at once."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import TrialMatrix
from models.catalog.registry import build_linear, build_network, needs_score, spec_of
from models.classify.labels import class_encoding_score
from models.training.distributed.processes import processes
from thingsviz.analysis.scores.metrics import mse, pearson
from thingsviz.core.settings import TrainingSettings
from thingsviz.jobs.arrays import write_arrays
from thingsviz.jobs.manifest import add_to_manifest
from thingsviz.jobs.weights import best_file, states
from thingsviz.pipeline.classes.fit import classifier_row, fit_classifier
from thingsviz.pipeline.epoch_weights import epoch_keeper
from thingsviz.pipeline.training_data import TrainingData
from thingsviz.queue.reporter import Interruptible, Reporter, StoppedError

MOST_STEP_ROWS = 2000


def default_threads() -> int:
    """Return THINGSVIZ_THREADS, or how many processors there are; processes share them."""
    threads = TrainingSettings.read().threads or len(os.sched_getaffinity(0))
    return max(1, threads // processes().local_size)


def fit(reporter: Reporter, material: TrainingData) -> None:
    """Fit the job's model, or continue; afterwards `best_file` is there."""
    job = reporter.job
    if best_file(job).is_file():
        return
    job.checkpoints.mkdir(exist_ok=True)
    if spec_of(material.config.model).kind == "network":
        _fit_network(reporter, material)
    elif material.labels is None:
        _fit_linear(reporter, material)
    else:
        _fit_classifier(reporter, material)


def _fit_classifier(reporter: Reporter, material: TrainingData) -> None:
    reporter.announce(f"fitting {material.config.model.name}")
    reporter.keep_reports(0)
    X = Interruptible(material.responses, reporter)
    model = fit_classifier(material.config.model, material, X)
    reporter.expect(1, 1)
    row: dict[str, Any] = {"kind": "epoch", "epoch": 1, "step": 1, "lr": None, "best": True}
    reporter.report(row | classifier_row(model, material, X))
    write_arrays(best_file(reporter.job), model.arrays())


def _fit_linear(reporter: Reporter, material: TrainingData) -> None:
    reporter.announce(f"fitting {material.config.model.name}")
    reporter.keep_reports(0)
    X, rows = Interruptible(material.responses, reporter), material.split.train
    Y = material.training_ratings
    model = build_linear(material.config.model, material.store.mask)
    model.fit(X, rows, Y[rows], material.concepts[rows])
    reporter.expect(1, 1)
    row: dict[str, Any] = {"kind": "epoch", "epoch": 1, "step": 1, "lr": None, "best": True}
    row["train_loss"] = _loss(Y[rows], model.predict(X, rows))
    validation = material.split.validation
    if len(validation):
        guess = model.predict(X, validation)
        row["validation_loss"] = _loss(Y[validation], guess)
        row["validation_r"] = float(np.nan_to_num(pearson(Y[validation], guess)).mean())
    reporter.report(row)
    write_arrays(best_file(reporter.job), model.arrays())


def _loss(true: NDArray[np.float32], guess: NDArray[np.float32]) -> float:
    return float(mse(true, guess).mean())


def _fit_network(reporter: Reporter, material: TrainingData) -> None:
    import torch

    from models.catalog.registry import blank_network
    from models.training.batches import batches_in_epoch
    from models.training.checkpoint import newest_state, save_network, save_state
    from models.training.loop import Hooks, TrainingState, fit_network

    job, config = reporter.job, material.config.fit
    torch.set_num_threads(int(job.manifest().get("threads", default_threads())))
    resume = newest_state(job.checkpoints)
    reporter.keep_reports(int(resume.facts["n_reports"]) if resume else 0)
    n_targets = len(material.outputs)
    network = (
        blank_network(material.config.model, material.store.mask, n_targets)
        if resume
        else new_network(material, reporter)
    )
    n_steps = batches_in_epoch(config, len(material.split.train)) * config.epochs
    reporter.expect(config.epochs, n_steps)
    every = max(1, n_steps // MOST_STEP_ROWS)

    def keep(state: TrainingState) -> None:
        save_state(job.checkpoints, state)

    ended = epoch_keeper(job, network, config)
    hooks = Hooks(
        reporter.report, reporter.should_stop, keep, every, say=reporter.announce, epoch_end=ended
    )
    reporter.announce("training goes on" if resume else "training")
    team = reporter.peers.call()
    result = fit_network(network, fit_data(material), config, hooks, resume, team)
    reporter.peers.dismiss()
    if not result.finished:
        raise StoppedError
    facts: dict[str, Any] = {"best_epoch": result.best_epoch, "epochs": result.epochs}
    facts |= {"best_by": config.best_by, "best_value": result.best_value}
    save_network(best_file(job), network, facts)
    add_to_manifest(job, **facts)
    for path in states(job):
        path.unlink()


def fit_data(material: TrainingData) -> Any:  # noqa: ANN401
    """Return what the training loop reads."""
    from models.training.loop import FitData
    from models.training.losses import rating_weights

    split, ratings, weights = material.split, material.answers, None
    if material.config.fit.target_weights == "rating_sd":
        weights = rating_weights(material.ratings, material.rating_sd, split.train)
    parts = split.train, split.validation
    return FitData(material.responses, ratings, *parts, material.concepts, weights)


def new_network(material: TrainingData, reporter: Reporter) -> Any:  # noqa: ANN401
    """Build the network, its weights drawn by the fit's seed."""
    from models.base.voxel_scores import encoding_score

    config, rows = material.config.model, material.split.train
    score = None
    if needs_score(config):
        reporter.announce("scoring the voxels on the training trials")
        X: TrialMatrix = Interruptible(material.responses, reporter)
        scored = encoding_score if material.labels is None else class_encoding_score
        score = scored(X, rows, material.answers[rows])
    seed, n_targets = material.config.fit.seed, len(material.outputs)
    return build_network(config, material.store.mask, n_targets, score, seed)
