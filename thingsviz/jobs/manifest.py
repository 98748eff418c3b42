"""What made a result: versions, commit, seed, threads, data, and when the test set was touched."""

from __future__ import annotations

import io
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

import thingsviz
from thingsviz.core.files import crc, write_atomically
from thingsviz.core.json_files import VERSION
from thingsviz.jobs.job_folder import PREDICTIONS, JobFolder
from thingsviz.jobs.run_folder import MANIFEST

PACKAGES = ("numpy", "scipy", "pandas", "torch", "lightning-fabric", "safetensors", "pydantic")


def add_to_manifest(job: JobFolder, **facts: Any) -> None:  # noqa: ANN401
    """Add facts that became known later."""
    MANIFEST.write(job.file("manifest.json"), {**job.manifest(), **facts})


def keep_predictions(job: JobFolder, table: pd.DataFrame) -> None:
    """Write predictions.parquet, its checksum first: `JobFolder.predictions` compares it."""
    buffer = io.BytesIO()
    stamped = table.copy(deep=False)
    stamped.attrs[VERSION] = PREDICTIONS.newest
    stamped.to_parquet(buffer, index=False)
    add_to_manifest(job, predictions_crc32=crc(buffer.getvalue()))
    write_atomically(job.file("predictions.parquet"), lambda file: file.write(buffer.getbuffer()))


def now() -> str:
    """Return the time as ISO 8601 with the offset from UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def _versions() -> dict[str, str]:
    return {name: _version(name) for name in PACKAGES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def git_commit() -> str | None:
    """Return the commit of the code, with -dirty for uncommitted changes; None outside git."""
    folder = Path(thingsviz.__file__).parents[1]
    if not (folder / ".git").exists():
        return None
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None
