"""Command: a job as zip, HTML, CSV or TensorBoard files.

thingsviz export JOB OUT.zip               a job to take elsewhere
thingsviz import IN.zip                    and to open there
thingsviz export JOB OUT.zip --with maps --with epochs
thingsviz export JOB [JOB …] OUT.html      a report of a job, or of several
thingsviz export JOB DIR --csv
thingsviz export JOB DIR --tensorboard
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from thingsviz.commands import import_jobs
from thingsviz.commands.cli import run_command
from thingsviz.core.errors import (
    ConfigError,
    JobError,
)
from thingsviz.core.files import write_atomically
from thingsviz.jobs.job_folder import JobFolder, open_job
from thingsviz.reports.bundle import export_job
from thingsviz.reports.bundle_more import WORDS
from thingsviz.reports.html_job import comparison_report, job_report


def run(options: argparse.Namespace) -> int:
    """Write what was asked for, and say where it is."""
    print(_run(options), file=sys.stderr)
    return 0


def _run(options: argparse.Namespace) -> str:
    if options.bring_in:
        return import_jobs.imported(options.items)
    if len(options.items) < 2:
        msg = "give a job and where to write it: JOB OUT.zip, JOB OUT.html, or JOB DIR --csv"
        raise ConfigError(msg)
    jobs, out = [_job(item) for item in options.items[:-1]], Path(options.items[-1])
    if out.suffix == ".html":
        return _write_html(jobs, out)
    if len(jobs) > 1:
        msg = f"several jobs go into one .html only, but the output is {str(out)!r}"
        raise ConfigError(msg)
    return _write_one(jobs[0], out, options)


def _write_one(job: JobFolder, out: Path, options: argparse.Namespace) -> str:
    from thingsviz.reports.tables import write_csv, write_events

    if options.csv:
        return f"wrote {', '.join(write_csv(job, out))} to {out}"
    if options.tensorboard:
        return f"wrote {write_events(job, out):,} values to {out / job.name}"
    if out.suffix != ".zip":
        msg = f"{str(out)!r} ends in neither .zip nor .html: choose one, or add --csv"
        raise ConfigError(msg)
    return f"wrote {len(export_job(job, out, options.more))} files of {job.name} to {out}"


def _write_html(jobs: list[JobFolder], out: Path) -> str:
    text = job_report(jobs[0]) if len(jobs) == 1 else comparison_report(jobs)
    write_atomically(out, lambda file: file.write(text.encode()))
    return f"wrote {out}"


def _job(item: str) -> JobFolder:
    """Return a job by its name, or by its folder's path."""
    if "/" not in item:
        return open_job(item)
    job = JobFolder(Path(item).absolute())
    if not job.file("config.json").is_file():
        msg = f"{item} is not a job folder: it needs a config.json"
        raise JobError(msg)
    return job


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("items", nargs="+", metavar="JOB … OUT", help="job names or folders, then the output")
    add("--import", dest="bring_in", action="store_true", help="open zips made on other machines")
    add(
        "--with",
        dest="more",
        action="append",
        choices=tuple(WORDS),
        default=[],
        help="into a zip also the job's maps, or the weights of its kept epochs",
    )
    add("--csv", action="store_true", help="scores, predictions and differences as CSV in OUT")
    add("--tensorboard", action="store_true", help="metrics as event files below OUT")


main = partial(run_command, "export")

if __name__ == "__main__":
    sys.exit(main())
