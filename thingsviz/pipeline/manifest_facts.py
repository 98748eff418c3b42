"""The facts that a training's manifest begins with."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

import thingsviz
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.manifest import _version, _versions, git_commit, now
from thingsviz.jobs.run_folder import MANIFEST
from thingsviz.pipeline.tasks.base import Task


def begin_manifest(job: JobFolder, task: Task, threads: int, processes: int = 1) -> None:
    """Write at each start what is known then; the first start's data and threads stay.

    With another number of processes (`processes` lists each start's) the threads are new too.
    """
    known = job.manifest()
    before = known.get("processes", [1] * len(known.get("starts", [])))
    if before and before[-1] == processes:
        threads = known.get("threads", threads)
    scaler = task.scaler
    facts = {
        "versions": {"python": platform.python_version(), **_versions()},
        "thingsviz": getattr(thingsviz, "__version__", _version("thingsviz")),
        "git_commit": git_commit(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "machine": platform.machine(),
        "threads": threads,
        "processes": [*before, processes],
        "seed": task.config.seed,
        "dataset": task.dataset.name,
        "simulated": task.dataset.simulated,
        "dataset_fingerprint": task.store.fingerprint,
        "split": _split_facts(task),
        "scaler": scaler.as_json() if scaler else {"kind": "none"},
        **task.manifest_facts(job),
        "starts": [*known.get("starts", []), now()],
    }
    MANIFEST.write(job.file("manifest.json"), {**known, **facts})


def _split_facts(task: Task) -> dict[str, Any]:
    split = task.split
    return {
        "kind": split.kind,
        "seed": split.seed,
        "hash": task.split_hash,
        "n_train": len(split.train),
        **{f"n_{name}": len(rows) for name, rows in task.parts.items()},
    }
