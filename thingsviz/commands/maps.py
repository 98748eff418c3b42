"""Command: make the maps of a finished job, and judge them, in the background of the app."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import torch

from thingsviz.analysis.regions.parcellation import by_name
from thingsviz.commands.cli import run_command
from thingsviz.commands.folders import job_path
from thingsviz.core.progress import Progress, Report
from thingsviz.explain.decoder import open_decoder
from thingsviz.explain.map_files import ALL, EpochMaps, MapSet
from thingsviz.explain.map_session import MapSession
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.pipeline.fit import default_threads
from thingsviz.queue.progress_bar import ProgressBar
from thingsviz.reports.film import make_film, place_of


def run(options: argparse.Namespace) -> int:
    """Make the maps, and say where they are."""
    with ProgressBar("maps", options.progress) as report:
        made = make(options, report)
        report(Progress(1, 1, f"{len(made)} maps of {options.part} are made"))
    print(f"{', '.join(made)}: in {made_in(options).path}")
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("job", type=Path, help="a finished job: its name or its folder")
    add("--part", default="test", help="test, validation, exemplars, row-17 or concept-dog")
    add("--target", default=ALL, help="one output, such as heavy (default: all of them)")
    add("--methods", default="", help="methods, with commas between (default: all that fit)")
    add("--regions", default="", help="a parcellation of your own, by name, to leave out")
    add(
        "--permuted",
        action="store_true",
        help="only train a network on permuted labels and compare",
    )
    add("--epochs", action="store_true", help="maps of the epochs whose weights were kept")
    add("--film", default="", metavar="LAYER,HEAD", help="with --epochs: also a GIF of this head")
    add("--anew", action="store_true", help="make maps again that are there already")
    add("--judge", action="store_true", help="also judge the maps: faithfulness, sanity, truth")
    add("--progress", type=Path, help=argparse.SUPPRESS)


def made_in(arguments: argparse.Namespace) -> MapSet:
    """Return the set of maps that a command is about."""
    kind = EpochMaps if arguments.epochs else MapSet
    return kind(JobFolder(job_path(arguments.job).absolute()), arguments.part, arguments.target)


def make(arguments: argparse.Namespace, report: Report) -> list[str]:
    """Make and keep the maps; return the methods' names."""
    torch.set_num_threads(default_threads())
    maps = made_in(arguments)
    report(Progress(0, 1, "opening the job and its data"))
    decoder = open_decoder(maps.job)
    if arguments.regions:
        material = decoder.material
        decoder.named = by_name(material.dataset, material.store, arguments.regions)
    session = MapSession(maps, decoder)
    if arguments.permuted:
        return session.compare_permuted(report)
    methods = [m for m in arguments.methods.split(",") if m]
    if arguments.epochs:
        films = [place_of(arguments.film)] if arguments.film else []
        return make_film(session, methods, films, report)
    return session.make(methods, report, anew=arguments.anew, judged=arguments.judge)


main = partial(run_command, "maps")

if __name__ == "__main__":
    sys.exit(main())
