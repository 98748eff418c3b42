"""Train all that the replicated study trained, and write one HTML file of it.

Trainings that are done are reused, so that a second run goes on where the first one ended.
"""

from __future__ import annotations

import argparse
import signal
import sys
from functools import partial
from pathlib import Path
from types import FrameType

from thingsviz.commands.cli import run_command
from thingsviz.core.errors import ConfigError
from thingsviz.jobs.manifest import git_commit, now
from thingsviz.jobs.recipe import parse_config
from thingsviz.pipeline.training_data import find_dataset, open_store
from thingsviz.queue.progress_bar import ProgressBar
from thingsviz.replication.document import write_report
from thingsviz.replication.run import ReplicationStep, plan, remembered, run_all, write_record

SHORT_MIN = 4.0
MOST_MIN = 100_000.0


def run(options: argparse.Namespace) -> int:
    """Train, and write the report."""
    signal.signal(signal.SIGTERM, _interrupt)
    with ProgressBar("the original study, again", options.progress) as console:
        _run(options, console)
    print(f"the report stands in {options.out / 'report.html'}", file=sys.stderr)
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(options: argparse.Namespace, console: ProgressBar) -> None:
    minutes = SHORT_MIN if options.short else options.minutes
    if minutes is not None and not 0 < minutes <= MOST_MIN:
        msg = f"--minutes is {minutes:g}: give a number above 0, or leave it out for no limit"
        raise ConfigError(msg)
    recipe = parse_config({"dataset": options.dataset, "subject": options.subject})
    dataset = find_dataset(recipe)
    store = open_store(dataset, options.subject)
    options.out.mkdir(parents=True, exist_ok=True)
    facts = {"dataset": options.dataset, "subject": options.subject, "minutes": minutes}
    facts |= {"fingerprint": store.fingerprint, "shape": list(store.grid.shape)}
    steps = remembered(options.out, facts)
    if steps is None:
        steps = plan(store, options.dataset, options.subject, minutes and 60 * minutes)
    facts |= {"simulated": dataset.simulated, "started_at": now(), "git_commit": git_commit()}

    def keep(found: list[ReplicationStep]) -> None:
        write_record(options.out, found, facts)
        write_report(options.out, found, facts)

    keep(steps)
    run_all(steps, console, keep)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("out", type=Path, metavar="OUT", help="folder for report.html and again.json")
    add("--dataset", required=True, metavar="NAME", help="a dataset's name or path")
    add("--subject", default="sub-01", metavar="SUB", help="the subject (sub-01)")
    add("--minutes", type=float, metavar="N", help="cut the trainings to about N minutes in all")
    add("--short", action="store_true", help=f"the same as --minutes {SHORT_MIN:g}")
    add("--progress", type=Path, metavar="FILE", help="keep progress in this JSON file")


main = partial(run_command, "replicate")

if __name__ == "__main__":
    sys.exit(main())
