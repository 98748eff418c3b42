"""The rows that every training is shown beside, such as ridge and ceiling, computed once.

They depend on the data, the split and what is learned alone, so they are kept under
JOBS/.references/ and shared by all jobs with the same; one process computes, the others wait.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from models.base.arrays import TrialMatrix
from models.base.errors import ModelError
from models.catalog.config import ModelConfig
from thingsviz.core import json_files
from thingsviz.core.errors import ConfigError
from thingsviz.core.locks import is_locked, wait_for_lock
from thingsviz.pipeline import reference_cache
from thingsviz.pipeline.reference_cache import cache_folder
from thingsviz.pipeline.tasks.base import RIDGE, Predicted, Row, Scored, Task

LOOK_EVERY_S = 0.2
CURVES = "curves.json"


def reference_scores(
    task: Task,
    X: TrialMatrix,
    announce: Callable[[str], None],
    check: Callable[[], None] = lambda: None,
) -> Scored:
    """Return the references' rows and curves, from the cache or computed now.

    `X`: the responses, through whatever the caller wraps around them to stop between blocks;
    `check` is called while another job computes the same rows, and may raise to stop waiting.
    """
    folder = cache_folder(task)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(folder.with_suffix(".lock"), announce, check):
        kept = _kept(folder)
        if kept is None:
            kept = _compute(task, X, folder, announce)
    return kept


def differences(task: Task, predicted: Predicted) -> list[Row]:
    """Compare a job's predictions with those of each other reference, part by part."""
    rows: list[Row] = []
    folder = cache_folder(task)
    for name, config in task.references.items():
        if config.name != task.config.model.name and (folder / f"{name}.parquet").is_file():
            rows += task.compare(predicted, reference_cache.predictions(task, name), name)
    return rows


@contextmanager
def _one_at_a_time(
    path: Path, announce: Callable[[str], None], check: Callable[[], None]
) -> Iterator[None]:
    if is_locked(path):
        announce("waiting for the reference rows that another job computes")
    with wait_for_lock(path, check, LOOK_EVERY_S):
        yield


def _kept(folder: Path) -> Scored | None:
    """Return what is kept; None, to compute it anew, where there is none or any is damaged."""
    data = reference_cache.kept(folder)
    if data is None:
        return None
    curves = json_files.read_json(folder / CURVES) or {"curves": []}
    return Scored(list(data["rows"]), list(curves["curves"]))


def _compute(task: Task, X: TrialMatrix, folder: Path, announce: Callable[[str], None]) -> Scored:
    started = time.time()
    part_folder = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        scored = _all_scores(task, X, part_folder, announce)
        if scored.curves:
            json_files.write_sealed(part_folder / CURVES, {"curves": scored.curves})
        record = {"rows": scored.rows, "computed_at": started, "seconds": time.time() - started}
        reference_cache.keep(part_folder, record)
        shutil.rmtree(folder, ignore_errors=True)  # a damaged one
        part_folder.replace(folder)
    except BaseException:
        shutil.rmtree(part_folder, ignore_errors=True)
        raise
    return scored


def _all_scores(
    task: Task, X: TrialMatrix, folder: Path, announce: Callable[[str], None]
) -> Scored:
    """Fit, predict and score each reference; its predictions go to `folder`."""
    scored = Scored([], [])
    for name, config in task.references.items():
        announce(f"computing the reference row of {name}")
        try:
            predicted = fit_and_predict(task, X, config)
        except (ModelError, ConfigError) as error:
            if not task.references_may_fail:
                raise
            announce(f"no reference row of {name}: {error}")
            continue
        kept = predicted.table[list(task.reference_columns or predicted.table.columns)]
        kept.to_parquet(folder / f"{name}.parquet", index=False)
        found = [task.score(name, predicted, own=False)]
        if name == RIDGE:
            found.append(task.bounds(predicted))
        for rows, curves in found:
            scored.rows.extend(rows)
            scored.curves.extend(curves)
    return scored


def fit_and_predict(task: Task, X: TrialMatrix, config: ModelConfig) -> Predicted:
    """Fit a linear model on the training trials and predict all parts."""
    model = task.fit_linear(config, X)
    return task.predict(lambda rows: task.unscaled(model.predict(X, rows)), config)
