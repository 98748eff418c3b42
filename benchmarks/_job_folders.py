"""Thousands of job folders as trainings leave them, made in seconds: nothing is trained."""

from __future__ import annotations

import json
import os
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from thingsviz.core.json_files import sealed
from thingsviz.jobs.recipe import dump_config, parse_config

STATES = ("done", "done", "failed", "stopped")
OWNERS = ("ana", "ben", "cleo", "dan")
MODELS = ("vit3d", "ridge", "concept_decoder")
TAGS = ((), (), ("paper",), ("figure 2", "kept"))
TARGETS = ("mean", *(f"property_{j}" for j in range(12)))
METRICS = ("r", "mse", "mae", "mse_unit", "mae_unit")
PARTS = (("test", "single"), ("test", "mean of 12"), ("exemplars", "single"))
OLD = 1.7e9


def plant_jobs(root: Path, n: int) -> None:
    """Make `n` jobs of four people, half of them done; scores are shared by hard links.

    Written without fsync and without a temporary name: as sealed as real ones, but at once.
    """
    shared = root / ".shared"
    shared.mkdir(parents=True)
    for model in MODELS:
        _write(shared / f"{model}.json", _scores(model))
    recipes = {
        m: dump_config(parse_config({"dataset": "demo", "model": {"name": m}})) for m in MODELS
    }
    for i in range(n):
        model, folder = MODELS[i % len(MODELS)], root / f"job-{i:05d}"
        folder.mkdir()
        _write(folder / "config.json", {**recipes[model], "name": folder.name})
        _write(folder / "status.json", _status(i))
        _write(folder / "about.json", _about(i))
        (folder / "lock").touch()
        if STATES[i % 4] == "done":
            os.link(shared / f"{model}.json", folder / "scores.json")
        os.utime(folder, (OLD + i, OLD + i))


def copy_job(job: Path, root: Path, n: int) -> None:
    """Put a finished job there `n` times, by hard links; recipe, lock and name are its own."""
    recipe = json.loads((job / "config.json").read_text())
    recipe.pop("crc32", None)
    files = [p for p in job.rglob("*") if p.is_file() and p.name not in {"config.json", "lock"}]
    root.mkdir()
    for i in range(n):
        folder = root / f"job-{i:05d}"
        for path in files:
            there = folder / path.relative_to(job)
            there.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, there)
        (folder / "lock").touch()
        _write(folder / "config.json", {**recipe, "name": folder.name})
        os.utime(folder, (OLD + i, OLD + i))


def _status(i: int) -> dict[str, Any]:
    began = OLD + i
    known = {"state": STATES[i % 4], "epoch": 5, "n_epochs": 5, "step": 20, "n_steps": 20}
    return {**known, "message": "as planted", "started_at": began - 60, "updated_at": began}


def _about(i: int) -> dict[str, Any]:
    title, note = f"Training {i}", "compares depths" if i % 10 == 0 else ""
    return {"owner": OWNERS[i // 2 % 4], "title": title, "tags": TAGS[i // 5 % 4], "note": note}


def _scores(model: str) -> dict[str, Any]:
    """Return scores of the size that a training of 12 properties writes: about 1,000 rows."""
    rng = np.random.default_rng(0)
    names = (
        model,
        "chance",
        "mean",
        "oracle",
        "ceiling",
        *(() if model == "ridge" else ("ridge",)),
    )
    rows = []
    for name, (part, times), metric, target in product(names, PARTS, METRICS, TARGETS):
        key = {"model": name, "part": part, "n_averaged": times, "target": target}
        r = float(rng.uniform(0.2, 0.6))
        numbers = {
            "value": r,
            "low": r - 0.1,
            "high": r + 0.1,
            "p": 0.01 if name == model else None,
        }
        rows.append({**key, "metric": metric, **numbers, "n_trials": 240, "n_concepts": 20})
    words = [
        "The data are SIMULATED: the scores say how well a planted signal is found, not more."
    ]
    return {"rows": rows, "differences": [], "could_not_show": words}


def _write(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(sealed(json.loads(json.dumps(data))), indent=1))
