"""What made a result: versions, commit, seed, threads, data, and when the test set was touched."""

from __future__ import annotations

import io
import platform
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

import thingsviz
from thingsviz.core.files import write_atomically
from thingsviz.core.sums import crc, crc_of_file
from thingsviz.jobs import schema
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.pipeline.training_data import Material

PACKAGES = ("numpy", "scipy", "pandas", "torch", "lightning-fabric", "safetensors", "pydantic")


def begin_manifest(job: JobFolder, material: Material, threads: int, processes: int = 1) -> None:
    """Write at each start what is known then; the first start's data and threads stay.

    With another number of processes (`processes` lists each start's) the threads are new too.
    """
    known = job.manifest()
    before = known.get("processes", [1] * len(known.get("starts", [])))
    if before and before[-1] == processes:
        threads = known.get("threads", threads)
    scaler = material.scaler
    facts = {
        "versions": {"python": platform.python_version(), **_versions()},
        "thingsviz": getattr(thingsviz, "__version__", _version("thingsviz")),
        "git_commit": git_commit(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "machine": platform.machine(),
        "threads": threads,
        "processes": [*before, processes],
        "seed": material.config.seed,
        "dataset": material.dataset.name,
        "simulated": material.dataset.simulated,
        "dataset_fingerprint": material.store.fingerprint,
        "split": _split_facts(material),
        "scaler": scaler.as_json() if scaler else {"kind": "none"},
        **_answers(job, material),
        "starts": [*known.get("starts", []), now()],
    }
    schema.write("manifest", job.file("manifest.json"), {**known, **facts})


def add_to_manifest(job: JobFolder, **facts: Any) -> None:  # noqa: ANN401
    """Add facts that became known later."""
    schema.write("manifest", job.file("manifest.json"), {**job.manifest(), **facts})


def keep_predictions(job: JobFolder, table: pd.DataFrame) -> None:
    """Write predictions.parquet, its checksum first: `JobFolder.predictions` compares it."""
    buffer = io.BytesIO()
    stamped = table.copy(deep=False)
    stamped.attrs[schema.VERSION] = schema.newest("predictions")
    stamped.to_parquet(buffer, index=False)
    add_to_manifest(job, predictions_crc32=crc(buffer.getvalue()))
    write_atomically(job.file("predictions.parquet"), lambda file: file.write(buffer.getbuffer()))


def now() -> str:
    """Return the time as ISO 8601 with the offset from UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def _answers(job: JobFolder, material: Material) -> dict[str, Any]:
    """Return what models learn: ratings on which scale, or how many classes."""
    if material.labels is not None:
        labels = crc_of_file(job.file("labels.tsv"))
        facts = {"learns": material.config.learns, "n_classes": len(material.outputs)}
        return {**facts, "labels_crc32": labels}
    return {"rating_scale": {"kind": material.config.rating_scale, **material.scale.as_json()}}


def _split_facts(material: Material) -> dict[str, Any]:
    split = material.split
    return {
        "kind": split.kind,
        "seed": split.seed,
        "hash": material.split_hash,
        "n_train": len(split.train),
        **{f"n_{name}": len(rows) for name, rows in material.parts.items()},
    }


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
