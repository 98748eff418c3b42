"""Command: run a whole training from its job folder; starting it twice does no harm.

With --dataset it begins a new job first; any other setting of the recipe is said by --set:
thingsviz train --dataset demo --model vit3d --set fit.epochs=8 --set split.kind=image
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from models.training.distributed.processes import processes
from thingsviz.commands.cli import run_command
from thingsviz.commands.folders import job_path
from thingsviz.core import log
from thingsviz.core.errors import ConfigError, JobError
from thingsviz.jobs.job_folder import JobFolder, create_job
from thingsviz.jobs.recipe import JobConfig, parse_config
from thingsviz.pipeline.run_job import run_job, run_together
from thingsviz.pipeline.share import can_share, count, start_processes
from thingsviz.pipeline.training_data import find_dataset, open_store


def run(options: argparse.Namespace) -> int:
    """Run or continue a job; 0 done or stopped."""
    job = _job(options)
    log.begin("worker", usual="text")
    here, wanted = processes(), count(options.processes)
    if here.size == 1 and wanted > 1 and can_share(job, wanted):
        start_processes(job, wanted)
    return run_job(job) if here.size == 1 else run_together(job, here)


def _job(options: argparse.Namespace) -> JobFolder:
    if (options.job is None) == (options.dataset is None):
        msg = "give the folder of a job, or begin a new one with --dataset NAME"
        raise ConfigError(msg)
    if options.dataset is not None:
        config = recipe_of(options)
        # what is wrong with the data is said before there is a folder
        open_store(find_dataset(config), config.subject)
        job = create_job(config)
        print(f"new job: {job.path}", file=sys.stderr)
        return job
    job = JobFolder(job_path(options.job).absolute())
    if not job.file("config.json").is_file():
        msg = f"{job.path} is not a job folder: it needs a config.json"
        raise JobError(msg)
    return job


def recipe_of(options: argparse.Namespace) -> JobConfig:
    """Put the recipe of a new job together."""
    data: dict[str, Any] = {"dataset": options.dataset, "subject": options.subject}
    data |= {"name": options.name or options.model, "model": {"name": options.model}}
    for given in options.set:
        _put(data, given)
    return parse_config(data, "recipe")


def _put(data: dict[str, Any], given: str) -> None:
    """Set `fit.epochs=8` in a recipe; what is no JSON is a text."""
    path, equals, text = given.partition("=")
    *parts, last = path.split(".")
    inner: Any = data
    for part in parts:
        inner = inner.setdefault(part, {}) if isinstance(inner, dict) else None
    if not equals or not isinstance(inner, dict):
        msg = f"--set has {given!r}: give KEY=VALUE, as fit.epochs=8"
        raise ConfigError(msg)
    try:
        inner[last] = json.loads(text)
    except ValueError:
        inner[last] = text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    words = "job to run or to continue: its name, or its folder with a config.json"
    add("job", nargs="?", type=Path, metavar="JOB_DIR", help=words)
    words = "begin a new job: name or folder of a dataset with a prepared subject"
    add("--dataset", metavar="NAME", help=words)
    add("--subject", default="sub-01", metavar="SUB", help="label of the subject (sub-01)")
    add("--model", default="ridge", metavar="NAME", help="decoder of the new job (ridge)")
    add("--name", metavar="NAME", help="name of the new job (that of its decoder)")
    words = "another setting of the recipe, as fit.epochs=8; may be given again"
    add("--set", action="append", default=[], metavar="KEY=VALUE", help=words)
    words = "share each batch among N processes of this machine, on a GPU each if there are any"
    add("--processes", default="1", metavar="N", help=words)


main = partial(run_command, "train")

if __name__ == "__main__":
    sys.exit(main())
