"""The folds of a cross-validated job: their folders inside the job's, and their scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from thingsviz.core import json_files
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import JobConfig, dump_config

FOLDER = "folds"
KEYS = ("model", "part", "n_averaged", "target", "metric")


class FoldScores(NamedTuple):
    """Every fold's scores: `values` holds, by a row's keys, a score a fold; None where unknown."""

    kind: str
    names: tuple[str, ...]
    n_train: tuple[int, ...]
    n_test: tuple[int, ...]
    values: dict[tuple[str, ...], list[float | None]]

    def of(
        self,
        model: str,
        metric: str,
        target: str = "mean",
        part: str = "test",
        n_averaged: str = "single",
    ) -> list[float | None]:
        """Return the scores of a model, a fold each; [] where unknown."""
        return self.values.get((model, part, n_averaged, target, metric), [])


def fold_folder(job: JobFolder, number: int) -> JobFolder:
    """Return the folder of a fold, from 1: an ordinary job's, with a decoder of its own."""
    return JobFolder(job.path / FOLDER / f"fold-{number:02d}")


def make_fold_folder(job: JobFolder, config: JobConfig, number: int) -> JobFolder:
    """Return a fold's folder, made with the recipe of that fold alone where it is not there."""
    fold = fold_folder(job, number)
    if not fold.file("config.json").is_file():
        fold.path.mkdir(parents=True, exist_ok=True)
        recipe = dump_config(config)
        recipe["split"]["fold"] = number
        json_files.write_sealed(fold.file("config.json"), recipe)
    return fold


def newest_fold(job: JobFolder) -> JobFolder | None:
    """Return the last fold that has begun to learn; None where none has."""
    begun = sorted((job.path / FOLDER).glob("fold-*/metrics.jsonl"), key=_number)
    return JobFolder(begun[-1].parent) if begun else None


def _number(path: Path) -> int:
    digits = path.parent.name.removeprefix("fold-")
    return int(digits) if digits.isdecimal() else -1


def fold_scores(job: JobFolder) -> FoldScores | None:
    """Return every fold's scores of a finished cross-validation; None of any other job."""
    folds: dict[str, Any] | None = (job.score_record() or {}).get("folds")
    if not isinstance(folds, dict):
        return None
    values = {tuple(str(row[key]) for key in KEYS): row["values"] for row in folds["by_fold"]}
    n_train, n_test = (tuple(int(n) for n in folds[name]) for name in ("n_train", "n_test"))
    return FoldScores(str(folds["kind"]), tuple(folds["names"]), n_train, n_test, values)
