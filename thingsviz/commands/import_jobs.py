"""Command: open jobs that were exported on another machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from thingsviz.commands.cli import run_command
from thingsviz.reports.bundle import import_job


def run(options: argparse.Namespace) -> int:
    """Bring the jobs into the folder of jobs."""
    print(imported(options.archives), file=sys.stderr)
    return 0


def imported(archives: Sequence[str | Path]) -> str:
    """Bring in the jobs of some zips; says under which names."""
    return f"imported {', '.join(import_job(Path(archive)).name for archive in archives)}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    words = "what `thingsviz export JOB OUT.zip` has written"
    parser.add_argument("archives", nargs="+", type=Path, metavar="IN.zip", help=words)


main = partial(run_command, "import")

if __name__ == "__main__":
    sys.exit(main())
