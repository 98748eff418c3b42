"""Kills of trainings, and what a reader finds in a job folder that was left in the middle."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks._faults.work import FIT, VIT, Row, fork, jobs_folder, killed_at_random, new_job


def essence(job: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return all that decides whether two trainings are the same: rows, weights, predictions."""
    from safetensors.numpy import load_file

    from thingsviz.jobs.weights import best_file

    rows, _ = job.metrics()
    return {
        "rows": [{k: v for k, v in row.items() if k != "time"} for row in rows],
        "weights": {k: v.tobytes() for k, v in load_file(best_file(job)).items()},
        "predictions": job.predictions().to_json(),
    }


def training(row: Row, kills: int, root: Path, moments: random.Random) -> None:
    """Kill trainings until there were enough; each ends as the undisturbed one did."""
    from thingsviz.commands import train

    jobs_folder(root, "training")
    whole = new_job("whole", model=VIT, fit=FIT)
    began = time.monotonic()
    os.waitpid(fork(lambda: train.main([str(whole.path)])), 0)
    length = time.monotonic() - began
    expected = essence(whole)
    while row.kills < kills:
        job = new_job("killed", model=VIT, fit=FIT)
        for _ in range(50):
            # most kills fall into the batches, some into predicting and scoring
            moment = moments.uniform(0, length * moments.choice((0.5, 1.0)))
            if row.kills >= kills or not killed_at_random(train_it(job), moment):
                break
            row.kills += 1
            row.unreadable += unreadable(job)
            row.unseen += job.is_alive()
        os.waitpid(fork(train_it(job)), 0)
        if job.status().state != "done":
            row.lost += 1
            continue
        found = essence(job)
        steps = [(line["kind"], line["step"]) for line in found["rows"]]
        row.doubled += len(steps) - len(set(steps))
        row.doubled += len(job.manifest().get("test_set_touched", [])) > row.kills + 1
        row.lost += len({(line["kind"], line["step"]) for line in expected["rows"]} - set(steps))
        row.different += found != expected
        shutil.rmtree(job.path)


def train_it(job: Any) -> Callable[[], object]:  # noqa: ANN401
    """Return the training of a job as something to fork."""
    from thingsviz.commands import train

    return lambda: train.main([str(job.path)])


def unreadable(job: Any) -> int:  # noqa: ANN401
    """Count the files of a killed job that a reader would stumble over."""
    from models.training.checkpoint import load_tensors
    from thingsviz.core import json_files

    bad = 0
    for path in job.checkpoints.glob("*.safetensors"):
        if path.name == "scaler.safetensors":
            continue
        try:
            load_tensors(path)
        except Exception:
            bad += 1
    for name in ("status.json", "manifest.json", "config.json", "split.json", "scores.json"):
        try:
            json_files.read_json(job.file(name))
        except Exception:
            bad += 1
    lines = job.file("metrics.jsonl")
    if lines.is_file():
        whole = lines.read_bytes().split(b"\n")[:-1]
        bad += sum(not is_json(line) for line in whole)
    return bad


def is_json(line: bytes) -> bool:
    """Whether a line is JSON."""
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
