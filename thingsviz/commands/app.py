"""Command: start the app with the settings of its own folder, from any folder.

Data and jobs are those of THINGSVIZ_DATA and THINGSVIZ_JOBS; --data and --jobs say it for once.
Other options go to Streamlit: thingsviz app --server.address 0.0.0.0
"""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path

from thingsviz.commands.cli import PASSED_ON, run_command
from thingsviz.core.errors import ConfigError
from thingsviz.core.settings import variable
from thingsviz.ui.app_files import app_folder

PORTS = range(1, 65536)


def run(options: argparse.Namespace) -> int:
    """Become the app's server."""
    if options.port not in PORTS:
        msg = f"--port is {options.port}: give a number from 1 to {PORTS[-1]}"
        raise ConfigError(msg)
    command = [sys.executable, "-m", "streamlit", "run", str(app_folder() / "app.py")]
    command += ["--server.port", str(options.port), *options.passed_on]
    os.execve(sys.executable, command, {**os.environ, **_folders(options)})


def _folders(options: argparse.Namespace) -> dict[str, str]:
    given = {"data": options.data, "jobs": options.jobs}
    return {variable(name): str(path.absolute()) for name, path in given.items() if path}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("--port", type=int, default=8501, metavar="N", help="port of the page (default: 8501)")
    add("--data", type=Path, metavar="DIR", help="folder of datasets (default: data)")
    add("--jobs", type=Path, metavar="DIR", help="folder of jobs (default: checkpoints)")
    parser.set_defaults(**{PASSED_ON: []})


main = partial(run_command, "app")

if __name__ == "__main__":
    sys.exit(main())
