"""Run a whole training from its job folder; starting it twice does no harm."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from models.training.distributed.processes import processes
from thingsviz.commands.cli import run_command
from thingsviz.core import log
from thingsviz.core.errors import JobError
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.pipeline.run_job import run_job, run_together
from thingsviz.pipeline.share import can_share, count, start_processes


def run(options: argparse.Namespace) -> int:
    """Run or continue a job; 0 done or stopped."""
    job = JobFolder(options.job.absolute())
    if not job.file("config.json").is_file():
        msg = f"{job.path} is not a job folder: it needs a config.json"
        raise JobError(msg)
    log.begin("worker", usual="text")
    here, wanted = processes(), count(options.processes)
    if here.size == 1 and wanted > 1 and can_share(job, wanted):
        start_processes(job, wanted)
    return run_job(job) if here.size == 1 else run_together(job, here)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("job", type=Path, metavar="JOB_DIR", help="folder with a config.json")
    words = "share each batch among N processes of this machine, on a GPU each if there are any"
    parser.add_argument("--processes", default="1", metavar="N", help=words)


main = partial(run_command, "train")

if __name__ == "__main__":
    sys.exit(main())
