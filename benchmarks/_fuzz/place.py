"""Where spoilt inputs lie: a copy of the tiny subject, a finished job and a study, in scratch."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from benchmarks._faults.work import VIT
from benchmarks._fuzz.judge import Target, never

Damage = Callable[[Random, bytes], bytes]


@dataclass(frozen=True)
class Place:
    """A scratch folder: `data` holds the dataset `tiny` (prepared), `jobs` a job that is done."""

    data: Path
    jobs: Path
    job: Any

    @property
    def dataset(self) -> Any:  # noqa: ANN401
        """The dataset."""
        from thingsviz.data.things.layout import Dataset

        return Dataset(self.data / "tiny")

    @property
    def store(self) -> Path:
        """The prepared store of its subject."""
        return Path(self.dataset.store_dir("sub-01"))


def of_file(
    name: str,
    path: Path,
    read: Callable[[], Any],
    spoil: Damage,
    agrees: Callable[[bytes, Any], bool] = never,
) -> Target:
    """Make a target of a file that is spoilt, read through the app, and mended."""
    sound = path.read_bytes()

    def spoilt(mutated: bytes) -> Any:  # noqa: ANN401
        path.write_bytes(mutated)
        try:
            return read()
        finally:
            path.write_bytes(sound)

    return Target(name, lambda rng: spoil(rng, sound), spoilt, read(), agrees, sound)


def beside(folder: Path, name: str, content: bytes) -> Path:
    """Write a file into a new folder of scratch."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return path


def copied(source: Path, target: Path) -> Path:
    """Copy a folder, writable."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return target


FIT = {"epochs": 1, "batches_per_epoch": 3, "batch_size": 16, "precision": "float32"}


def made(root: Path, planted: Path | None = None) -> Place:
    """Plant and prepare the tiny subject, or copy it, and train a small network on it."""
    from thingsviz.analysis.scores import resampling
    from thingsviz.commands import prepare, simulate, train
    from thingsviz.jobs.job_folder import create_job
    from thingsviz.jobs.recipe import parse_config

    data, jobs = root / "data", root / "jobs"
    os.environ |= {"THINGSVIZ_DATA": str(data), "THINGSVIZ_JOBS": str(jobs)}
    for name in ("THINGSVIZ_DERIVATIVES", "THINGSVIZ_ENGINE", "THINGSVIZ_STUDY_STORAGE"):
        os.environ.pop(name, None)
    resampling.N_DRAWS = 100  # draws at which nobody looks here
    if planted is None:
        assert simulate.main([str(data / "tiny"), "--preset", "tiny", "--seed", "7"]) == 0
        assert prepare.main([str(data / "tiny")]) == 0
    else:
        copied(planted, data)
    recipe = {"dataset": "tiny", "name": "sound", "model": VIT, "fit": FIT}
    job = create_job(parse_config(recipe))
    assert train.main([str(job.path)]) == 0
    return Place(data, jobs, job)
