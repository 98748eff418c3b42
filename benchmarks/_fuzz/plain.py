"""A table of text, read as plainly as can be: what the app's own reading is compared with."""

from __future__ import annotations

import csv
import io

import numpy as np

from benchmarks._fuzz.damage import spoil_table
from benchmarks._fuzz.place import Damage

Rows = list[dict[str, str]]


def plain(raw: bytes, separator: str) -> Rows | None:
    """Read a table as plainly as can be; None where its rows are not all as long as the header."""
    text = decoded(raw).replace("\r\n", "\n").replace("\r", "\n")
    rows = [
        r for r in csv.reader(io.StringIO(text), delimiter=separator) if any(map(str.strip, r))
    ]
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        return None
    names = [name.strip() for name in rows[0]]
    return [dict(zip(names, (c.strip() for c in row), strict=True)) for row in rows[1:]]


def decoded(raw: bytes) -> str:
    """Return the text of a file: UTF-8, UTF-16 with mark, else Windows-1252."""
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def spoil(separator: str) -> Damage:
    """Return what spoils a table with such a separator."""
    return lambda rng, whole: spoil_table(rng, whole.decode("utf-8-sig"), separator)


def number(cell: str) -> float:
    """Return the number in a cell, NaN for an empty one, as a spreadsheet would."""
    return (
        float("nan") if cell.lower() in {"", "n/a", "na", "nan", "null", "none"} else float(cell)
    )


def same_number(a: float, b: float) -> bool:
    """Whether two numbers are the same, or both none."""
    return a == b or (np.isnan(a) and np.isnan(b)) or abs(a - b) <= 1e-12 * abs(a)
