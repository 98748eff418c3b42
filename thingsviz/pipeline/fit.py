"""How a job's model is fitted or continued: networks batch by batch, linear ones at once."""

from __future__ import annotations

import os
from typing import Any

from models.catalog.registry import build_network, needs_score, spec_of
from models.training.distributed.processes import processes
from thingsviz.core.settings import TrainingSettings
from thingsviz.jobs.arrays import write_arrays
from thingsviz.jobs.manifest import add_to_manifest
from thingsviz.jobs.weights import best_file, states
from thingsviz.pipeline.epoch_weights import epoch_keeper
from thingsviz.pipeline.tasks.base import Task
from thingsviz.queue.reporter import Interruptible, Reporter, StoppedError

MOST_STEP_ROWS = 2000


def default_threads() -> int:
    """Return THINGSVIZ_THREADS, or how many processors there are; processes share them."""
    threads = TrainingSettings.read().threads or len(os.sched_getaffinity(0))
    return max(1, threads // processes().local_size)


def fit(reporter: Reporter, task: Task) -> None:
    """Fit the job's model, or continue; afterwards `best_file` is there."""
    job = reporter.job
    if best_file(job).is_file():
        return
    job.checkpoints.mkdir(exist_ok=True)
    network = spec_of(task.config.model).kind == "network"
    (_fit_network if network else _fit_linear)(reporter, task)


def _fit_linear(reporter: Reporter, task: Task) -> None:
    reporter.announce(f"fitting {task.config.model.name}")
    reporter.keep_reports(0)
    X = Interruptible(task.responses, reporter)
    model = task.fit_linear(task.config.model, X)
    reporter.expect(1, 1)
    row: dict[str, Any] = {"kind": "epoch", "epoch": 1, "step": 1, "lr": None, "best": True}
    reporter.report(row | task.epoch_row(model, X))
    write_arrays(best_file(reporter.job), model.arrays())


def _fit_network(reporter: Reporter, task: Task) -> None:
    import torch

    from models.catalog.registry import blank_network
    from models.training.batches import batches_in_epoch
    from models.training.checkpoint import newest_state, save_network, save_state
    from models.training.loop import Hooks, TrainingState, fit_network

    job, config = reporter.job, task.config.fit
    torch.set_num_threads(int(job.manifest().get("threads", default_threads())))
    resume = newest_state(job.checkpoints)
    reporter.keep_reports(int(resume.facts["n_reports"]) if resume else 0)
    n_targets = len(task.outputs)
    network = (
        blank_network(task.config.model, task.store.mask, n_targets)
        if resume
        else new_network(task, reporter)
    )
    n_steps = batches_in_epoch(config, len(task.split.train)) * config.epochs
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
    result = fit_network(network, fit_data(task), config, hooks, resume, team)
    reporter.peers.dismiss()
    if not result.finished:
        raise StoppedError
    facts: dict[str, Any] = {"best_epoch": result.best_epoch, "epochs": result.epochs}
    facts |= {"best_by": config.best_by, "best_value": result.best_value}
    save_network(best_file(job), network, facts)
    add_to_manifest(job, **facts)
    for path in states(job):
        path.unlink()


def fit_data(task: Task) -> Any:  # noqa: ANN401
    """Return what the training loop reads."""
    from models.training.loop import FitData

    parts = task.split.train, task.split.validation
    weights = task.target_weights()
    return FitData(task.responses, task.answers, *parts, task.concepts, weights)


def new_network(task: Task, reporter: Reporter) -> Any:  # noqa: ANN401
    """Build the network, its weights drawn by the fit's seed."""
    config, score = task.config.model, None
    if needs_score(config):
        reporter.announce("scoring the voxels on the training trials")
        score = task.voxel_scores(Interruptible(task.responses, reporter))
    seed, n_targets = task.config.fit.seed, len(task.outputs)
    return build_network(config, task.store.mask, n_targets, score, seed)
