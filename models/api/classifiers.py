"""Linear classifiers, and identification through ratings, as estimators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import ClassifierMixin

from models.api.estimator import Decoder, decoder
from models.api.inputs import labels_in, trials_of
from models.base.arrays import Floats
from models.base.errors import ModelError
from models.catalog.registry import LinearModel, build_linear
from models.classify.identification import Identification as IdentificationCore
from models.classify.labels import one_hot

__all__ = ["LDA", "Identification", "LinearClassifier", "LinearSVM", "OneHotRidge"]
PROFILES = (
    "mapping of label to (n_ratings,)",
    "The true ratings of every class that may be named, trained or not.",
)


class LinearClassifier(ClassifierMixin, Decoder):  # type: ignore[misc]
    """A classifier that is fitted in one go; `classes_` (n_classes,) are the sorted labels."""

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:  # noqa: ANN401
        """Fit on all trials given.

        Parameters
        ----------
        X : (n_trials, n_voxels)
            Responses: an array of any floating type, a memory map, or a TrialMatrix.
        y : (n_trials,)
            Class labels of any kind.
        groups : (n_trials,), optional
            What may be held out together (an image, a concept) to choose a penalty. None: each
            trial alone.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            X is no table of finite numbers, y has fewer than 2 classes, or a parameter cannot
            work (ModelError).
        """
        trials = trials_of(self, X, first=True)
        labels = labels_in(trials, y)
        self.classes_, index = self._classes(labels)
        rows = np.arange(len(labels))
        held = rows if groups is None else np.asarray(groups)
        answers = one_hot(index, len(self.classes_))
        self.model_ = self._core().fit(trials, rows, answers, held)
        return self

    def _classes(self, labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return the classes (n_classes,) and which each trial (n_trials,) is of."""
        classes, index = np.unique(labels, return_inverse=True)
        return classes, index.astype(np.int64)

    def _core(self) -> LinearModel:
        return build_linear(self.config)

    def _scores(self, X: Any) -> Floats:  # noqa: ANN401
        trials, rows = self._read(X)
        found: Floats = self.model_.predict(trials, rows)
        return found

    def decision_function(self, X: Any) -> Floats:  # noqa: ANN401
        """Return scores (n_trials, n_classes), the largest wins; of 2 classes their difference."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: ANN401
        """Return the likeliest class of each trial, (n_trials,)."""
        best = self._scores(X).argmax(1)
        found: NDArray[Any] = self.classes_[best]
        return found


@decoder("lda")
class LDA(LinearClassifier):
    """Linear discriminant analysis on principal components, with a shrunk covariance."""

    def predict_proba(self, X: Any) -> Floats:  # noqa: ANN401
        """Return each class's probability, (n_trials, n_classes)."""
        found: Floats = softmax(self._scores(X), axis=1)
        return found


@decoder("multinomial_ridge")
class OneHotRidge(LinearClassifier):
    """Ridge regression on one column of 0 and 1 a class; the largest column wins."""


@decoder("linear_svm")
class LinearSVM(LinearClassifier):
    """Linear support vector machine on principal components: the field's usual reference."""


@decoder("identification", profiles=PROFILES)
class Identification(LinearClassifier):
    """Predicts ratings, and names the class that is rated like that, even one never trained.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> profiles = {f"thing {n}": rng.uniform(1, 7, 4) for n in range(30)}
    >>> y = np.repeat(list(profiles), 6)
    >>> ratings = np.array([profiles[label] for label in y])
    >>> X = ratings @ rng.standard_normal((4, 60)) + rng.standard_normal((180, 60))
    >>> named = Identification(profiles=profiles).fit(X[:120], y[:120], groups=y[:120])
    >>> float(named.score(X[120:], y[120:])) > 0.3  # ten of the thirty were never trained
    True
    """

    profiles: Mapping[Any, Any] | None

    def _classes(self, labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        classes = np.array(sorted(self._profiles()))
        missing = np.setdiff1d(labels, classes)
        if len(missing):
            first = f"(first: {missing[0]!r})"
            msg = f"{len(missing)} classes of y have no profile {first}: add theirs"
            raise ModelError(msg)
        return classes, np.searchsorted(classes, labels).astype(np.int64)

    def _core(self) -> LinearModel:
        profiles = self._profiles()
        table = np.array([profiles[label] for label in sorted(profiles)], np.float32)
        return IdentificationCore(self.config).know(table)  # type: ignore[arg-type]

    def _profiles(self) -> Mapping[Any, Any]:
        if self.profiles is None:
            msg = "identification needs the ratings of each class: pass profiles={label: ratings}"
            raise ModelError(msg)
        return self.profiles
