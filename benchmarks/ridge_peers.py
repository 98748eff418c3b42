"""Ridge against himalaya and scikit-learn: same penalties, same held-out part, same weights.

    python -m benchmarks ridge_peers [--trials 8640] [--voxels 3000] [--targets 66] [--repeats 3]

All three choose one of 7 penalties per target on the same held-out fifth of the concepts, refit on
all trials, and end at primal weights; their coefficients must agree. The tables of ratios in
benchmarks/README.md come from one run, each timing the best of the repeats.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
from himalaya.kernel_ridge import KernelRidgeCV
from numpy.typing import NDArray
from sklearn.linear_model import Ridge as PlainRidge
from sklearn.model_selection import PredefinedSplit

from models.base.arrays import ArrayTrials
from models.base.concepts import fitting_part
from models.catalog.registry import build_linear
from models.linear.config import RidgeConfig

Array = NDArray[np.float32]
ALPHAS = np.logspace(-3, 3, 7)
EXEMPLARS = 12
CONFIG = RidgeConfig(n_alphas=7, n_selected_voxels=None, score_power=0)
AGREE = 2e-2  # of the largest weight: float32 all the way, three different solvers


def main(argv: list[str] | None = None) -> int:
    """Time, compare, print; 1 when weights differ or ours is not the fastest."""
    parser = argparse.ArgumentParser(
        prog="benchmarks ridge_peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--trials", type=int, default=8640)
    parser.add_argument("--voxels", type=int, default=3000)
    parser.add_argument("--targets", type=int, default=66)
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args(argv)
    X, Y, groups = planted(options.trials, options.voxels, options.targets)
    print(
        f"{options.trials:,} trials × {options.voxels:,} voxels → {options.targets}, 7 penalties"
    )
    fits: dict[str, Callable[[], Array]] = {
        "ours": lambda: ours(X, Y, groups),
        "himalaya": lambda: himalaya(X, Y, groups),
        "scikit-learn": lambda: sklearn(X, Y, groups),
    }
    weights, seconds = {}, {}
    for name, fit in fits.items():
        weights[name], seconds[name] = timed(fit, options.repeats)
    return report(weights, seconds)


def planted(n: int, n_voxels: int, n_targets: int) -> tuple[Array, Array, NDArray[np.int64]]:
    """Concepts with 12 exemplars each; a tenth of the voxels' variance is signal."""
    rng = np.random.default_rng(0)
    groups = np.arange(n) // EXEMPLARS
    Y = rng.standard_normal((groups.max() + 1, n_targets), dtype=np.float32)[groups]
    W = rng.standard_normal((n_targets, n_voxels), dtype=np.float32) / np.sqrt(10 * n_targets)
    return Y @ W + rng.standard_normal((n, n_voxels), dtype=np.float32), Y, groups


def timed(fit: Callable[[], Array], repeats: int) -> tuple[Array, float]:
    """Return the weights (n_voxels, n_targets) and the best time of some runs, in seconds."""
    best = np.inf
    for _ in range(repeats):
        started = time.perf_counter()
        found = fit()
        best = min(best, time.perf_counter() - started)
    return found, best


def ours(X: Array, Y: Array, groups: NDArray[np.int64]) -> Array:
    """Through the registry, as a job does it."""
    rows = np.arange(len(X))
    return build_linear(CONFIG).fit(ArrayTrials(X), rows, Y, groups).arrays()["weights"]


def himalaya(X: Array, Y: Array, groups: NDArray[np.int64]) -> Array:
    """KernelRidgeCV on the same kernel, penalties in the same unit."""
    fit = fitting_part(groups, CONFIG.held_out, CONFIG.seed)
    centred = X - X.mean(0)
    K = centred @ centred.T
    unit = np.trace(K[np.ix_(fit, fit)]) / fit.sum()
    model = KernelRidgeCV(
        alphas=ALPHAS * unit,
        kernel="precomputed",
        cv=PredefinedSplit(np.where(fit, -1, 0)),
        solver_params={"n_alphas_batch": 1},
    ).fit(K, Y - Y[fit].mean(0))
    chosen = np.asarray(model.best_alphas_) / unit
    return refit(centred, K, Y, chosen)


def refit(X: Array, K: Array, Y: Array, alphas: Array) -> Array:
    """Refit on all trials with the unit of all trials, as ours does; himalaya keeps the part's."""
    from himalaya.kernel_ridge import KernelRidge

    unit = np.trace(K) / len(K)
    model = KernelRidge(alpha=(alphas * unit).astype(np.float32), kernel="precomputed")
    dual = model.fit(K, Y - Y.mean(0)).dual_coef_
    return X.T @ np.asarray(dual)


def sklearn(X: Array, Y: Array, groups: NDArray[np.int64]) -> Array:
    """Ridge with an α per target, tried one after the other."""
    fit = fitting_part(groups, CONFIG.held_out, CONFIG.seed)
    part = X[fit] - X[fit].mean(0)
    # The unit is that of the kernel centred on all trials, as ours has it.
    unit = float(((X[fit] - X.mean(0)) ** 2).sum() / fit.sum())
    errors = []
    for alpha in ALPHAS:
        model = PlainRidge(alpha=alpha * unit, fit_intercept=True).fit(part, Y[fit])
        guess = model.predict(X[~fit] - X[fit].mean(0))
        errors.append(((guess - Y[~fit]) ** 2).mean(0))
    chosen = ALPHAS[np.argmin(errors, 0)]
    unit = float(((X - X.mean(0)) ** 2).sum() / len(X))
    return np.asarray(PlainRidge(alpha=chosen * unit).fit(X, Y).coef_.T)


def report(weights: dict[str, Array], seconds: dict[str, float]) -> int:
    """Print times, ratios and how far the weights are apart."""
    largest = np.abs(weights["ours"]).max()
    same = True
    for name, found in weights.items():
        apart = float(np.abs(found - weights["ours"]).max() / largest)
        same &= apart < AGREE
        ratio = seconds[name] / seconds["ours"]
        print(
            f"{name:14s}{seconds[name]:9.2f} s  {ratio:6.2f} × ours   weights differ {apart:.1e}"
        )
    fastest = seconds["ours"] <= min(seconds.values())
    print(f"same weights: {'yes' if same else 'NO'}; ours fastest: {'yes' if fastest else 'NO'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
