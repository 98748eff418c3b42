"""The rows that every training is shown beside: mean, ridge, oracle and ceiling, computed once.

They depend on the data, the split, the targets and their scale alone, so they are kept under
JOBS/.references/ and shared by all jobs with the same four; one process computes, the others wait.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models.base.arrays import TrialMatrix
from models.linear.config import MeanConfig, RidgeConfig
from thingsviz.analysis.scores.concept_sums import part
from thingsviz.analysis.scores.differences import difference_rows
from thingsviz.analysis.scores.score_table import ScorePlace, ceiling_rows, model_rows
from thingsviz.jobs.job_folder import jobs_root
from thingsviz.pipeline import reference_cache
from thingsviz.pipeline.classes.references import class_reference_rows
from thingsviz.pipeline.ratings.predictions import KEYS, ScoredPart, predict_parts, scored_parts
from thingsviz.pipeline.training_data import TrainingData

VERSION = 1
N_DRAWS = 1000
LOOK_EVERY_S = 0.2
Row = dict[str, Any]


def reference_rows(
    material: TrainingData,
    X: TrialMatrix,
    announce: Callable[[str], None],
    check: Callable[[], None] = lambda: None,
) -> list[Row]:
    """Return the reference rows of a split, from the cache or computed now.

    `X`: the responses, through whatever the caller wraps around them to stop between blocks;
    `check` is called while another job computes the same rows, and may raise to stop waiting.
    """
    folder = cache_folder(material)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(folder.with_suffix(".lock"), announce, check):
        kept = _kept(folder)
        if kept is None:
            kept = _compute(material, X, folder, announce)
    return kept


def reference_predictions(material: TrainingData, name: str) -> pd.DataFrame:
    """Return what `mean` or `ridge` predicted, as kept beside their rows."""
    return reference_cache.table(cache_folder(material), f"{name}.parquet")


def differences(material: TrainingData, predictions: pd.DataFrame) -> list[Row]:
    """Compare a job's predictions with those of mean and ridge, part by part."""
    targets = material.config.targets
    rows: list[Row] = []
    for name in ("mean", "ridge"):
        if name != material.config.model.name:
            theirs = scored_parts(reference_predictions(material, name), targets)
            for ours, other in zip(scored_parts(predictions, targets), theirs, strict=True):
                rows += difference_rows(ours.where, ours.data, other.data, name, N_DRAWS)
    return rows


def cache_folder(material: TrainingData) -> Path:
    """Return where the rows of this data, split, targets and scale are kept."""
    config = material.config
    facts = {
        "version": VERSION,
        "split": material.split_hash,
        "targets": config.targets,
        "scale": config.rating_scale,
        "standardise": config.standardise,
        "ridge": RidgeConfig().model_dump(mode="json"),
    }
    if material.labels is not None:
        # 2: their guesses are kept as well
        facts |= {"learns": config.learns, "classes": material.labels.names, "kept": 2}
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    return jobs_root() / ".references" / material.store.fingerprint[:16] / key


@contextmanager
def _one_at_a_time(
    path: Path, announce: Callable[[str], None], check: Callable[[], None]
) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _taken(handle):
            announce("waiting for the reference rows that another job computes")
            while not _taken(handle):
                check()
                time.sleep(LOOK_EVERY_S)
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    """Take the lock if it is free: a wait in flock itself would not hear of a stop."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _kept(folder: Path) -> list[Row] | None:
    """Return kept rows; None, to compute them anew, where there are none or any is damaged."""
    data = reference_cache.kept(folder)
    return None if data is None else list(data["rows"])


def _compute(
    material: TrainingData, X: TrialMatrix, folder: Path, announce: Callable[[str], None]
) -> list[Row]:
    started = time.time()
    part_folder = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        rows = _all_rows(material, X, part_folder, announce)
        record = {"rows": rows, "computed_at": started, "seconds": time.time() - started}
        reference_cache.keep(part_folder, record)
        shutil.rmtree(folder, ignore_errors=True)  # a damaged one
        part_folder.replace(folder)
    except BaseException:
        shutil.rmtree(part_folder, ignore_errors=True)
        raise
    return rows


def _all_rows(
    material: TrainingData, X: TrialMatrix, folder: Path, announce: Callable[[str], None]
) -> list[Row]:
    if material.labels is not None:
        return class_reference_rows(material, X, folder, announce)
    rows: list[Row] = []
    predictions = pd.DataFrame()
    for config in (MeanConfig(), RidgeConfig()):
        announce(f"computing the reference row of {config.name}")
        predictions = predict_linear(material, X, config)
        predictions.to_parquet(folder / f"{config.name}.parquet")
        rows += score(config.name, predictions, material, chance=False)
    announce("computing ceilings")
    for scored in scored_parts(predictions, material.config.targets):
        rows += ceiling_rows(scored.where, scored.data, material.n_raters[scored.rows])
        rows += oracle_rows(material, scored)
    return rows


def predict_linear(
    material: TrainingData, X: TrialMatrix, config: MeanConfig | RidgeConfig
) -> pd.DataFrame:
    """Fit a linear model on the training trials and predict all parts."""
    from models.catalog.registry import build_linear

    rows = material.split.train
    model = build_linear(config).fit(
        X, rows, material.training_ratings[rows], material.concepts[rows]
    )
    return predict_parts(
        material, lambda rows: material.scale.to_ratings(model.predict(X, rows)).astype("f4")
    )


def score(
    model: str, predictions: pd.DataFrame, material: TrainingData, *, chance: bool
) -> list[Row]:
    """Score a model's predictions on every part that is judged."""
    rows: list[Row] = []
    for scored in scored_parts(predictions, material.config.targets):
        rows += model_rows(model, scored.where, scored.data, chance=chance, n_draws=N_DRAWS)
    return rows


def oracle_rows(material: TrainingData, scored: ScoredPart) -> list[Row]:
    """Score the best linear decoder that knows the planted truth; no rows for measured data."""
    known = reference_cache.oracle_table(material.dataset, material.config.subject)
    if known is None:
        return []
    targets = [t for t in scored.where.targets if f"pred_{t}" in known]
    if not targets:
        return []
    keys = material.store.trials.iloc[scored.rows][KEYS].reset_index(drop=True)
    counts = known["n_averaged"] == 1
    if scored.where.n_averaged != "single":
        counts = known["n_averaged"] == _repeats(scored.where.n_averaged)
    found = keys.merge(known[counts], on=KEYS, how="left", validate="one_to_one")
    columns = [scored.where.targets.index(t) for t in targets]
    predicted = found[[f"pred_{t}" for t in targets]].to_numpy(float)
    if not np.isfinite(predicted).all():
        return []
    data = scored.data
    same = part(data.true[:, columns], predicted, data.sd[:, columns], data.concepts)
    where = ScorePlace(scored.where.part, scored.where.n_averaged, tuple(targets))
    return model_rows("oracle", where, same, chance=False, n_draws=N_DRAWS)


def _repeats(words: str) -> int:
    """Read the 12 of "mean of 12"; -1, which no oracle has, for "mean of 2 to 12"."""
    number = words.removeprefix("mean of ")
    return int(number) if number.isdigit() else -1
