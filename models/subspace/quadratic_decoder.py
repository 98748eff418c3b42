"""The quadratic decoder: what a linear one cannot see, a trial's strength and products of axes."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from models.base.arrays import Array, Floats, Mask, Rows, TrialMatrix
from models.base.concepts import fitting_part
from models.base.errors import ModelError
from models.base.readout import PREDICT_ROWS
from models.subspace.axes import Axes
from models.subspace.config import QuadraticDecoderConfig
from models.subspace.wiener import BestCandidate, choose, grid, summarise

PRODUCT_ALPHAS = (0.3, 1.0, 3.0, 10.0, 100.0)
GAIN_POWERS = (0.0, 0.75)
RIDGE = 0.03  # on S_w, which says which axes tell concepts apart


class Features(NamedTuple):
    """From coordinates z to features: [v h, (u_i u_j h²) for i ≤ j].

        v = (z − centre) / sd,    u = v · best,    h = (‖v‖ / usual)^−γ

    `best` (n_axes, k): axes by how well they tell concepts apart, S_b w = λ (S_w + 0.03 I) w.
    h takes off what makes all of a trial strong or weak (attention, say), as far as its own
    coordinates show it; products of axes follow what is not additive in the ratings.
    """

    centre: Array
    sd: Array
    best: Array
    usual: float
    gain_power: float

    def of(self, z: NDArray[Any]) -> Array:
        """Features (n, n_axes + k (k + 1) / 2) of coordinates (n, n_axes)."""
        v = (z - self.centre) / self.sd
        strength = np.sqrt((v * v).mean(1, keepdims=True)) / self.usual
        v *= np.maximum(strength, 1e-6) ** -self.gain_power
        u = v @ self.best
        first, second = np.triu_indices(self.best.shape[1])
        return np.hstack([v, u[:, first] * u[:, second]])


def features(
    z: Floats, Y: Floats, groups: NDArray[Any], n_products: int, gain_power: float
) -> Features:
    """Learn centre, scale, best axes and usual strength from training coordinates."""
    s = summarise(z, Y, groups)
    within = s.scatter.within + RIDGE * np.eye(len(s.sd))
    _, vectors = eigh(s.scatter.between, within)
    v = (z - s.centre) / s.sd
    usual = float(np.median(np.sqrt((v * v).mean(1))))
    best = np.ascontiguousarray(vectors[:, ::-1][:, :n_products])
    return Features(s.centre, s.sd, best, usual or 1.0, gain_power)


class QuadraticDecoder:
    """The concept decoder's axes, its readout extended by products, with a penalty of their own.

    A kernel ridge with a polynomial kernel sees the same products, but weighs them by fixed
    rules. Here 465 products share one penalty, some 100 times that of the coordinates, chosen on
    held-out concepts with φ, α and the power of the strength. What that gained on planted
    responses, and where nothing was shown, stands in benchmarks/results/.
    """

    def __init__(self, config: QuadraticDecoderConfig, mask: Mask | None = None) -> None:
        self.config, self.axes = config, Axes(config, mask)
        self._arrays: dict[str, NDArray[Any]] = {}

    def fit(self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]) -> Self:
        """Fit on trials `rows`: Y (len(rows), n_targets), groups (len(rows),) their concepts."""
        Y = self.axes.check(X, rows, Y, groups, "the quadratic decoder")
        gain_power, chosen = self._choice(X, rows, Y, groups)
        found = self.axes.find(X, rows, Y)
        how = features(found.z, Y, groups, self.config.n_product_axes, gain_power)
        W, offset = summarise(how.of(found.z), Y, groups, found.z.shape[1]).readout(chosen.wish)
        phi, alpha, product_alpha = chosen.wish
        scalars = [how.usual, gain_power, phi, alpha, product_alpha, chosen.held_out_r]
        self._arrays = {
            "axes": found.axes,
            "mean": found.mean @ found.axes,
            "voxels": found.voxels,
            "centre": how.centre,
            "sd": how.sd,
            "best": how.best,
            "weights": W,
            "intercept": offset,
            "chosen": np.array(scalars, np.float64),
        }
        return self

    def predict(self, X: TrialMatrix, rows: Rows) -> Floats:
        """Ratings (len(rows), n_targets) on the scale of Y."""
        a = self.arrays()
        how = Features(a["centre"], a["sd"], a["best"], *a["chosen"][:2].tolist())
        out = np.empty((len(rows), a["weights"].shape[1]), np.float32)
        for start in range(0, len(rows), PREDICT_ROWS):
            part = slice(start, start + PREDICT_ROWS)
            z = X.batch(rows[part])[:, a["voxels"]] @ a["axes"] - a["mean"]
            out[part] = how.of(z) @ a["weights"] + a["intercept"]
        return out

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that was fitted; `chosen`: usual strength, γ, φ, α, α of products, r."""
        if not self._arrays:
            msg = "the quadratic decoder is not fitted yet: call fit first"
            raise ModelError(msg)
        return dict(self._arrays)

    @classmethod
    def from_arrays(cls, config: QuadraticDecoderConfig, arrays: dict[str, NDArray[Any]]) -> Self:
        """Rebuild a fitted decoder from its config and `arrays()`."""
        model = cls(config)
        model._arrays = {name: np.asarray(value) for name, value in arrays.items()}
        return model

    def _choice(
        self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]
    ) -> tuple[float, BestCandidate]:
        """Return the power of the strength, and φ and both α, by held-out concepts."""
        config = self.config
        products = PRODUCT_ALPHAS if config.product_alpha is None else (config.product_alpha,)
        wishes = grid(config.phi, config.alpha, products if config.n_product_axes else (0.0,))
        powers = GAIN_POWERS if config.gain_power is None else (config.gain_power,)
        if len(wishes) == len(powers) == 1:
            return powers[0], BestCandidate(wishes[0], float("nan"), float("nan"))
        fit = fitting_part(groups, config.held_out, config.seed)
        found = self.axes.find(X, rows[fit], Y[fit])
        held = found.of(X, rows[~fit], config.block_voxels)
        tried = []
        for power in powers:
            how = features(found.z, Y[fit], groups[fit], config.n_product_axes, power)
            fitted = summarise(how.of(found.z), Y[fit], groups[fit], found.z.shape[1])
            held_out = (how.of(held), Y[~fit], groups[~fit])
            tried.append((power, choose(fitted, held_out, wishes)))
        return max(tried, key=lambda each: each[1].value)
