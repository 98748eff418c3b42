"""Kills of the preparing of a subject: what comes of it has the bytes of an undisturbed one."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks._faults.work import Row, fork, killed_at_random, quiet


def prepare(row: Row, kills: int, root: Path, moments: random.Random) -> None:
    """Kill the preparing of a subject; what comes of it has the bytes of an undisturbed one."""
    from thingsviz.commands import prepare as command

    source, out = root / "data" / "tiny", root / "derived"
    expected = _bytes_of(source / "derivatives" / "thingsviz")
    began = time.monotonic()
    os.waitpid(fork(_prepare(source, root / "timed")), 0)
    length = time.monotonic() - began
    while row.kills < kills:
        shutil.rmtree(out, ignore_errors=True)
        for _ in range(5):
            moment = moments.uniform(0, 1.1 * length)
            if row.kills >= kills or not killed_at_random(_prepare(source, out), moment):
                break
            row.kills += 1
        with quiet():
            code = command.main([str(source), "--derivatives", str(out), "--verify"])
        row.lost += code != 0
        row.different += code == 0 and _bytes_of(out) != expected


def _prepare(source: Path, out: Path) -> Callable[[], object]:
    from thingsviz.commands import prepare as command

    return lambda: command.main([str(source), "--derivatives", str(out)])


def _bytes_of(folder: Path) -> dict[str, str]:
    """Return a checksum of each file of a store; the trials table as its values."""
    found = {}
    for name in ("betas.npy", "brain_mask.nii.gz", "trials.parquet"):
        (path,) = folder.rglob(name)
        data = path.read_bytes() if name != "betas.npy" else np.load(path).tobytes()
        found[name] = hashlib.sha256(data).hexdigest()
    return found
