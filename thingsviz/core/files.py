"""Files that appear whole or not at all, their checksums, and what disks refuse."""

from __future__ import annotations

import errno
import os
import secrets
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

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


def crc(data: bytes) -> str:
    """Return the CRC-32 of bytes, as 8 hexadecimal digits."""
    return f"{zlib.crc32(data):08x}"


def crc_of_file(path: Path) -> str:
    """Return the CRC-32 of a small file."""
    return crc(path.read_bytes())


def disk_sentence(error: OSError, folder: Path) -> str | None:
    """Say in one sentence that a disk is full or not writable; None for another error."""
    if error.errno in FULL:
        return f"no space is left to write in {folder}: free some, then start it again"
    if error.errno in READ_ONLY:
        place = error.filename or folder
        return f"{place} may not be written: set THINGSVIZ_JOBS to a folder of yours"
    return None
