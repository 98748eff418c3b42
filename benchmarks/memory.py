"""The most memory that a training of each preset holds on the full planted subject.

    python -m benchmarks memory [--short] [--data FOLDER] [--only TEXT]

A few batches of each network preset and of the linear classifiers, as a job would run them: the
session scaler, the score that picks patches, the fit, a validation, predictions of test trials.
Each has a process of its own, whose peak resident size is printed (the pages of the store that
the kernel keeps for it count too, though they can be given back). `mapped` is how large the store
is. Exits 1 when a peak reaches 4 GB. --short takes the benchmarks' small subject.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks._subjects import open_bench
from models.catalog.config import ModelConfig
from models.classify.config import IdentificationConfig, LDAConfig, MultinomialRidgeConfig
from models.presets.presets import PRESETS
from models.presets.report import CLASS_PRESETS, EPOCHS
from models.training.config import FitConfig
from thingsviz.core import json_files
from thingsviz.core.errors import EXIT_BAD_INPUT, ThingsvizError
from thingsviz.data.things.layout import datasets_root
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import JobConfig, Learns
from thingsviz.pipeline.load_model import load_predict
from thingsviz.pipeline.resource_usage import peak_bytes
from thingsviz.pipeline.tasks.registry import open_task
from thingsviz.queue.reporter import Reporter

MOST_GB = 4.0
N_BATCHES = 3
SHORT = ("fast_local", "warm_start_head", "report_logistic_5", "lda")


class Case(NamedTuple):
    """A preset; a linear one has no fit."""

    name: str
    model: ModelConfig
    fit: FitConfig | None
    learns: Learns


class Held(NamedTuple):
    """Seconds, and the peak of resident memory in GB."""

    seconds: float
    peak_gb: float


def main(argv: list[str] | None = None) -> int:
    """Measure, print a row each, and return 1 when a peak reaches the limit."""
    parser = argparse.ArgumentParser(prog="benchmarks memory", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--short", action="store_true", help="a small subject, half a minute")
    parser.add_argument("--data", type=Path, help="where planted subjects are or shall be")
    parser.add_argument("--only", default="", help="presets whose name has this text")
    options = parser.parse_args(argv)
    try:
        return _table(options)
    except ThingsvizError as error:
        print(error, file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        return 130


def cases() -> list[Case]:
    """Return every preset of a network, and the classifiers that are fitted at once."""
    found = [Case(name, preset.model, preset.fit, "ratings") for name, preset in PRESETS.items()]
    for name, preset in CLASS_PRESETS.items():
        if preset.fit.epochs == min(EPOCHS):  # more epochs hold no more
            found.append(Case(name, preset.model, preset.fit, "concepts"))
    at_once = (LDAConfig(), MultinomialRidgeConfig(), IdentificationConfig())
    return found + [Case(model.name, model, None, "concepts") for model in at_once]


def _table(options: argparse.Namespace) -> int:
    root = options.data or datasets_root() / "benchmarks"
    bench = open_bench(root, "short" if options.short else "full", "linear")
    n_trials, n_voxels = bench.store.shape
    print(
        f"{n_trials:,} trials × {n_voxels:,} voxels, {n_trials * n_voxels * 2 / 1e9:.1f} GB mapped"
    )
    print(f"{'preset':24s}{'s':>7s}{'peak GB':>10s}")
    worst = 0.0
    for case in cases():
        if options.only in case.name and not (options.short and case.name not in SHORT):
            held = measure(bench.dataset.root, case)
            worst = max(worst, held.peak_gb)
            print(f"{case.name:24s}{held.seconds:7.0f}{held.peak_gb:10.2f}", flush=True)
    met = worst < MOST_GB
    print(
        f"largest {worst:.2f} GB, limit {MOST_GB:g} GB: {'met' if met else 'NOT met'}; SIMULATED"
    )
    return 0 if met else 1


def measure(dataset: Path, case: Case) -> Held:
    """Train in a fresh process, so that the memory is this training's alone."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool, TemporaryDirectory() as folder:
        return pool.submit(_train, dataset, case, Path(folder)).result()


def _train(dataset: Path, case: Case, folder: Path) -> Held:
    """Fit as a job does, with `N_BATCHES` batches, then predict as many batches of test trials."""
    from thingsviz.pipeline.fit import fit

    job = JobFolder(folder / "job")
    job.path.mkdir()
    json_files.write_json(job.file("config.json"), recipe(dataset, case).model_dump(mode="json"))
    started = time.monotonic()
    material = open_task(job)
    with (folder / "log.txt").open("w") as log, redirect_stdout(log):
        fit(Reporter(job), material)
    size = case.fit.batch_size if case.fit else 64
    load_predict(job, material, material.responses)(material.split.test[: N_BATCHES * size])
    return Held(time.monotonic() - started, peak_bytes() / 1e9)


def recipe(dataset: Path, case: Case) -> JobConfig:
    """Return the preset as a job of a few batches."""
    fit = case.fit or FitConfig(loss="cross_entropy")
    few = {"epochs": 1, "batches_per_epoch": N_BATCHES, "validation_batches": N_BATCHES}
    kind = "unseen_concepts" if case.learns == "ratings" else "trial"
    split = {"kind": kind, "fractions": (0.7, 0.1, 0.2), "seed": 0}
    return JobConfig.model_validate(
        {
            "dataset": str(dataset),
            "learns": case.learns,
            "split": split,
            "model": case.model,
            "fit": fit.model_copy(update=few),
        }
    )


if __name__ == "__main__":
    sys.exit(main())
