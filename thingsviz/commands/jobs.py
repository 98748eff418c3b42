"""Command: list the jobs of the jobs folder, the last changed first."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from functools import partial

from thingsviz.commands.cli import run_command
from thingsviz.jobs.index import JobEntry, JobIndex
from thingsviz.jobs.job_folder import jobs_root

COLUMNS = ("job", "state", "decoder", "dataset", "subject", "changed", "message")


def run(options: argparse.Namespace) -> int:
    """Print the list."""
    entries = JobIndex(jobs_root()).refresh()
    if options.state:
        entries = [entry for entry in entries if entry.status.state == options.state]
    rows = [row_of(entry) for entry in entries[: options.most]]
    if options.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return 0
    print(table(rows) if rows else f"no such jobs in {jobs_root()}")
    if len(entries) > len(rows):
        print(f"… and {len(entries) - len(rows)} more: --most {len(entries)} shows all")
    return 0


def row_of(entry: JobEntry) -> dict[str, str]:
    """Return what the list tells of a job."""
    changed = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.changed))
    told = (entry.name, entry.status.state, entry.model, entry.dataset, entry.subject, changed)
    return dict(zip(COLUMNS, (*told, entry.fault or entry.status.message), strict=True))


def table(rows: Sequence[dict[str, str]]) -> str:
    """Align the rows; the last column is as long as it is."""
    lines = [COLUMNS, *(tuple(row.values()) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    widths[-1] = 0
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add(
        "--state", metavar="S", help="only these: queued, running, stopping, stopped, done, failed"
    )
    add("--most", type=int, default=50, metavar="N", help="at most so many (default: 50)")
    add("--json", action="store_true", help="as JSON, for a script")


main = partial(run_command, "jobs")

if __name__ == "__main__":
    sys.exit(main())
