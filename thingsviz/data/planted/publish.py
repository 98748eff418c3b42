"""How a planted dataset appears as a whole or not at all, and what it may take the place of."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thingsviz.core import locks
from thingsviz.core.errors import DataError


def is_planted(folder: Path) -> bool:
    """Whether `folder` holds a complete planted dataset; half of one never has this name."""
    try:
        about = json.loads((folder / "dataset_description.json").read_bytes())
    except (OSError, ValueError):
        return False
    simulated = isinstance(about, dict) and about.get("Simulated") is True
    return simulated and (folder / "derivatives" / "planted").is_dir()


def check_place(out: Path) -> None:
    """Refuse a place that holds anything but an older planted dataset."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        msg = f"{str(out)!r} is not a folder: give a new folder"
        raise DataError(msg)
    if out.is_dir() and any(out.iterdir()) and not is_planted(out):
        msg = f"{str(out)!r} holds other files than a planted dataset: give a new folder"
        raise DataError(msg)


@contextmanager
def publishing(out: Path) -> Iterator[Path]:
    """Give a hidden sibling of `out` to write into, that becomes `out` or is removed.

    The sibling is locked while it is written, so that a second planter is told; what a killed one
    left behind is taken over.
    """
    check_place(out)
    out = out.absolute()
    part = out.with_name(f".{out.name}.planting")
    try:
        part.mkdir(parents=True, exist_ok=True)
        handle = os.open(part, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise DataError(_sentence(error, out)) from None
    try:
        if not locks.take(handle):
            msg = f"{str(out)!r} is being planted by another process: wait for it to end"
            raise DataError(msg)
        try:
            _empty(part)
            yield part
            _replace(part, out)
        except OSError as error:
            raise DataError(_sentence(error, out)) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
    finally:
        os.close(handle)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _replace(part: Path, out: Path) -> None:
    """Rename `part` to `out`; an older dataset there steps aside first and is removed last."""
    check_place(out)
    aside = out.with_name(f".{out.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    if out.exists():
        out.rename(aside)
    part.rename(out)
    shutil.rmtree(aside, ignore_errors=True)


def _sentence(error: OSError, out: Path) -> str:
    """Say what a disk refused."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return f"no space is left to plant {str(out)!r}: free some or choose another disk"
    return f"{str(out)!r} cannot be written ({error.strerror or error}): give a folder of yours"
