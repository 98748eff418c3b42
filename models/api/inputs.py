"""What estimators accept: arrays, memory maps and trial matrices as X; ratings or labels as Y."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    assert_all_finite,
    check_array,
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from models.base.arrays import ArrayTrials, Floats, TrialMatrix
from models.base.errors import ModelError

ROWS_AT_ONCE = 64
FEWEST_CONCEPTS = 10
FEWEST_TRIALS = 2


def is_trial_matrix(X: Any) -> bool:  # noqa: ANN401
    """Whether X reads itself in pieces (models.base.arrays.TrialMatrix)."""
    return hasattr(X, "batch") and hasattr(X, "blocks")


def is_mapped(X: Any) -> bool:  # noqa: ANN401
    """Whether an array lies in a file that is mapped into memory."""
    while X is not None and not isinstance(X, mmap.mmap):
        X = getattr(X, "base", None)
    return X is not None


def trials_of(estimator: Any, X: Any, *, first: bool) -> TrialMatrix:  # noqa: ANN401
    """Return X (n_trials, n_voxels) as a trial matrix; `first` when fitting.

    Raises ValueError where X is no table of finite numbers, or, unless `first`, has other voxels
    than were fitted. A memory map and a trial matrix are not read for that: they may not fit.
    """
    if is_trial_matrix(X):
        return _checked_matrix(estimator, X, first=first)
    least = FEWEST_TRIALS if first else 1
    array = validate_data(
        estimator,
        X,
        reset=first,
        dtype="numeric",
        ensure_all_finite=False,
        ensure_min_samples=least,
    )
    if not is_mapped(array):
        for start in range(0, len(array), ROWS_AT_ONCE):
            assert_all_finite(array[start : start + ROWS_AT_ONCE], input_name="X")
    return ArrayTrials(array)


def _checked_matrix(estimator: Any, X: TrialMatrix, *, first: bool) -> TrialMatrix:  # noqa: ANN401
    n_trials, n_voxels = X.shape
    if first:
        estimator.n_features_in_ = n_voxels
    if n_voxels != estimator.n_features_in_:
        msg = (
            f"X has {n_voxels} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input"
        )
        raise ModelError(msg)
    if n_trials < (FEWEST_TRIALS if first else 1):
        msg = f"X has {n_trials} sample(s): give more trials"
        raise ModelError(msg)
    return X


def ratings_of(X: TrialMatrix, Y: Any) -> tuple[Floats, bool]:  # noqa: ANN401
    """Return ratings as (n_trials, n_targets) float32, and whether they came as (n_trials,)."""
    table = check_array(_given(Y), ensure_2d=False, dtype="numeric", input_name="Y")
    _same_length(X, table)
    return np.asarray(table, np.float32).reshape(len(table), -1), table.ndim == 1


def labels_in(X: TrialMatrix, y: Any) -> NDArray[Any]:  # noqa: ANN401
    """Return class labels (n_trials,) of any kind."""
    labels = column_or_1d(_given(y), warn=True)
    if labels.dtype.kind == "f":
        assert_all_finite(labels, input_name="y")
    check_classification_targets(labels)
    _same_length(X, labels)
    found: NDArray[Any] = labels
    return found


def _given(Y: Any) -> Any:  # noqa: ANN401
    if Y is None:
        msg = "a decoder requires y to be passed, but the target y is None"
        raise ModelError(msg)
    return Y


def _same_length(X: TrialMatrix, Y: NDArray[Any]) -> None:
    check_consistent_length(np.empty(X.shape[0]), Y)


def concepts_of(groups: Any, Y: Floats) -> NDArray[Any]:  # noqa: ANN401
    """Return the concept of each trial, (n_trials,).

    Where none are given, trials with the same row of Y (n_trials, n_targets) count as one concept,
    for the published ratings are a concept's; each trial alone where few rows differ.
    """
    if groups is None:
        of: NDArray[Any] = np.unique(Y, axis=0, return_inverse=True)[1].reshape(-1)
        return of if of.max(initial=0) + 1 >= FEWEST_CONCEPTS else np.arange(len(Y))
    given = np.asarray(groups)
    if given.shape != (len(Y),):
        msg = f"groups should name the concept of each of {len(Y)} trials, but is {given.shape}"
        raise ModelError(msg)
    return given
