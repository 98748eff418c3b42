"""Command: train classifiers longer, on fewer trials, with L2: which overfit."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from models.catalog.registry import build_network
from thingsviz.commands.cli import run_command
from thingsviz.core import json_files
from thingsviz.core.errors import (
    ConfigError,
    JobError,
)
from thingsviz.core.locks import held
from thingsviz.core.progress import Progress, Report
from thingsviz.core.typography import duration
from thingsviz.pipeline.fit import default_threads
from thingsviz.queue.progress_bar import ProgressBar
from thingsviz.studies.overfitting import (
    ROWS,
    HalvedTrials,
    OverfittingCell,
    OverfittingConfig,
    cells_of,
    drawn,
    fit_of,
    halved,
    model_of,
    parse_study,
    read_study,
    rows_of,
    seconds_left,
    study_material,
)

CURVES = ("train_loss", "validation_loss", "validation_top1", "validation_top10")
Row = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    """Run or continue a study; its folder holds the recipe, or --dataset makes one."""
    folder = options.study.absolute()
    config = _recipe(folder, options)
    with ProgressBar("overfitting", options.progress, tells_left=False) as console:
        _alone(folder, config, console)
    print(folder)
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("study", type=Path, metavar="STUDY_DIR", help="folder of the study, made if need be")
    add("--dataset", help="for a new study: name or folder of a dataset with a prepared subject")
    add("--subject", default="sub-01", help="label of the subject (default: sub-01)")
    add("--learns", default="concepts", help="concepts, categories27 or categories53")
    add("--sessions", type=int, help="only the first sessions; the original study had 1")
    add("--split", default="image", help="how trials are split (default: image; report: trial)")
    add("--epochs", type=int, default=15, help="epochs of each training (default: 15)")
    add("--progress", type=Path, help=argparse.SUPPRESS)


def _recipe(folder: Path, arguments: argparse.Namespace) -> OverfittingConfig:
    known = read_study(folder)
    if known is not None:
        return known
    if arguments.dataset is None:
        msg = f"{str(folder)!r} holds no study: name a --dataset to begin one"
        raise ConfigError(msg)
    split = {"kind": arguments.split, "fractions": (0.7, 0.1, 0.2)}
    data = {"dataset": arguments.dataset, "subject": arguments.subject, "split": split}
    data |= {"learns": arguments.learns, "epochs": arguments.epochs}
    config = parse_study({**data, "n_sessions": arguments.sessions})
    study_material(config, folder)  # what is wrong with the data is said before a folder is made
    folder.mkdir(parents=True, exist_ok=True)
    json_files.write_sealed(folder / "config.json", config.model_dump(mode="json"))
    return config


def _alone(folder: Path, config: OverfittingConfig, report: Report) -> None:
    with held(folder / "lock") as handle:
        if handle is None:
            msg = f"the study in {str(folder)!r} is already running: wait for it"
            raise JobError(msg)
        run_study(folder, config, report)


def run_study(folder: Path, config: OverfittingConfig, report: Report) -> None:
    """Do all trainings that have no row yet; the rows are kept one by one."""
    import torch

    torch.set_num_threads(default_threads())
    signal.signal(signal.SIGINT, signal.default_int_handler)
    done = {(row["model"], row["share"], row["l2"]) for row in rows_of(folder)}
    todo = list(cells_of(config))
    report(Progress(len(done), len(todo), "z-scoring sessions"))
    material = study_material(config, folder)
    data, about = halved(material, config), {"simulated": material.dataset.simulated}
    for n, cell in enumerate(todo):
        if cell not in done:
            report(Progress(n, len(todo), f"{_words(cell)}{_left(config, rows_of(folder))}"))
            json_files.append_line(folder / ROWS, train_cell(data, config, cell) | about)
    report(Progress(len(todo), len(todo), "done"))


def train_cell(data: HalvedTrials, config: OverfittingConfig, cell: OverfittingCell) -> Row:
    """Train one classifier; return its losses and hits epoch by epoch, and what it took."""
    from models.training.loop import FitData, fit_network

    started = time.monotonic()
    Y, train = data.answers, drawn(data.train, cell.share, config)
    network = build_network(model_of(config, cell.model), data.mask, Y.shape[1], seed=config.seed)
    parts = FitData(data.X, Y, train, data.validation)
    result = fit_network(network, parts, fit_of(config, cell))
    curves = {name: [row[name] for row in result.history] for name in CURVES}
    return {
        **cell._asdict(),
        "n_train": len(train),
        "n_validation": len(data.validation),
        "n_classes": Y.shape[1],
        "n_parameters": sum(p.numel() for p in network.parameters()),
        "trained_classes": int(Y[train].any(0).sum()),
        "seconds": time.monotonic() - started,
        **curves,
    }


def _words(cell: OverfittingCell) -> str:
    decay = f", L2 {cell.l2:g}" if cell.l2 else ""
    return f"{cell.model} on {100 * cell.share:.0f} % of the training trials{decay}"


def _left(config: OverfittingConfig, rows: list[Row]) -> str:
    left_s = seconds_left(config, rows)
    return "" if left_s is None else f" · about {duration(left_s)} left"


main = partial(run_command, "overfitting")

if __name__ == "__main__":
    sys.exit(main())
