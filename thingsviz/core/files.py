"""Files that appear whole or not at all, their checksums, and JSON that may be damaged."""

from __future__ import annotations

import errno
import json
import os
import secrets
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from thingsviz.core.errors import DataError


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a new file that takes the place of `path`; on failure nothing is left."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


def write_json(path: Path, value: object) -> None:
    """Write a value as indented JSON, whole or not at all."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
ELSEWHERE = "choose a folder with --derivatives DIR or THINGSVIZ_DERIVATIVES"


@contextmanager
def said_plainly(folder: Path) -> Iterator[None]:
    """Turn 'disk full' and 'may not write here' into one sentence on `folder`."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            msg = f"the disk of {str(folder)!r} is full: free space there, or {ELSEWHERE}"
            raise DataError(msg) from error
        if error.errno in READ_ONLY:
            raise DataError(read_only(folder)) from error
        raise


def read_only(folder: Path) -> str:
    """Say that `folder` cannot be written, and what to do."""
    return f"{str(folder)!r} may not be written: {ELSEWHERE} to put the prepared data elsewhere"


def is_writable(folder: Path) -> bool:
    """Whether the nearest existing parent takes new files; its mode counts for root too."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK) and bool(folder.stat().st_mode & 0o222)


KEY = "crc32"


def crc_of(data: object) -> str:
    """Return the CRC-32 of a JSON value, whatever its layout and order of keys."""
    return crc(json.dumps(data, sort_keys=True, separators=(",", ":")).encode())


def crc(data: bytes) -> str:
    """Return the CRC-32 of bytes, as 8 hexadecimal digits."""
    return f"{zlib.crc32(data):08x}"


def crc_of_file(path: Path) -> str:
    """Return the CRC-32 of a small file."""
    return crc(path.read_bytes())


def sealed(data: dict[str, Any]) -> dict[str, Any]:
    """Add the checksum of all the rest."""
    rest = {key: value for key, value in data.items() if key != KEY}
    return {**rest, KEY: crc_of(rest)}


def is_sound(data: dict[str, Any]) -> bool:
    """Whether an object is as `sealed` left it; one without a checksum, written by hand, is."""
    try:
        return KEY not in data or sealed(data)[KEY] == data[KEY]
    except RecursionError:
        return False


# A store's manifest and the scores of 66 properties are below 1 MB.
MOST_BYTES = 64 * 2**20


def loads_json(text: str | bytes) -> Any:  # noqa: ANN401
    """Return what JSON says; ValueError for what is none, or nested too deeply for Python."""
    try:
        return json.loads(text)
    except RecursionError:
        msg = "it is nested too deeply"
        raise ValueError(msg) from None


def read_json(path: Path) -> Any:  # noqa: ANN401
    """Return what a JSON file says; OSError, or ValueError for one that is none or too large."""
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        msg = f"it has more than {MOST_BYTES:,} bytes"
        raise ValueError(msg)
    return loads_json(data.decode("utf-8"))
