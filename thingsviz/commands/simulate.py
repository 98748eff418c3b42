"""Command: plant a SIMULATED subject."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from thingsviz.commands.cli import run_command
from thingsviz.data.planted import SimulationOrder, Sources, is_planted, plant
from thingsviz.data.planted.presets import PRESETS
from thingsviz.data.planted.responses import RESPONSES
from thingsviz.queue.progress_bar import ProgressBar


def run(options: argparse.Namespace) -> int:
    """Plant the subject."""
    if options.if_missing and is_planted(options.out):
        return 0
    with ProgressBar("planting", options.progress) as console:
        plant(options.out, _order(options), console)
    print(f"planted a SIMULATED subject in {options.out}", file=sys.stderr)
    return 0


def _order(options: argparse.Namespace) -> SimulationOrder:
    sources = Sources(options.images, options.design, options.ratings)
    return SimulationOrder(options.preset, options.seed, options.snr, options.response, sources)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("out", type=Path, metavar="OUT", help="dataset folder to make")
    add("--preset", default="demo", metavar="|".join(PRESETS), help="size and signal")
    add("--seed", type=int, default=1, metavar="N", help="equal seeds give equal bytes")
    add("--snr", type=float, metavar="X", help="factor on the preset's noise ceilings; 0: none")
    add("--response", default="linear", metavar="|".join(RESPONSES), help="form of the response")
    add("--images", type=Path, metavar="DIR", help="photographs (dog.jpg) instead of icons")
    add("--design", type=Path, metavar="DIR", help="a subject's conditions files")
    add("--ratings", type=Path, metavar="FILE", help="a published ratings table")
    add("--if-missing", action="store_true", help="do nothing when OUT is planted already")
    add("--progress", type=Path, metavar="FILE", help="keep progress in this JSON file")


main = partial(run_command, "simulate")

if __name__ == "__main__":
    sys.exit(main())
