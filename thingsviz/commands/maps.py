"""Command: make the maps of a finished job, and judge them, in the background of the app."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from models.base.errors import ModelError
from thingsviz.analysis.regions.parcellation import by_name
from thingsviz.core.errors import EXIT_BAD_INPUT, EXIT_INTERRUPTED, ThingsvizError
from thingsviz.core.progress import Progress, Report
from thingsviz.explain.decoder import open_decoder
from thingsviz.explain.map_files import ALL, EpochMaps, MapSet
from thingsviz.explain.map_session import MapSession
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.pipeline.fit import default_threads
from thingsviz.queue.progress_bar import ProgressBar
from thingsviz.reports.film import make_film, place_of


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        with ProgressBar("maps", arguments.progress) as report:
            made = make(arguments, report)
            report(Progress(1, 1, f"{len(made)} maps of {arguments.part} are made"))
    except (ThingsvizError, ModelError) as error:
        print(f"maps: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except OSError as error:
        place = error.filename or arguments.job
        print(f"maps: {str(place)!r} cannot be used: {error.strerror or error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        print("maps: interrupted; the maps that were made are kept", file=sys.stderr)
        return EXIT_INTERRUPTED
    print(f"{', '.join(made)}: in {made_in(arguments).path}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="thingsviz.commands.maps", description=__doc__)
    add = parser.add_argument
    add("job", type=Path, help="folder of a finished job")
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
    return parser


def made_in(arguments: argparse.Namespace) -> MapSet:
    """Return the set of maps that a command is about."""
    kind = EpochMaps if arguments.epochs else MapSet
    return kind(JobFolder(arguments.job.absolute()), arguments.part, arguments.target)


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


if __name__ == "__main__":
    sys.exit(main())
