"""How named folders, of jobs or studies, lie side by side: listed, found by name, made anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from thingsviz.core.errors import ConfigError, JobError
from thingsviz.core.files import disk_sentence
from thingsviz.jobs.recipe import check_name

RECIPE = "config.json"
# a name has at most 80 letters, with the number behind it
MOST_LETTERS = 74
MOST = 9999


class FolderKind(NamedTuple):
    """What the folders are, in the words of errors, and where a visitor finds their list."""

    one: str
    many: str
    page: str


def listed(root: Path) -> list[Path]:
    """Return all folders with a recipe, the newest recipe first; a dot hides a folder."""
    found = [(path.stat().st_mtime, path.parent) for path in root.glob(f"[!.]*/{RECIPE}")]
    return [path for _, path in sorted(found, reverse=True)]


def opened(root: Path, name: str, sort: FolderKind) -> Path:
    """Find a folder by a name that may come from a URL: nothing outside the root is opened."""
    try:
        path = root / check_name(name)
    except ValueError as error:
        raise JobError(str(error)) from None
    if not (path / RECIPE).is_file():
        msg = f"there is no {sort.one} {name!r} in {root}: pick one of the list on {sort.page}"
        raise JobError(msg)
    return path


def made(
    root: Path,
    name: str,
    sort: FolderKind,
    write: Callable[[Path], object],
    taken: Callable[[str], bool] = lambda name: False,
) -> Path:
    """Make a folder and let `write` fill it; a taken name gets -2, -3 and so on.

    Nothing is left of a folder that could not be filled.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        path = _new_folder(root, name, sort, taken)
        try:
            write(path)
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise
    except OSError as error:
        sentence = disk_sentence(error, root)
        msg = sentence or f"no {sort.one} can be made in {root}: {error}"
        raise JobError(msg) from None
    return path


def _new_folder(root: Path, name: str, sort: FolderKind, taken: Callable[[str], bool]) -> Path:
    for number in range(1, MOST + 1):
        path = root / (name if number == 1 else f"{name[:MOST_LETTERS]}-{number}")
        if taken(path.name):
            continue
        with suppress(FileExistsError):
            path.mkdir()
            return path
    msg = f"there are {MOST:,} {sort.many} named {name!r}: choose another name"
    raise ConfigError(msg)
