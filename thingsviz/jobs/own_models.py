"""Loads the files and modules that register decoders of a user's own, as a setting names them."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from functools import cache
from pathlib import Path

from thingsviz.core.settings import ModelSettings


def load_own_models() -> str:
    """Load what THINGSVIZ_OWN_MODELS names, once a process; return what is wrong with it, or ''.

    A fault is no error here: jobs of built-in decoders go on, those of one's own quote it.
    """
    faults = [_load(name.strip()) for name in ModelSettings.read().own_models.split(",")]
    return "; ".join(fault for fault in faults if fault)


@cache
def _load(name: str) -> str:
    if not name:
        return ""
    try:
        if name.endswith(".py"):
            _run(Path(name).expanduser())
        else:
            importlib.import_module(name)
    except Exception as error:
        kind = type(error).__name__
        return f"THINGSVIZ_OWN_MODELS names {name!r}, which cannot be loaded ({kind}: {error})"
    return ""


def _run(path: Path) -> None:
    """Import a file by its path, under a name that no other file has."""
    known = hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:12]
    spec = importlib.util.spec_from_file_location(f"thingsviz_own_{known}", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
