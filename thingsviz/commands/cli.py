"""The console command `thingsviz`: its subcommands, and how each of them ends.

A module of a command offers `add_arguments(parser)` and `run(options) -> int`. It is imported only
when its command is asked for: `thingsviz --help` waits for neither torch nor pandas.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import thingsviz
from models.base.errors import ModelError
from thingsviz.core.errors import EXIT_BAD_INPUT, EXIT_INTERRUPTED, ThingsvizError
from thingsviz.core.files import FULL, READ_ONLY

UNEXPECTED = 1
# a command that declares this hands on what it does not know itself
PASSED_ON = "passed_on"
PIPE_CLOSED = 141  # what a shell reports of a command whose reader has gone, as in `| head`


class Command(NamedTuple):
    """A subcommand: its module, what it is for, an example, and what an interrupt leaves."""

    module: str
    purpose: str
    example: str
    after_interrupt: str = "nothing was kept"


GO_ON = "start it again to go on from here"
GROUPS: dict[str, dict[str, Command]] = {
    "begin": {
        "app": Command(
            "app",
            "Start the app; open the address that it prints in a browser.",
            "thingsviz app --port 8501",
            "the app has ended, trainings go on",
        ),
        "doctor": Command(
            "doctor",
            "Look at this machine: what is installed, what is missing, what to do.",
            "thingsviz doctor",
        ),
    },
    "data": {
        "simulate": Command(
            "simulate",
            "Make a SIMULATED THINGS-fMRI subject whose truth is known.",
            "thingsviz simulate data/demo --preset demo",
            "nothing is left behind",
        ),
        "prepare": Command(
            "prepare",
            "Turn a subject's published files into a store that gives any trial at once.",
            "thingsviz prepare data/things --subject sub-01",
            GO_ON,
        ),
    },
    "decode": {
        "train": Command(
            "train",
            "Begin a training, or run or continue that of a job folder.",
            "thingsviz train --dataset demo --model ridge",
            GO_ON,
        ),
        "tune": Command(
            "tune",
            "Run or continue a study: a search for better settings.",
            "thingsviz tune checkpoints/.studies/STUDY",
            GO_ON,
        ),
        "maps": Command(
            "maps",
            "Make maps of where a trained decoder looks, and test them.",
            "thingsviz maps checkpoints/JOB --part test --judge",
            "the maps that were made are kept",
        ),
        "leaderboard": Command(
            "leaderboard",
            "Score how well each region of one subject's brain tells each property.",
            "thingsviz leaderboard data/demo --subject sub-01",
        ),
        "learning-curves": Command(
            "learning_curves",
            "See how a linear decoder's score grows with trials, repeats and voxels.",
            "thingsviz learning-curves data/demo --model ridge",
        ),
        "overfitting": Command(
            "overfitting",
            "Train three classifiers longer, on fewer trials and with L2: which of them overfit.",
            "thingsviz overfitting STUDY_DIR --dataset demo",
            GO_ON,
        ),
        "replicate": Command(
            "replicate",
            "Train all that the replicated study trained, and write one HTML report.",
            "thingsviz replicate OUT --dataset demo --minutes 20",
            "run it again to go on, trainings that are done stay",
        ),
    },
    "jobs": {
        "jobs": Command(
            "jobs",
            "List the jobs: what waits, runs and has ended.",
            "thingsviz jobs --state running",
        ),
        "export": Command(
            "export",
            "Write a job as a zip, an HTML report, CSV or TensorBoard files.",
            "thingsviz export JOB job.zip",
        ),
        "import": Command(
            "import_jobs",
            "Open jobs that were exported on another machine.",
            "thingsviz import job.zip",
        ),
        "backup": Command(
            "backup",
            "Save all jobs and studies into one checked file, or restore them.",
            "thingsviz backup save jobs.tar",
            "nothing was left behind",
        ),
        "supervisor": Command(
            "supervisor",
            "Start what waits in the queue of a jobs folder (the app does so by itself).",
            "thingsviz supervisor checkpoints",
            "trainings go on",
        ),
    },
}
COMMANDS = {name: command for group in GROUPS.values() for name, command in group.items()}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns its exit code: 2 for what a user can mend, 130 interrupted."""
    parser = argparse.ArgumentParser(
        prog="thingsviz",
        usage="thingsviz COMMAND [OPTIONS]",
        description="Explore and decode THINGS-fMRI: single trials, decoders, honest scores.",
        epilog=_list_of_commands(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=thingsviz.__version__)
    parser.add_argument("command", metavar="COMMAND", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.command is None:
        parser.print_help()
        return EXIT_BAD_INPUT
    if options.command not in COMMANDS:
        near = difflib.get_close_matches(options.command, COMMANDS, 1)
        meant = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(COMMANDS)}"
        parser.error(f"{options.command!r} is not a command: {meant}")
    return run_command(options.command, options.rest)


def _list_of_commands() -> str:
    lines = []
    for group, commands in GROUPS.items():
        lines.append(f"{group}:")
        lines += [f"  {name:<16} {command.purpose}" for name, command in commands.items()]
    return "\n".join(
        [*lines, "", "`thingsviz COMMAND --help` tells more of each, with an example."]
    )


def run_command(name: str, argv: Sequence[str] | None = None) -> int:
    """Run one subcommand on its arguments, and turn every ending into words and an exit code."""
    command = COMMANDS[name]
    module = _module(f"thingsviz.commands.{command.module}")
    parser = argparse.ArgumentParser(
        prog=f"thingsviz {name}",
        description=command.purpose,
        epilog=f"example: {command.example}\n\n{_more(module)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    options, rest = parser.parse_known_args(argv)
    if rest and not hasattr(options, PASSED_ON):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    setattr(options, PASSED_ON, [word for word in rest if word != "--"])
    try:
        return int(module.run(options))
    except KeyboardInterrupt:
        return _end(f"{name}: interrupted; {command.after_interrupt}", EXIT_INTERRUPTED)
    except BrokenPipeError:
        # what is still to be written at the exit has nobody to read it either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except Exception as error:
        return _end(f"{name}: {sentence(error, options)}", code_of(error))


def _module(path: str) -> ModuleType:
    """Import a command's module, or take the one that `python -m` has begun already."""
    begun = sys.modules["__main__"]
    spec = getattr(begun, "__spec__", None)
    return begun if spec is not None and spec.name == path else importlib.import_module(path)


def _more(module: ModuleType) -> str:
    """Return what a module tells of its command after its first line."""
    return (module.__doc__ or "").partition("\n")[2].strip()


def _end(words: str, code: int) -> int:
    print(words, file=sys.stderr)
    return code


def code_of(error: Exception) -> int:
    """Return the exit code of an error: 2 for what a user can mend, else 1."""
    expected = isinstance(error, ThingsvizError | ModelError | OSError)
    return EXIT_BAD_INPUT if expected else UNEXPECTED


def sentence(error: Exception, options: argparse.Namespace) -> str:
    """Say an error in one sentence; the traceback of an unexpected one stands above it."""
    if isinstance(error, ThingsvizError | ModelError):
        return str(error)
    if not isinstance(error, OSError):
        traceback.print_exception(error)
        return f"an error in thingsviz ended it ({type(error).__name__}): see the lines above"
    given = (value for value in vars(options).values() if isinstance(value, Path))
    place = error.filename or next(given, Path())
    if error.errno in FULL:
        return f"no space is left to write in {place}: free some, then start it again"
    if error.errno in READ_ONLY:
        return f"{str(place)!r} cannot be used ({error.strerror}): choose a folder of yours"
    return f"{str(place)!r} cannot be used: {error.strerror or error}"


if __name__ == "__main__":
    sys.exit(main())
