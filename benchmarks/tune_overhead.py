"""What a study adds to each candidate, against an ordinary training and a bare Optuna loop.

    python -m benchmarks tune_overhead [--short] [--candidates 12] [--epochs 8]

All train networks of the same size on the same planted trials, candidate by candidate in turn: the
study as `thingsviz.commands.tune` does (a job folder with lock, status, metrics and a checkpoint
an epoch; Optuna's records in SQLite), the ordinary training with the same folder and without
Optuna, the bare loop as a script would (`study.ask`, `fit_network`, `study.tell`, all in memory,
nothing that survives a kill). Processor time of this process is counted, which other work on the
machine changes less; the time on the wall is shown beside it.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import optuna
import torch

from models.catalog.registry import build_network
from models.training.loop import FitData, fit_network
from thingsviz.commands import prepare, simulate
from thingsviz.jobs.job_folder import create_job
from thingsviz.jobs.recipe import parse_config
from thingsviz.pipeline.run import run
from thingsviz.pipeline.tasks.base import Task
from thingsviz.pipeline.tasks.registry import open_task
from thingsviz.pipeline.training_data import find_dataset, open_store
from thingsviz.queue.reporter import Reporter
from thingsviz.studies.candidate import CandidateRunner
from thingsviz.studies.config import StudyConfig, parse_study
from thingsviz.studies.records import StudyRecords
from thingsviz.studies.space import suggest, with_values
from thingsviz.studies.storage import open_storage
from thingsviz.studies.study_folder import create_study

GOAL_S = 0.15
STUDY, PLAIN, BARE = "a candidate of a study", "an ordinary training", "a turn of a bare loop"
MODEL = {
    "name": "vit3d",
    "patch_size": [6, 7, 5],
    "tokens": "brain",
    "patch_embedding": "local",
    "embed_dim": 32,
    "n_layers": 2,
    "n_heads": 4,
    "pooling": "sum",
    "final_norm": False,
    "start": "mean",
}
SPACE = {
    "fit.learning_rate": {"kind": "float", "low": 1e-4, "high": 1e-2, "log": True},
    "fit.weight_decay": {"kind": "float", "low": 1e-3, "high": 0.3, "log": True},
}


class Took(NamedTuple):
    """Processor time and time on the wall of one candidate, in seconds."""

    cpu: float
    wall: float


def main(argv: list[str] | None = None) -> int:
    """Measure, print, and say whether the goal was reached."""
    parser = argparse.ArgumentParser(prog="benchmarks tune_overhead", description=__doc__)
    parser.add_argument("--short", action="store_true", help="within 45 s: 5 candidates")
    parser.add_argument("--candidates", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=8)
    options = parser.parse_args(argv)
    n = 5 if options.short else options.candidates
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        data(Path(folder))
        return report(measure(n, options.epochs))


def data(folder: Path) -> None:
    """Plant and prepare the tiny subject in a folder of this run's own."""
    os.environ |= {"THINGSVIZ_DATA": str(folder / "data"), "THINGSVIZ_JOBS": str(folder / "jobs")}
    os.environ["THINGSVIZ_THREADS"] = "1"
    os.environ.pop("THINGSVIZ_DERIVATIVES", None)
    root = str(folder / "data" / "tiny")
    silent = open(os.devnull, "w")  # noqa: PTH123, SIM115
    stdout, sys.stdout = sys.stdout, silent
    try:
        if simulate.main([root, "--preset", "tiny"]) or prepare.main(
            [root, "--subject", "sub-01"]
        ):
            msg = "the tiny subject could not be planted"
            raise RuntimeError(msg)
    finally:
        sys.stdout = stdout
        silent.close()


def measure(n: int, epochs: int) -> dict[str, list[Took]]:
    """Run candidates of each kind in turn; the first of each warms up and is not counted."""
    fit = {"epochs": epochs, "batches_per_epoch": 8, "batch_size": 16, "precision": "float32"}
    base = {"dataset": "tiny", "model": MODEL, "fit": fit}
    config = parse_study({"name": "s", "base": base, "space": SPACE, "n_candidates": n + 1})
    work = {STUDY: ours_of(config), PLAIN: plain_of(config), BARE: bare_of(config)}
    took: dict[str, list[Took]] = {name: [] for name in work}
    for _ in range(n + 1):
        for name, one in work.items():
            took[name].append(timed(one))
    return {name: found[1:] for name, found in took.items()}


def plain_of(config: StudyConfig) -> Callable[[], None]:
    """Return one training as a job without Optuna; it ends before the test, as candidates do."""
    store = open_store(find_dataset(config.base), config.base.subject)
    data = config.base.model_dump(mode="json") | {"name": "plain", "role": "candidate"}

    def training() -> None:
        job = create_job(parse_config(data))
        with job.file("log.txt").open("a") as log, redirect_stdout(log):
            run(Reporter(job), open_task(job, store))

    return training


def ours_of(config: StudyConfig) -> Callable[[], None]:
    """Return one candidate of a study."""
    folder = create_study(config)
    records = StudyRecords(folder, config, "search", open_storage(folder))
    records.plan()
    store = open_store(find_dataset(config.base), config.base.subject)
    train = CandidateRunner(folder, config, store, lambda: False)

    def candidate() -> None:
        records.repair()
        claimed = records.claim()
        if claimed is None:
            msg = "no candidate was left"
            raise RuntimeError(msg)
        train(records, claimed)
        os.close(claimed.handle)

    return candidate


def bare_of(config: StudyConfig) -> Callable[[], None]:
    """Return one turn of a script's own loop over the same data."""
    recipe = parse_config(config.base.model_dump(mode="json") | {"name": "bare"})
    material = open_task(create_job(recipe))
    data = FitData(
        material.responses, material.answers, material.split.train,
        material.split.validation,
    )  # fmt: skip
    sampler = optuna.samplers.TPESampler(seed=0)
    study = optuna.create_study(sampler=sampler, direction="maximize")

    def candidate() -> None:
        trial = study.ask()
        study.tell(trial, bare_value(trial, config, material, data))

    return candidate


def bare_value(trial: Any, config: StudyConfig, material: Task, data: FitData) -> float:  # noqa: ANN401
    """Train once, keep nothing, return the best validation r."""
    values = {**suggest(trial, config.space), "fit.best_by": "validation_r"}
    recipe = with_values(config.base, values)
    n_targets = len(recipe.targets)
    network = build_network(recipe.model, material.store.mask, n_targets, seed=recipe.fit.seed)
    return fit_network(network, data, recipe.fit).best_value


def timed(work: Callable[[], None]) -> Took:
    """Measure one call."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Took(time.process_time() - cpu, time.perf_counter() - wall)


def report(took: dict[str, list[Took]]) -> int:
    """Print the table, the ratios, and whether the goal was reached."""
    print(
        f"{platform.machine()}, 1 thread, torch {torch.__version__}, optuna {optuna.__version__}; "
        f"{len(took[STUDY])} candidates of each, medians"
    )
    print(f"{'':30s} processor s   wall s   / bare loop")
    for name, found in took.items():
        cpu, wall = (median(column) for column in zip(*found, strict=True))
        ratio = median(a.cpu / b.cpu for a, b in zip(found, took[BARE], strict=True))
        print(f"{name:30s} {cpu:11.3f} {wall:8.3f} {ratio:12.2f}x")
    added = median(a.cpu - b.cpu for a, b in zip(took[STUDY], took[PLAIN], strict=True))
    good = added <= GOAL_S
    print(
        f"{'reached' if good else 'MISSED'}: Optuna and the study add {added:.3f} s to a training "
        f"(goal ≤ {GOAL_S} s)"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
