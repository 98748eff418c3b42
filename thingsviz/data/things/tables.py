"""How a published text table is read: any line ending, UTF-8 or not, every cell as text."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.core.errors import DataError

MISSING = frozenset({"", "n/a", "na", "nan", "null", "none"})


class TextTable(NamedTuple):
    """A table of text cells and what was odd about its file."""

    cells: pd.DataFrame
    warnings: list[str]


def read_text(path: Path) -> tuple[str, list[str]]:
    """Decode a text file: UTF-8 (with or without mark), UTF-16 with mark, else Windows-1252."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        msg = f"{str(path)!r} cannot be read ({error.strerror}): put the published file there"
        raise DataError(msg) from error
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raw = raw.decode("utf-16", errors="replace").encode()
    text, warnings = _decode_bytes(raw, path)
    if "\x00" in text:
        msg = (
            f"{str(path)!r} holds zero bytes, so it is no text table: put the published one there"
        )
        raise DataError(msg)
    return text.replace("\r\n", "\n").replace("\r", "\n"), warnings


def _decode_bytes(raw: bytes, path: Path) -> tuple[str, list[str]]:
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        note = f"{path.name} is not UTF-8: read as Windows-1252, look at its accented letters"
        return raw.decode("cp1252", errors="replace"), [note]


def read_table(path: Path, separator: str = "\t") -> TextTable:
    """Read a table with a header line; each row must have as many cells as the header."""
    text, warnings = read_text(path)
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        rows = [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        msg = f"{str(path)!r} is not a table ({error}): put the published file there"
        raise DataError(msg) from error
    if not rows:
        msg = f"{str(path)!r} is empty: put the published file there"
        raise DataError(msg)
    header = [name.strip() for name in rows[0]]
    _check_shape(path, header, rows)
    return TextTable(pd.DataFrame(rows[1:], columns=header, dtype=object), warnings)


def _check_shape(path: Path, header: list[str], rows: list[list[str]]) -> None:
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        msg = f"{str(path)!r} names the column {twice[0]!r} twice: keep one"
        raise DataError(msg)
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(header):
            counts = f"{len(row)} cells where the header has {len(header)}"
            msg = f"{str(path)!r}: table row {number} has {counts}; was the file cut or mixed up?"
            raise DataError(msg)


def require_columns(path: Path, table: pd.DataFrame, names: list[str]) -> None:
    """Refuse a table that lacks one of the named columns."""
    lacking = [name for name in names if name not in table.columns]
    if lacking:
        there = ", ".join(repr(str(name)) for name in table.columns[:6])
        has = f"it has {there} …"
        msg = (
            f"{str(path)!r} lacks the column {lacking[0]!r} ({has}): put the published file there"
        )
        raise DataError(msg)


def is_missing(cells: pd.Series) -> NDArray[np.bool_]:
    """Tell which cells say 'no value', (n_rows,)."""
    return cells.str.strip().str.lower().isin(MISSING).to_numpy(dtype=bool)


def to_numbers(path: Path, cells: pd.Series) -> NDArray[np.float64]:
    """Turn a column into numbers, (n_rows,), NaN where missing; text among them is refused."""
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float)
    wrong = ~np.isfinite(numbers) & ~is_missing(cells)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        cell = f"{cells.iloc[row]!r} in column {cells.name!r}, table row {row + 2}"
        msg = f"{str(path)!r}: {cell}, is not a number; write a number or leave it empty"
        raise DataError(msg)
    return numbers


def plain_array(column: pd.Series) -> np.ndarray[Any, np.dtype[Any]]:
    """Return a column as an array that loads without pickle: text as fixed width, '' for none."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy()
    return column.fillna("").astype(str).to_numpy(dtype=np.str_)
