"""Kills of all that works, full disks and flipped bits at random moments: what is lost.

    python -m benchmarks.faults [--short] [--only training,supervisor,...] [--seed 1]

Plants the tiny subject, then ends real processes with SIGKILL and starts them again until their
work is done. Each row counts what must be 0: files that cannot be read, work that was lost, work
that was done twice, results that differ from those of an undisturbed run, processes that run
without being seen. Exit status 1 if any is not 0.

Processes are forked from this one with everything imported, so that kills fall into the work
itself and not into the seconds of importing; the supervisor and what it starts are ordinary
commands.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time

from benchmarks._faults.disks import disk, flips
from benchmarks._faults.engine import launcher, supervisor
from benchmarks._faults.preparing import prepare
from benchmarks._faults.study import study
from benchmarks._faults.training import training
from benchmarks._faults.work import Fill, Row, import_all, table, workplace

LONG = {"training": 200, "supervisor": 50, "launcher": 50, "study": 50, "prepare": 50}
LONG |= {"disk": 50, "flips": 2000}
SHORT = {"training": 3, "supervisor": 2, "launcher": 2, "study": 2, "prepare": 3}
SHORT |= {"disk": 1, "flips": 70}


def main(argv: list[str] | None = None) -> int:
    """Run the rows and print the table; 1 when anything was lost, doubled or damaged."""
    parser = argparse.ArgumentParser(prog="benchmarks faults", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few kills of each, in 45 s")
    parser.add_argument("--only", default=",".join(LONG), help="some of the rows")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    options = parser.parse_args(argv)
    wanted = [name for name in options.only.split(",") if name]
    unknown = sorted(set(wanted) - set(ROWS))
    if unknown:
        print(f"there is no row {unknown[0]!r}: {', '.join(ROWS)}", file=sys.stderr)
        return 2
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "THINGSVIZ_THREADS"):
        os.environ.setdefault(name, "1")
    counts = SHORT if options.short else LONG
    with workplace() as root:
        import_all()
        rows = []
        for name in wanted:
            began, row = time.monotonic(), Row(name)
            ROWS[name](row, counts[name], root, random.Random(options.seed))
            row.seconds = round(time.monotonic() - began, 1)
            rows.append(row)
            print(" ".join(f"{key}={value}" for key, value in vars(row).items()), flush=True)
    print(f"\n{table(rows)}")
    faults = sum(row.faults for row in rows)
    print(f"{faults} faults" if faults else "nothing lost, nothing twice, nothing unreadable")
    return 1 if faults else 0


ROWS: dict[str, Fill] = {
    "training": training,
    "supervisor": supervisor,
    "launcher": launcher,
    "study": study,
    "prepare": prepare,
    "disk": disk,
    "flips": flips,
}

if __name__ == "__main__":
    sys.exit(main())
