"""The tables of benchmarks/README.md, made of the newest result of each benchmark.

python -m benchmarks.results           write them
python -m benchmarks.results --check   exit 1 if the README is another
"""

from __future__ import annotations

import argparse
import datetime
import re
import sys
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

FOLDER = Path(__file__).parent
README = FOLDER.parent / "README.md"
NAME = re.compile(r"(\d{4}-\d{2}-\d{2})-([a-z0-9_-]+)\.json")
BLOCK = re.compile(r"(<!-- results: ([a-z0-9_ -]+) -->\n).*?(<!-- end of results -->)", re.DOTALL)
MET = {True: "yes", False: "**no**", None: ""}


class ResultError(Exception):
    """A file of results, or the README, that cannot be used; one sentence."""


class Strict(BaseModel):
    """Nothing unknown is accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SummaryRow(Strict):
    """What was measured, against whom, the goal if there is one, and what came out."""

    measured: str = Field(min_length=1)
    against: str
    goal: str
    result: str = Field(min_length=1)
    met: bool | None

    @model_validator(mode="after")
    def _judged(self) -> Self:
        if (self.met is None) != (not self.goal):
            msg = f"{self.measured!r}: a goal is met or not, and nothing is met without a goal"
            raise ValueError(msg)
        return self


class Table(Strict):
    """A table as it was printed; `shown`: it stands in the README too."""

    title: str
    shown: bool
    columns: list[str]
    rows: list[list[str]]

    @model_validator(mode="after")
    def _even(self) -> Self:
        for row in self.rows:
            if len(row) != len(self.columns):
                msg = f"{self.title!r}: {len(self.columns)} cells were expected, not {row}"
                raise ValueError(msg)
        return self


class Result(Strict):
    """One run of a benchmark."""

    benchmark: str
    date: datetime.date
    machine: str = Field(min_length=1)
    seed: int | None
    summary: list[SummaryRow] = Field(min_length=1)
    tables: list[Table]
    notes: list[str]


def read(path: Path) -> Result:
    """Read DATE-NAME.json, whose content has to say the same date and name."""
    named = NAME.fullmatch(path.name)
    try:
        result = Result.model_validate_json(path.read_bytes())
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(map(str, fault["loc"]))
        raise ResultError(f"{path.name}: {place} {fault['msg']}") from None
    if named is None or (str(result.date), result.benchmark) != named.groups():
        msg = f"{path.name} holds {result.benchmark} of {result.date}: call it DATE-NAME.json"
        raise ResultError(msg)
    return result


def newest(folder: Path = FOLDER) -> dict[str, Result]:
    """Return the last result of each benchmark; every file has to be readable."""
    found = sorted((read(path) for path in folder.glob("*.json")), key=lambda one: one.date)
    return {one.benchmark: one for one in found}


def render(results: list[Result]) -> str:
    """Return one table of the summaries, where they come from, and the tables that are shown."""
    several = len(results) > 1
    columns = ["measured", "against", "goal", "newest result", "met"]
    rows = [
        [f"`{one.benchmark}`"] * several
        + [row.measured, row.against, row.goal, row.result, MET[row.met]]
        for one in results
        for row in one.summary
    ]
    parts = [markdown(["benchmark"] * several + columns, rows), sources(results)]
    for table in (table for one in results for table in one.tables if table.shown):
        parts += [f"{table.title}:", markdown(table.columns, table.rows)]
    return "\n\n".join(parts)


def markdown(columns: list[str], rows: list[list[str]]) -> str:
    """Return a table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def sources(results: list[Result]) -> str:
    """Say when, where and with which seed it was measured; equal places are said once."""
    groups: dict[str, list[str]] = {}
    for one in results:
        seed = "" if one.seed is None else f", seed {one.seed}"
        place = f"{one.date.day} {one.date:%B %Y}{seed}. Machine: {one.machine}."
        file = f"{one.date}-{one.benchmark}.json"
        groups.setdefault(place, []).append(f"[{file}](results/{file})")
    return "\n".join(f"{place} {', '.join(files)}" for place, files in groups.items())


def rendered(text: str, results: dict[str, Result]) -> str:
    """Return the README with the tables of these results; all of them have to have a place."""
    named = [name for _, names, _ in BLOCK.findall(text) for name in names.split()]
    if sorted(named) != sorted(results):
        odd = ", ".join(sorted(set(named) ^ set(results))) or "one of them twice"
        msg = f"README and results do not name the same benchmarks: {odd}"
        raise ResultError(msg)
    return BLOCK.sub(
        lambda found: (
            f"{found[1]}\n{render([results[name] for name in found[2].split()])}\n\n{found[3]}"
        ),
        text,
    )


def main(argv: list[str] | None = None, folder: Path = FOLDER, readme: Path = README) -> int:
    """Write the README's tables, or only check them."""
    parser = argparse.ArgumentParser("python -m benchmarks.results", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(argv)
    text = readme.read_text("utf-8")
    try:
        made = rendered(text, newest(folder))
    except ResultError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if options.check and made != text:
        sys.stderr.write("README.md is not of the newest results: python -m benchmarks.results\n")
        return 1
    if made != text:
        readme.write_text(made, encoding="utf-8")
    return 0
