"""Command: turn a subject's published files into a store that gives any trial at once."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from thingsviz.commands.cli import run_command
from thingsviz.commands.folders import dataset_path
from thingsviz.core.progress import Progress, Report
from thingsviz.core.trial_key import parse_subject
from thingsviz.data.prepare.build import RELEASES, BuildOptions, build_store
from thingsviz.data.store.state import StoreState
from thingsviz.data.store.verify import verify_store
from thingsviz.data.things.layout import Dataset, open_dataset
from thingsviz.queue.background_tasks import progress_file


def run(options: argparse.Namespace) -> int:
    """Prepare the subject, and say what there is now."""
    dataset = open_dataset(dataset_path(options.dataset), options.derivatives)
    subject = parse_subject(options.subject)
    wanted = BuildOptions(options.table_only, options.hdf5, options.release)
    report = both(bar(sys.stderr.isatty()), progress_file(options.progress))
    state = build_store(dataset, subject, wanted, report)
    if options.verify:
        verify_store(dataset, subject, report)
    print(summary(dataset, subject, state))
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add(
        "dataset",
        type=Path,
        help="folder that holds betas_vol/ or betas_csv/, or its name below THINGSVIZ_DATA",
    )
    add("--subject", default="sub-01", help="label of the subject (default: sub-01)")
    add("--hdf5", action="store_true", help="also write all of it to subject.h5")
    add("--table-only", action="store_true", help="only the trials table; needs no betas")
    add("--release", choices=RELEASES, default="auto", help="which release to read")
    add("--derivatives", type=Path, help="where results go if not into the dataset")
    add("--verify", action="store_true", help="then read all again and compare checksums")
    add("--progress", type=Path, help=argparse.SUPPRESS)


def both(*reports: Callable[[Progress], None]) -> Report:
    """Report to several."""

    def report(progress: Progress) -> None:
        for one in reports:
            one(progress)

    return report


def bar(interactive: bool, every_s: float = 5.0) -> Report:
    """Report on stderr: one line overwritten, or a line now and then without a terminal."""
    last = [time.monotonic()]

    def report(progress: Progress) -> None:
        now = time.monotonic()
        share = 100 * progress.done // max(1, progress.total)
        if interactive:
            print(f"\r{share:3d} %  {progress.message}\033[K", end="", file=sys.stderr, flush=True)
        elif now - last[0] >= every_s:
            last[0] = now
            print(f"{share:3d} %  {progress.message}", file=sys.stderr, flush=True)

    return report


def summary(dataset: Dataset, subject: str, state: StoreState) -> str:
    """Say what there is now, with all data warnings."""
    n = state.counts
    lines = [
        f"{subject} of {dataset.name}: {n['trials']:,} trials in {n['sessions']} sessions and "
        f"{n['runs']} runs: {n['train']:,} train, {n['test']:,} test, {n['catch']:,} catch",
        f"{n['live']:,} live trials of {n['concepts']:,} concepts, {n['rated']:,} of them rated",
    ]
    if "voxels" in n:
        lines.append(f"{n['voxels']:,} brain voxels")
    lines += [f"data warning: {note}" for note in state.warnings]
    return "\n".join([*lines, f"in {dataset.store_dir(subject)}"])


main = partial(run_command, "prepare")

if __name__ == "__main__":
    sys.exit(main())
