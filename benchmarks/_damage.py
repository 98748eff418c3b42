"""Faults of a disk for benchmarks.faults: full at a random moment, or with flipped bits."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def small_disk(path: Path) -> Iterator[bool]:
    """Mount 64 MB of memory as a file system; False where that needs rights that we lack."""
    path.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(path)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(path)], check=False)


def filled_at(disk: Path, row_number: int) -> None:
    """Let the disk be full just before this process writes its n-th row of metrics."""
    from thingsviz.jobs.engine.clerk import Clerk

    report, count = Clerk.report, [0]

    def hooked(clerk: Clerk, row: dict[str, Any]) -> None:
        count[0] += 1
        if count[0] == row_number:
            with (disk / "filler").open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free)
        report(clerk, row)

    Clerk.report = hooked  # type: ignore[method-assign,assignment]


def readers(job: Any, store: Path) -> dict[Path, Callable[[], object]]:  # noqa: ANN401
    """Return how the app reads each file of a finished job and of a store, as plain values."""
    import numpy as np

    from models.checkpoint import load_tensors
    from thingsviz.data.betas import BetaStore
    from thingsviz.data.manifest import read_manifest
    from thingsviz.data.splits import Split
    from thingsviz.jobs.folder.arrays import read_arrays

    def weights() -> object:
        return {k: v.numpy().tobytes() for k, v in load_tensors(best)[0].items()}

    def betas() -> object:
        opened = BetaStore(store, read_manifest(store))
        tables = opened.trials.to_json(), opened.voxels.to_json(), opened.mask.tobytes()
        return opened.read(np.arange(opened.shape[0])).tobytes(), tables

    def split() -> object:
        kept = Split.load(job.file("split.json"))
        parts = {"train": kept.train, "validation": kept.validation, "test": kept.test}
        named = {name: rows.tolist() for name, rows in (parts | kept.extra).items()}
        return kept.kind, kept.seed, named

    best, scaler = job.checkpoints / "best.safetensors", job.checkpoints / "scaler.safetensors"
    found: dict[Path, Callable[[], object]] = {
        job.file("config.json"): job.config,
        job.file("status.json"): job.status,
        job.file("manifest.json"): job.manifest,
        job.file("scores.json"): lambda: job.scores().to_json(),
        job.file("predictions.parquet"): lambda: job.predictions().to_json(),
        job.file("split.json"): split,
        best: weights,
        scaler: lambda: {k: v.tobytes() for k, v in read_arrays(scaler).items()},
    }
    names = ("betas.npy", "betas_crc32.npy", "trials.parquet", "voxels.parquet")
    return found | {store / name: betas for name in (*names, "manifest.json")}


def flip_one(path: Path, read: Callable[[], object], moments: random.Random) -> str:
    """Flip a random bit, read, and mend: "found", "harmless" or "wrong"; anything else raises."""
    from models.errors import ModelError
    from thingsviz.core.errors import ThingsvizError

    whole, expected = path.read_bytes(), read()
    raw = bytearray(whole)
    raw[moments.randrange(len(raw))] ^= 1 << moments.randrange(8)
    path.write_bytes(raw)
    try:
        return "harmless" if read() == expected else "wrong"
    except (ThingsvizError, ModelError):
        return "found"
    finally:
        path.write_bytes(whole)
