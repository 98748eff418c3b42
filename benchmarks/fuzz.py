"""Spoilt inputs for every parser of the app: refused in a sentence, harmless, or visibly other.

    python -m benchmarks.fuzz [--short] [--mutations 1000] [--only TEXT …] [--seed 1]

Each parser gets seeded mutations of a valid input, read the way the app reads it, in a process of
its own with 1 GB of memory more than it has and 10 s a mutation. What comes out is compared with
the reading of the untouched input and, for formats that people write, with a second plain reading.
Exit status 1 if anything but the app's own sentences was raised, if a wrong value was read without
a word, or if memory or time ran out.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from benchmarks._fuzz import DOORS
from benchmarks._fuzz.judge import Outcome, Target, fuzz_apart
from benchmarks._fuzz.place import Place, made

LONG, SHORT = 1000, 20
COLUMNS = tuple(field.name for field in fields(Outcome) if field.name != "faults")


def main(argv: list[str] | None = None) -> int:
    """Spoil and read; 1 when anything crashed or was read wrongly without a word."""
    parser = argparse.ArgumentParser(prog="benchmarks fuzz", description=__doc__)
    parser.add_argument("--short", action="store_true", help=f"{SHORT} mutations of each")
    parser.add_argument("--mutations", type=int, default=LONG, help="of each parser")
    parser.add_argument("--only", action="append", help="parsers whose name holds this; again")
    parser.add_argument("--seed", type=int, default=1, help="of the mutations")
    options = parser.parse_args(argv)
    n = SHORT if options.short else options.mutations
    with scratch() as root:
        place = made(root)
        outcomes = []
        for target in all_targets(place, root / "scratch"):
            if any(words in target.name for words in options.only or [""]):
                outcomes.append(fuzz_apart(target, n, options.seed))
                print(line_of(outcomes[-1]), flush=True)
                print(*outcomes[-1].faults[:20], sep="\n", file=sys.stderr, flush=True)
    faults = sum(len(one.faults) for one in outcomes)
    total = sum(one.mutations for one in outcomes)
    print(f"\n{len(outcomes)} parsers, {total:,} mutations, {faults} faults")
    return 1 if faults or not outcomes else 0


def all_targets(place: Place, folder: Path) -> Iterator[Target]:
    """Yield every parser of the app; each is spoilt in a folder of its own."""
    for doors in DOORS:
        yield from doors.targets(place, folder / doors.__name__.rsplit(".", 1)[1])


def line_of(one: Outcome) -> str:
    """Write an outcome as a row of the README's table."""
    cells = [f"{getattr(one, name):,}" if name != "parser" else one.parser for name in COLUMNS]
    return f"| {' | '.join(cells)} |"


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that is gone afterwards."""
    root = Path(tempfile.mkdtemp(prefix="thingsviz-fuzz-"))
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
