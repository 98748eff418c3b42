"""The planted dataset that a benchmark needs: found by name, or planted under it."""

from __future__ import annotations

import sys
from pathlib import Path

from thingsviz.data.planted.presets import PRESETS
from thingsviz.data.things.layout import datasets_root, is_dataset


def at_hand(name: str) -> Path:
    """Return a dataset's folder below THINGSVIZ_DATA, planted and prepared if nobody did before.

    A name that is not there must be a planting preset's; otherwise SystemExit, in a sentence.
    """
    from thingsviz.commands import prepare, simulate

    folder = datasets_root() / name
    if is_dataset(folder):
        return folder
    if name not in PRESETS:
        presets = ", ".join(PRESETS)
        sys.exit(
            f"no dataset {name!r} in {str(datasets_root())!r}: set THINGSVIZ_DATA to the folder "
            f"that holds it, or name one that can be planted: {presets}"
        )
    print(f"no dataset {name!r} here yet: planting it (SIMULATED) in {folder}", file=sys.stderr)
    made = simulate.main([str(folder), "--preset", name, "--seed", "1"])
    if made or prepare.main([str(folder)]):
        sys.exit(f"the dataset {name!r} could not be made in {folder}")
    return folder


def quickest(wanted: str = "demo", otherwise: str = "tiny") -> str:
    """Return `wanted` when it is there, and what is planted in seconds when it is not."""
    return wanted if is_dataset(datasets_root() / wanted) else otherwise
