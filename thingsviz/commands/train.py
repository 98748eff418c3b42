"""Run a whole training from its job folder; starting it twice does no harm."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from models.base.errors import ModelError
from models.training.distributed.processes import processes
from thingsviz.core import log
from thingsviz.core.errors import ThingsvizError
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.pipeline.run_job import refuse, run_job, run_together
from thingsviz.pipeline.share import can_share, count, start_processes


def main(argv: list[str] | None = None) -> int:
    """Run or continue a job; 0 done or stopped, 2 with one sentence for what a user can mend."""
    parser = argparse.ArgumentParser(
        prog="python -m thingsviz.commands.train", description=__doc__
    )
    parser.add_argument("job", type=Path, metavar="JOB_DIR", help="folder with a config.json")
    words = "share each batch among N processes of this machine, on a GPU each if there are any"
    parser.add_argument("--processes", default="1", metavar="N", help=words)
    options = parser.parse_args(argv)
    job = JobFolder(options.job.absolute())
    if not job.file("config.json").is_file():
        return refuse(f"{job.path} is not a job folder: it needs a config.json")
    log.begin("worker", usual="text")
    try:
        here, wanted = processes(), count(options.processes)
        if here.size == 1 and wanted > 1 and can_share(job, wanted):
            start_processes(job, wanted)
    except (ThingsvizError, ModelError) as error:
        return refuse(str(error))
    return run_job(job) if here.size == 1 else run_together(job, here)


if __name__ == "__main__":
    sys.exit(main())
