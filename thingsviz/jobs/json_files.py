"""How a job's files are read while being written: JSON as a whole, JSON lines from an offset."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from thingsviz.core import files as core_files
from thingsviz.core import log
from thingsviz.core.errors import JobError
from thingsviz.core.files import KEY, is_sound, sealed


def write_json(path: Path, data: Any) -> None:  # noqa: ANN401
    """Replace a JSON file as a whole; NaN and infinity become null, which any reader reads."""
    core_files.write_json(path, finite(data))


def write_sealed(path: Path, data: dict[str, Any]) -> None:
    """Write a JSON object with a checksum, which `read_json` compares and takes away."""
    core_files.write_json(path, sealed(finite(data)))


def finite(data: Any) -> Any:  # noqa: ANN401
    """Return plain JSON values: NumPy numbers as numbers, NaN and infinity as None."""
    if isinstance(data, dict):
        return {str(key): finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    if hasattr(data, "item"):
        data = data.item()
    return None if isinstance(data, float) and not math.isfinite(data) else data


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file, None without a file; a damaged one is an error.

    Whoever changes a sealed file by hand takes the line with its checksum out.
    """
    try:
        data = core_files.read_json(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        msg = f"{path} should hold a JSON object but cannot be read ({error}): mend or delete it"
        raise JobError(msg) from None
    if not isinstance(data, dict):
        kind = type(data).__name__
        msg = f"{path} should hold a JSON object, but holds a {kind}: mend or delete it"
        raise JobError(msg)
    if not is_sound(data):
        msg = (
            f"{path} is not as it was written (its checksum does not fit): restore it, or delete "
            f"its line {KEY!r} if you changed it yourself"
        )
        raise JobError(msg)
    data.pop(KEY, None)
    return data


def append_line(path: Path, row: dict[str, Any]) -> None:
    """Add one JSON object as a line; a reader sees all of it, or at worst a torn last line."""
    line = json.dumps(sealed(finite(row)), ensure_ascii=False, allow_nan=False) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        data = line.encode()
        while data:
            data = data[os.write(handle, data) :]
    finally:
        os.close(handle)


def read_lines(path: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Read the whole lines after byte `offset`: the objects, and where to read on.

    A torn last line is left for the next call. When the file was cut (a resumed job drops what
    came after its checkpoint) and `offset` no longer ends a line, reading starts from the top.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = offset if _ends_line(file, offset, size) else 0
            file.seek(start)
            text = file.read()
    except FileNotFoundError:
        return [], 0
    whole = text[: text.rfind(b"\n") + 1]
    return [row for row in map(_parsed, whole.splitlines()) if row is not None], start + len(whole)


def read_tail(path: Path, n: int) -> str:
    """Return the last `n` lines of a log for the eye; empty without a file."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 400 * n))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(map(log.readable, lines[-n:]))


def _ends_line(file: Any, offset: int, size: int) -> bool:  # noqa: ANN401
    if offset <= 0 or offset > size:
        return False
    file.seek(offset - 1)
    return bool(file.read(1) == b"\n")


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        row = core_files.loads_json(line)
    except ValueError:
        return None
    if not isinstance(row, dict) or not is_sound(row):
        return None
    row.pop(KEY, None)
    return row


def disk_sentence(error: OSError, folder: Path) -> str | None:
    """Say in one sentence that a disk is full or not writable; None for another error."""
    if error.errno in core_files.FULL:
        return f"no space is left to write in {folder}: free some, then start it again"
    if error.errno in core_files.READ_ONLY:
        place = error.filename or folder
        return f"{place} may not be written: set THINGSVIZ_JOBS to a folder of yours"
    return None
