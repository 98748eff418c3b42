"""The facts that a training's manifest begins with."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

import thingsviz
from thingsviz.core.files import crc_of_file
from thingsviz.jobs import schema
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.manifest import _version, _versions, git_commit, now
from thingsviz.pipeline.training_data import TrainingData


def begin_manifest(
    job: JobFolder, material: TrainingData, threads: int, processes: int = 1
) -> None:
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


def _answers(job: JobFolder, material: TrainingData) -> dict[str, Any]:
    """Return what models learn: ratings on which scale, or how many classes."""
    if material.labels is not None:
        labels = crc_of_file(job.file("labels.tsv"))
        facts = {"learns": material.config.learns, "n_classes": len(material.outputs)}
        return {**facts, "labels_crc32": labels}
    return {"rating_scale": {"kind": material.config.rating_scale, **material.scale.as_json()}}


def _split_facts(material: TrainingData) -> dict[str, Any]:
    split = material.split
    return {
        "kind": split.kind,
        "seed": split.seed,
        "hash": material.split_hash,
        "n_train": len(split.train),
        **{f"n_{name}": len(rows) for name, rows in material.parts.items()},
    }
