"""Classes as numbers: labels as one-hot rows, and which voxels tell classes apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import Floats, Rows, TrialMatrix
from models.base.errors import ModelError
from models.base.voxel_scores import SMALLEST_SCORE

Labels = NDArray[np.int64]


def one_hot(labels: NDArray[np.integer], n_classes: int) -> Floats:
    """Labels (n,) from 0 as (n, n_classes) of 0 and 1; a label of −1 gives a row of zeros."""
    out = np.zeros((len(labels), n_classes), np.float32)
    known = np.flatnonzero(labels >= 0)
    out[known, labels[known]] = 1
    return out


def labels_of(Y: Floats) -> Labels:
    """Labels (n,) of one-hot rows; other rows are refused."""
    if Y.ndim != 2 or not ((Y == 0) | (Y == 1)).all() or not (Y.sum(1) == 1).all():
        msg = "classes are given one-hot: a single 1 in each row of Y, else 0"
        raise ModelError(msg)
    if Y.shape[1] < 2 or len(np.unique(Y.argmax(1))) < 2:
        msg = "a classifier needs trials of 2 classes or more: choose other labels or trials"
        raise ModelError(msg)
    labels: Labels = Y.argmax(1).astype(np.int64)
    return labels


def class_encoding_score(X: TrialMatrix, rows: Rows, Y: Floats, width: int = 4096) -> Floats:
    """Share of each voxel's variance between classes, (n_voxels,), at least 1e-5.

        R²_v = Σ_c n_c (x̄_cv − x̄_v)² / Σ_i (x_iv − x̄_v)² − (C − 1) / (n − 1)

    the same as `selection.encoding_score` with one-hot ratings, at the cost of a sum over trials.
    """
    labels = labels_of(Y)
    used, index = np.unique(labels, return_inverse=True)
    order, counts = np.argsort(index, kind="stable"), np.bincount(index).astype(np.float32)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
    score = np.empty(X.shape[1], np.float32)
    for part, block in X.blocks(rows, width):
        centred = block - block.mean(0)
        total = np.einsum("nv,nv->v", centred, centred)
        sums = np.add.reduceat(centred[order], starts, axis=0)
        between = (sums * sums / counts[:, None]).sum(0)
        score[part] = between / np.maximum(total, np.finfo(np.float32).tiny)
    score -= (len(used) - 1) / max(len(rows) - 1, 1)
    return np.maximum(score, np.float32(SMALLEST_SCORE))
