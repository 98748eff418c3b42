"""The concept decoder: principal axes in a metric of voxels, then the φ-Wiener readout.

What each step is worth on a full planted subject stands in benchmarks/README.md.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import Floats, Mask, Rows, TrialMatrix
from models.base.concepts import fitting_part
from models.base.readout import Readout
from models.subspace.axes import Axes
from models.subspace.config import ConceptDecoderConfig
from models.subspace.wiener import BestCandidate, choose, grid, summarise


class ConceptDecoder(Readout):
    """Ratings of concepts that were never seen, from few axes of the responses.

        1. score_v = share of voxel v's variance that the ratings explain    (base.voxel_scores)
        2. z = X M, M the principal axes of X in the metric A                (subspace.axes)
        3. W = (S_b + φ S_w + α I)⁻¹ Cov(concept means of z, ratings)        (subspace.wiener)

    With φ or α empty, both the axes and the readout are fitted once more on the part of the
    concepts that is not held out, so that nothing of the held-out concepts helps to choose.
    """

    def __init__(self, config: ConceptDecoderConfig, mask: Mask | None = None) -> None:
        super().__init__(config)
        self.config, self.axes = config, Axes(config, mask)

    def fit(self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]) -> Self:
        """Fit on trials `rows`: Y (len(rows), n_targets), groups (len(rows),) their concepts."""
        Y = self.axes.check(X, rows, Y, groups, "the concept decoder")
        chosen = self._choice(X, rows, Y, groups)
        found = self.axes.find(X, rows, Y)
        W, offset = summarise(found.z, Y, groups).readout(chosen.wish)
        weights = found.axes @ W.astype(np.float32)
        phi, alpha, _ = chosen.wish
        more = {"phi": phi, "alpha": alpha, "held_out_r": chosen.held_out_r}
        self.keep(found.voxels, weights, offset - found.mean @ weights, **more)
        return self

    def _choice(
        self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]
    ) -> BestCandidate:
        config = self.config
        wishes = grid(config.phi, config.alpha)
        if len(wishes) == 1:
            return BestCandidate(wishes[0], float("nan"), float("nan"))
        fit = fitting_part(groups, config.held_out, config.seed)
        found = self.axes.find(X, rows[fit], Y[fit])
        held = found.of(X, rows[~fit], config.block_voxels)
        fitted = summarise(found.z, Y[fit], groups[fit])
        return choose(fitted, (held, Y[~fit], groups[~fit]), wishes)
