"""Scores as a notebook shows them: a row a property, what it must beat and cannot reach beside."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thingsviz.analysis.scores.reference_rows import REFERENCE_ROWS
from thingsviz.api.parts import Split
from thingsviz.api.subject import Subject
from thingsviz.core.arrays import Rows
from thingsviz.core.errors import ConfigError
from thingsviz.jobs.recipe import parse_config
from thingsviz.pipeline.references import reference_scores
from thingsviz.pipeline.tasks.ratings import Ratings

REFERENCES = tuple(row.name for row in REFERENCE_ROWS)
OWN = ("value", "low", "high", "p")


def score(  # noqa: PLR0913  (options of a notebook, by name)
    estimator: Any,  # noqa: ANN401
    sub: Subject,
    split: Split,
    *,
    targets: list[str] | None = None,
    X: Any = None,  # noqa: ANN401
    part: str = "test",
    averaged: bool = False,
    metric: str = "r",
) -> pd.DataFrame:
    """Score a fitted decoder of ratings among its references.

    Parameters
    ----------
    estimator : fitted estimator
        Anything with `predict(X) -> (n, n_targets)`: a decoder of `tv.models`, a Pipeline, a
        search. It should have been fitted on `split.train` alone: on ratings as `sub.ratings()`
        gives them, and on `X`.
    sub : Subject
    split : Split
    targets : list of str, optional
        The properties that it predicts, in order; None: all of `sub.properties`.
    X : (n_trials, n_features), optional
        What it reads, a row a trial of the subject; None: `sub.betas()`. Pass
        `sub.responses(split)` if it was fitted on that.
    part : {"test", "exemplars"}
    averaged : bool
        Score the mean prediction over an image's repeats instead of single trials.
    metric : {"r", "mse", "mae", "mse_unit", "mae_unit", "confidence"}

    Returns
    -------
    pandas.DataFrame
        A row a property, and "mean" over them: its score in the metric's name, low and high (95 %
        interval over concepts), p (shuffled predictions), and beside them chance, mean, ridge,
        ceiling (and oracle of simulated data); missing where there is none. The references are
        computed once for a split and kept under THINGSVIZ_JOBS.

    Raises
    ------
    ConfigError
        The decoder names classes, its predictions have another shape, or the part was not split
        off.

    Examples
    --------
    >>> X, Y, split = sub.betas(), sub.ratings(["heavy", "lives"]), sub.split(seed=0)
    >>> ridge = tv.models.Ridge().fit(X[split.train], Y[split.train], split.groups)
    >>> table = tv.score(ridge, sub, split, targets=["heavy", "lives"])
    >>> list(table.columns)
    ['property', 'r', 'low', 'high', 'p', 'chance', 'mean', 'ridge', 'ceiling', 'oracle']
    """
    if hasattr(estimator, "classes_"):
        msg = (
            f"{type(estimator).__name__} names classes, but ratings are scored here: train it "
            "with tv.train(..., learns='concepts') and see job.scores"
        )
        raise ConfigError(msg)
    wanted = tuple(sub.properties if targets is None else targets)
    sub.ratings(wanted)  # names a property that these data do not have
    responses = sub.betas() if X is None else X
    name = type(estimator).__name__

    def predict(rows: Rows) -> np.ndarray[Any, np.dtype[np.float32]]:
        found = np.asarray(estimator.predict(responses[rows]), np.float32)
        found = found[:, None] if found.ndim == 1 else found
        if found.shape != (len(rows), len(wanted)):
            msg = (
                f"{name} predicts {found.shape} for {len(rows)} trials and {len(wanted)} "
                "properties: pass targets= the properties that it was fitted on"
            )
            raise ConfigError(msg)
        return found

    with tempfile.TemporaryDirectory() as folder:
        task = _task(sub, split, wanted, Path(folder))
        predicted = task.predict(predict, task.config.model)
        rows = task.score(name, predicted, own=True).rows
        rows += reference_scores(task, task.responses, lambda _: None).rows
    return tabulated(pd.DataFrame(rows), name, part, averaged, metric)


def _task(sub: Subject, split: Split, targets: tuple[str, ...], folder: Path) -> Ratings:
    recipe = {
        "dataset": sub.address,
        "subject": sub.name,
        "targets": targets,
        "split": split.recipe,
    }
    config = parse_config(recipe, "the score")
    scaler = folder / "scaler.safetensors"
    return Ratings(config, sub.dataset, sub.store, split.rows(), scaler)


def tabulated(
    scores: pd.DataFrame, model: str, part: str = "test", averaged: bool = False, metric: str = "r"
) -> pd.DataFrame:
    """Turn tidy scores (a row a model, property and metric) into a row a property."""
    single = scores["n_averaged"].eq("single")
    asked = scores["part"].eq(part) & scores["metric"].eq(metric)
    asked &= ~single if averaged else single
    found = scores[asked]
    own = found[found["model"].eq(model)].set_index("target")
    if own.empty:
        there = ", ".join(sorted(set(scores["part"]) | set(scores["metric"])))
        words = "averaged" if averaged else "single"
        msg = f"there are no scores {metric!r} of {words} {part} trials: there are {there}"
        raise ConfigError(msg)
    table = own[list(OWN)].astype(float).rename(columns={"value": metric})
    values = found.pivot_table(index="target", columns="model", values="value", dropna=False)
    for name in REFERENCES:
        if name in set(found["model"]):
            column = values[name] if name in values else pd.Series(np.nan, values.index)
            table[name] = column.reindex(table.index).astype(float)
    return table.rename_axis("property").reset_index()
