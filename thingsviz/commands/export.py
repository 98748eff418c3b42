"""`python -m thingsviz.commands.export`: a job as zip, HTML, CSV or TensorBoard files; and back.

python -m thingsviz.commands.export JOB OUT.zip               a job to take elsewhere
python -m thingsviz.commands.export --import IN.zip           and to open there
python -m thingsviz.commands.export JOB OUT.zip --with maps --with epochs
python -m thingsviz.commands.export JOB [JOB …] OUT.html      a report of a job, or of several
python -m thingsviz.commands.export JOB DIR --csv
python -m thingsviz.commands.export JOB DIR --tensorboard
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from models.base.errors import ModelError
from thingsviz.core.errors import (
    EXIT_BAD_INPUT,
    EXIT_INTERRUPTED,
    ConfigError,
    JobError,
    ThingsvizError,
)
from thingsviz.core.files import disk_sentence, write_atomically
from thingsviz.jobs.job_folder import JobFolder, open_job
from thingsviz.reports.bundle import export_job, import_job
from thingsviz.reports.bundle_more import WORDS
from thingsviz.reports.html_job import comparison_report, job_report


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(argv)
    try:
        print(_run(options), file=sys.stderr)
    except (ThingsvizError, ModelError) as error:
        print(error, file=sys.stderr)
        return EXIT_BAD_INPUT
    except OSError as error:
        print(disk_sentence(error, Path(options.items[-1])) or str(error), file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


def _run(options: argparse.Namespace) -> str:
    if options.bring_in:
        made = [import_job(Path(item)).name for item in options.items]
        return f"imported {', '.join(made)}"
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m thingsviz.commands.export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
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
    return parser


if __name__ == "__main__":
    sys.exit(main())
