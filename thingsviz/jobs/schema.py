"""Which version of our files a folder holds, and how an older one reads today.

Each JSON file says its version under `version`; one that says none is of version 1. An old file
is upgraded in memory each time it is read, by one pure step a version, and never rewritten:
folders may be read-only, in a backup, or shared with a server that is not updated yet, and a
result stays the file that its training wrote. What a newer thingsviz wrote is refused.

A change that only adds what nobody has to know needs no new version. A setting that changes a
result does: the step that adds it says which value all earlier trainings had.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.base.upgrades import fit_2, fit_3, model_2
from thingsviz.core.errors import ConfigError, JobError, NewerError
from thingsviz.jobs import json_files

Data = dict[str, Any]
Step = Callable[[Data], Data]
VERSION = "version"
# people write these by hand: without a version they are of today's
RECIPES = ("recipe", "study")


def recipe_2(old: Data) -> Data:
    """Say what version 1 could not choose: classes, a study's candidates, four ways to train."""
    new = {"learns": "ratings", "role": "training", "study": None, **old}
    if isinstance(old.get("fit", {}), dict):
        new["fit"] = fit_2(old.get("fit", {}))
    if isinstance(old.get("model"), dict):
        new["model"] = model_2(old["model"])
    return new


def recipe_3(old: Data) -> Data:
    """Say what version 2 could not choose: how surely a fitted start must be beaten."""
    if not isinstance(old.get("fit", {}), dict):
        return old
    return old | {"fit": fit_3(old.get("fit", {}))}


# from version 1 to 2, from 2 to 3, and so on
STEPS: dict[str, tuple[Step, ...]] = {
    "recipe": (recipe_2, recipe_3),
    "study": (),
    "status": (),
    "study status": (),
    "manifest": (),
    "about": (),
    "scores": (),
    "predictions": (),
    "result": (),
}


def newest(kind: str) -> int:
    """Return the version that is written today."""
    return 1 + len(STEPS[kind])


def check(kind: str, version: Any, where: str) -> int:  # noqa: ANN401
    """Return the version of a file, or refuse what no version of ours is."""
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        words = f"a whole number from 1 to {newest(kind)}, not {version!r:.40}"
        raise (ConfigError if kind in RECIPES else JobError)(f"{where}.version must be {words}")
    if version > newest(kind):
        msg = (
            f"{where} is a {kind} of version {version}, which a newer thingsviz wrote, and this "
            f"one reads up to version {newest(kind)}: update thingsviz to open it"
        )
        raise NewerError(msg)
    return version


def upgraded(kind: str, data: Data, where: str) -> Data:
    """Return a file's content as today's version says it; the one given stays as it is.

    A recipe keeps its version, which is part of it; from others it is taken away.
    """
    usual = newest(kind) if kind in RECIPES else 1
    version = check(kind, data.get(VERSION, usual), where)
    for step in STEPS[kind][version - 1 :]:
        data = step(data)
    rest = {key: value for key, value in data.items() if key != VERSION}
    return {VERSION: newest(kind), **rest} if kind in RECIPES else rest


def read(kind: str, path: Path) -> Data | None:
    """Read a JSON file of any version up to today's; None without a file."""
    data = json_files.read_json(path)
    return None if data is None else upgraded(kind, data, str(path))


def write(kind: str, path: Path, data: Data) -> None:
    """Write a JSON file of today's version, with its checksum."""
    rest = {key: value for key, value in data.items() if key != VERSION}
    json_files.write_sealed(path, {VERSION: newest(kind), **rest})
