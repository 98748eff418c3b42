"""Break named places of the code one at a time, and count how many of them the tests notice.

    python -m tests.mutations                all of tests/mutation_places.py
    python -m tests.mutations NAME [NAME …]  some of them

Works in a copy of the tree: the working tree is never changed. Prints a Markdown table and exits
with 1 where a fault goes unnoticed, with 2 where that cannot be told.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.mutation_places import PLACES, Mutation

ROOT = Path(__file__).parents[1]
COPIED = ("models", "thingsviz", "pages", "tests", ".streamlit", "app.py", "pyproject.toml")
PASSED, FAILED = 0, 1  # pytest's exit codes; all others say that no test ran to its end
# a place may make a test wait for ever
OPTIONS = ("-q", "-x", "-rfE", "--timeout=120", "-p", "no:randomly", "-p", "no:cacheprovider")
FIRST_FAULT = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)
NOBODY = "**nobody**"


class CannotTellError(Exception):
    """A place or its tests are not as the list says, so nothing can be said of them."""


class Run(NamedTuple):
    """How a run of tests ended: pytest's exit code, the first test that failed, what was said."""

    code: int
    failed: str
    output: str


class Result(NamedTuple):
    """Which test noticed a fault, '' for none, and how long its run took."""

    mutation: Mutation
    noticed_by: str
    seconds: float


def changed(source: str, mutation: Mutation) -> str:
    """Return a file's text with the fault in it."""
    n = source.count(mutation.old)
    if n != 1:
        msg = (
            f"{mutation.name}: {mutation.old!r} should occur once in {mutation.file}, but it "
            f"occurs {n} times: bring tests/mutation_places.py up to date"
        )
        raise CannotTellError(msg)
    return source.replace(mutation.old, mutation.new)


@contextmanager
def broken(tree: Path, mutation: Mutation) -> Iterator[None]:
    """Hold the fault in a copy of the tree inside the block."""
    path = tree / mutation.file
    before, dates = path.read_text("utf-8"), path.stat()
    path.write_text(changed(before, mutation), "utf-8")
    try:
        yield
    finally:
        path.write_text(before, "utf-8")
        # what was compiled of the sound file counts again
        os.utime(path, ns=(dates.st_atime_ns, dates.st_mtime_ns))


def run_tests(tree: Path, tests: Sequence[str], *, compiled: bool = False) -> Run:
    """Run tests in a copy of the tree, until the first fails; `compiled`: keep bytecode."""
    env = os.environ | {"PYTHONPATH": str(tree)}
    env |= {} if compiled else {"PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", *OPTIONS, *tests]
    done = subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, check=False)
    found = FIRST_FAULT.search(done.stdout)
    return Run(done.returncode, found[1] if found else "", done.stdout + done.stderr)


def check(tree: Path, mutation: Mutation) -> Result:
    """Break one place, and see which of its tests notices."""
    started = time.monotonic()
    with broken(tree, mutation):
        run = run_tests(tree, mutation.tests)
    if run.code not in {PASSED, FAILED}:
        msg = f"{mutation.name}: its tests could not be run:\n{run.output}"
        raise CannotTellError(msg)
    by = run.failed if run.code == FAILED else ""
    return Result(mutation, by, time.monotonic() - started)


def check_sound(tree: Path, mutations: Sequence[Mutation]) -> None:
    """Refuse to go on where tests fail though nothing is broken: they would notice anything."""
    tests = dict.fromkeys(test for mutation in mutations for test in mutation.tests)
    run = run_tests(tree, list(tests), compiled=True)
    if run.code != PASSED:
        msg = f"the tests fail though nothing is broken:\n{run.output}"
        raise CannotTellError(msg)


def table(results: Sequence[Result]) -> str:
    """Return a Markdown table, a row a place."""
    lines = ["| Place | What is broken | Noticed by | Seconds |", "|---|---|---|---:|"]
    for mutation, by, seconds in results:
        place = f"{mutation.name}<br>`{mutation.file}`"
        # a parameter may hold any sign
        test = f"`{by.partition('[')[0]}`" if by else NOBODY
        lines.append(f"| {place} | {mutation.what} | {test} | {seconds:.0f} |")
    n = sum(bool(result.noticed_by) for result in results)
    return "\n".join([*lines, "", f"{n} of {len(results)} noticed."])


def chosen(names: Sequence[str], places: Sequence[Mutation] = PLACES) -> list[Mutation]:
    """Return the places of these names, all without any."""
    known = {place.name: place for place in places}
    unknown = [name for name in names if name not in known]
    if unknown:
        msg = f"there is no place {unknown[0]!r}: there are {', '.join(known)}"
        raise CannotTellError(msg)
    return [known[name] for name in names] or list(places)


def copy_tree(target: Path) -> None:
    """Copy what the tests of the places need."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target / name)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    try:
        mutations = chosen(sys.argv[1:] if argv is None else argv)
        with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
            tree = Path(folder)
            copy_tree(tree)
            sys.stderr.write("all tests, nothing broken\n")
            check_sound(tree, mutations)
            results = []
            for mutation in mutations:
                sys.stderr.write(f"{mutation.name}: {mutation.what}\n")
                results.append(check(tree, mutation))
    except CannotTellError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{table(results)}\n")
    return 0 if all(result.noticed_by for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
