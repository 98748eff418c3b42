"""Run a whole study from its folder; starting it twice does no harm."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from thingsviz.commands.cli import run_command
from thingsviz.commands.folders import job_path
from thingsviz.core import log
from thingsviz.core.errors import JobError
from thingsviz.studies.run_study import help_study, run_study
from thingsviz.studies.study_folder import StudyFolder


def run(options: argparse.Namespace) -> int:
    """Run or continue a study; 0 done or stopped."""
    folder = StudyFolder(job_path(options.study).absolute())
    log.begin("study", usual="text")
    if not folder.file("config.json").is_file():
        msg = f"{folder.path} is not a study's folder: it needs a config.json"
        raise JobError(msg)
    return help_study(folder) if options.worker else run_study(folder)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("study", type=Path, metavar="STUDY_DIR", help="folder with a config.json")
    parser.add_argument(
        "--worker", action="store_true", help="only help a running study with its candidates"
    )


main = partial(run_command, "tune")

if __name__ == "__main__":
    sys.exit(main())
