"""How much each voxel says about the ratings, from the fitting trials alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import Floats, Rows, TrialMatrix

SMALLEST_SCORE = 1e-5


def encoding_score(X: TrialMatrix, rows: Rows, Y: Floats, width: int = 4096) -> Floats:
    """Share of each voxel's variance that the ratings explain, (n_voxels,), at least 1e-5.

    A linear encoding model P → x_v, in sample, minus what p random regressors would explain:

        R²_v = ‖L⁻¹ Pᵀ x_v‖² / ‖x_v‖² − p / n,      P centred (n, p), P ᵀP = L Lᵀ

    Select or weigh voxels with scores of the *fitting* rows only: scores of all training rows
    gave r .560 on their own validation part and .306 on test (n = 820 simulated trials).
    """
    whiten = _whitener(Y)
    score = np.empty(X.shape[1], np.float32)
    for part, block in X.blocks(rows, width):
        block = block - block.mean(0)
        total = np.einsum("nv,nv->v", block, block)
        explained = ((whiten @ block) ** 2).sum(0)
        score[part] = explained / np.maximum(total, np.finfo(np.float32).tiny)
    score -= whiten.shape[0] / len(rows)
    return np.maximum(score, np.float32(SMALLEST_SCORE))


def _whitener(Y: Floats) -> Floats:
    """Orthonormal rows (p, n) that span the centred ratings; constant ratings drop out."""
    centred = np.asarray(Y, np.float64) - np.asarray(Y, np.float64).mean(0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    keep = s > max(s.max(initial=0.0), 1e-300) * 1e-9
    basis: Floats = u[:, keep].T.astype(np.float32)
    return basis


def best(score: Floats, n: int | None) -> NDArray[np.int64]:
    """Indices of the `n` best entries in rising order; all of them for None or too large an n."""
    if n is None or n >= len(score):
        return np.arange(len(score))
    return np.sort(np.argsort(-score, kind="stable")[:n])
