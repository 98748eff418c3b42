"""A linear support vector machine for each class against all others, fitted by scikit-learn."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import Floats, Rows, TrialMatrix
from models.base.concepts import check_concepts, fitting_part
from models.classify.config import LinearSVMConfig
from models.classify.labels import Labels, labels_of
from models.classify.projection import ProjectedClassifier, Projection, fit_projection

# C · (mean squared length of a trial): below, all trials are support vectors and the machine is a
# difference of class means; above, hardly a trial is inside the margin, C changes little and the
# fit takes ten times as long.
LOG10_C = (-2.0, 1.0)
UNSEEN = -1e30  # the score of a class without training trials
MOST_ITERATIONS = 10_000
TOLERANCE = 1e-4  # scikit-learn's own


class Fitted(NamedTuple):
    """Of classes in rising order: weights (m, n_classes) on f, and biases (n_classes,)."""

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]


class LinearSVM(ProjectedClassifier):
    """min_w,b  ½ (‖w‖² + b²) + C Σ_i max(0, 1 − y_i (w·f_i + b))²,  y_i = ±1, for each class.

    f are principal components (projection.py) in the voxels' own units. ‖w‖ does not change when
    axes are turned: with as many components as there are trials this is `LinearSVC` (Fan et al.
    2008) on the selected voxels, at the cost of n numbers a trial in place of 12,000. C is chosen
    by the hits on held-out groups (images or concepts) of the training part, the smallest of
    equals; voxels and components are those of the fitting part there, of all rows in the end.
    """

    def __init__(self, config: LinearSVMConfig) -> None:
        super().__init__(config)
        self.config = config

    def fit(self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]) -> Self:
        """Fit on trials `rows`: one-hot Y (len(rows), n_classes), groups (len(rows),)."""
        labels = labels_of(Y)
        C = self.config.C
        C = self._chosen(X, rows, Y, groups) if C is None else C
        projection, z = fit_projection(self.config, X, rows, Y)
        machine = fit_machines(z * projection.sd, labels, C)
        self.keep(projection, *_all_classes(machine, projection, labels, Y.shape[1]), C=C)
        return self

    def _chosen(self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]) -> float:
        """C with the most hits on held-out groups."""
        check_concepts(groups, 2, "the machine chooses C on held-out groups and")
        fitting = fitting_part(groups, self.config.held_out, self.config.seed)
        labels = Y.argmax(1)
        if len(np.unique(labels[fitting])) < 2:
            fitting = np.ones(len(rows), bool)  # C is then chosen on what was fitted
        held = ~fitting if not fitting.all() else fitting
        projection, z = fit_projection(self.config, X, rows[fitting], Y[fitting])
        f, classes = z * projection.sd, np.unique(labels[fitting])
        held_f = projection.apply(X, rows[held]) * projection.sd
        candidates = np.logspace(*LOG10_C, self.config.n_values) / float((f * f).sum(1).mean())
        hits = []
        for C in candidates:
            machine = fit_machines(f, labels[fitting], float(C))
            guess = classes[(held_f @ machine.weights + machine.bias).argmax(1)]
            hits.append(float((guess == labels[held]).mean()))
        return float(candidates[int(np.argmax(hits))])


def fit_machines(f: Floats, labels: Labels, C: float) -> Fitted:
    """Fit a machine a class on f (n, m) with labels (n,) of two classes or more."""
    # scikit-learn takes half a second to import: other decoders need not wait
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    machine = LinearSVC(C=C, dual="auto", tol=TOLERANCE, max_iter=MOST_ITERATIONS, random_state=0)
    with warnings.catch_warnings():
        # where it stops short the order of the classes stands long before the last digits
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine.fit(np.asarray(f, np.float64), labels)
    weights, bias = machine.coef_.T, np.atleast_1d(machine.intercept_)
    if weights.shape[1] == 1:  # two classes share a machine
        weights, bias = np.hstack([-weights, weights]), np.hstack([-bias, bias])
    return Fitted(weights, bias)


def _all_classes(
    machine: Fitted, projection: Projection, labels: Labels, n_classes: int
) -> tuple[Floats, Floats]:
    """Weights (m, n_classes) on z = f / sd and biases; an untrained class is never chosen."""
    trained = np.unique(labels)
    weights = np.zeros((len(projection.sd), n_classes), np.float32)
    bias = np.full(n_classes, UNSEEN, np.float32)
    weights[:, trained] = projection.sd[:, None] * machine.weights
    bias[trained] = machine.bias
    return weights, bias
