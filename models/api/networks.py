"""Networks as estimators: of ratings, or with the loss 'cross_entropy' of classes."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.utils import ClassifierTags
from sklearn.utils.metaestimators import available_if

from models.api.estimator import MASK, Decoder, decoder
from models.api.inputs import concepts_of, labels_in, ratings_of, trials_of
from models.base.arrays import Floats, Mask, TrialMatrix
from models.base.concepts import fitting_part
from models.base.errors import ModelError
from models.base.voxel_scores import encoding_score
from models.catalog.registry import build_network, needs_score
from models.classify.labels import class_encoding_score, one_hot
from models.training.config import FitConfig, parse_fit

__all__ = ["CNN3D", "MLP", "CNNViT", "Logistic", "NetworkDecoder", "ViT3D"]
VALIDATION_SHARE = 0.1


def _classifies(estimator: NetworkDecoder) -> bool:
    """Whether an estimator learns classes."""
    return bool(estimator.loss == "cross_entropy")


class NetworkDecoder(MultiOutputMixin, RegressorMixin, Decoder):  # type: ignore[misc]
    """A network that is trained batch by batch; the best epoch's weights count.

    It learns ratings, or with loss='cross_entropy' classes. Equal seeds give equal weights on one
    machine with one number of threads; the generators of Python, NumPy and torch are seeded.
    """

    loss: str

    @property
    def fit_config(self) -> FitConfig:
        """The settings of the training as a recipe holds them; ValueError names a wrong one."""
        return parse_fit(self._values(FitConfig))

    def fit(self, X: Any, Y: Any, groups: Any = None, validation: Any = None) -> Self:  # noqa: ANN401
        """Train on the trials given.

        Parameters
        ----------
        X : (n_trials, n_voxels)
            Responses, each voxel's SD about 1: an array, a memory map, or a TrialMatrix.
        Y : (n_trials,) or (n_trials, n_targets)
            Ratings on any scale, or class labels (n_trials,) with loss='cross_entropy'.
        groups : (n_trials,), optional
            The concept of each trial. None: trials with the same ratings are of one concept.
        validation : (n_trials,) bool, optional
            Trials that choose the best epoch and are not trained on. None: a tenth of the
            concepts (with classes: of the trials), drawn by the seed.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            X or Y is no table of finite numbers, the mask does not fit X, or a parameter cannot
            work (ModelError).
        """
        from models.training.loop import FitData, fit_network

        trials = trials_of(self, X, first=True)
        answers, concepts = self._answers(trials, Y, groups)
        config, fit = self.config, self.fit_config
        fitting = self._fitting(concepts, validation, fit.seed)
        train, held = np.flatnonzero(fitting), np.flatnonzero(~fitting)
        mask = self._mask(trials.shape[1])
        score = None
        if needs_score(config):
            scored = class_encoding_score if _classifies(self) else encoding_score
            score = scored(trials, train, answers[train])
        self.model_ = build_network(config, mask, answers.shape[1], score, fit.seed)
        result = fit_network(self.model_, FitData(trials, answers, train, held, concepts), fit)
        self.best_epoch_, self.history_ = result.best_epoch, result.history
        return self

    def _answers(self, X: TrialMatrix, Y: Any, groups: Any) -> tuple[Floats, NDArray[Any]]:  # noqa: ANN401
        """Return what is learned, (n_trials, n_outputs), and each trial's concept."""
        if not _classifies(self):
            ratings, self.flat_ = ratings_of(X, Y)
            return ratings, concepts_of(groups, ratings)
        self.classes_, index = np.unique(labels_in(X, Y), return_inverse=True)
        if len(self.classes_) < 2:
            msg = f"a classifier needs trials of 2 classes, but y has {len(self.classes_)} class"
            raise ModelError(msg)
        concepts = np.arange(len(index)) if groups is None else np.asarray(groups)
        return one_hot(index, len(self.classes_)), concepts

    def _fitting(self, concepts: NDArray[Any], validation: Any, seed: int) -> NDArray[np.bool_]:  # noqa: ANN401
        """Return which trials (n_trials,) are trained on."""
        if validation is None:
            return fitting_part(concepts, VALIDATION_SHARE, seed)
        held = np.asarray(validation)
        if held.dtype != bool or held.shape != concepts.shape:
            msg = f"validation should be ({len(concepts)},) bool, but is {held.shape} {held.dtype}"
            raise ModelError(msg)
        return ~held

    def _mask(self, n_voxels: int) -> Mask:
        """Return the brain's mask (X, Y, Z); ValueError where it does not fit X."""
        mask: Any = getattr(self, "mask")  # noqa: B009  (a parameter, set by __init__)
        if mask is None:
            msg = f"{type(self).__name__} needs to know where voxels lie: pass mask=(X, Y, Z) bool"
            raise ModelError(msg)
        found = np.asarray(mask, bool)
        if found.ndim != 3 or int(found.sum()) != n_voxels:
            msg = (
                f"the mask {found.shape} holds {int(found.sum())} voxels, but X has {n_voxels}: "
                "pass the mask in whose C order the voxels of X stand"
            )
            raise ModelError(msg)
        return found

    def _outputs(self, X: Any) -> Floats:  # noqa: ANN401
        from models.training.predict import predict_network

        trials, rows = self._read(X)
        return predict_network(self.model_, trials, rows, self.fit_config)

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: ANN401
        """Return ratings (n_trials, n_targets) on Y's scale, or classes (n_trials,)."""
        found = self._outputs(X)
        if _classifies(self):
            labels: NDArray[Any] = self.classes_[found.argmax(1)]
            return labels
        return found[:, 0] if self.flat_ else found

    @available_if(_classifies)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Floats:  # noqa: ANN401
        """Return each class's probability, (n_trials, n_classes)."""
        found: Floats = softmax(self._outputs(X), axis=1)
        return found

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:  # noqa: ANN401
        """Return R² averaged over ratings, or the share of classes that are right."""
        mixin = ClassifierMixin if _classifies(self) else RegressorMixin
        return float(mixin.score(self, X, y, sample_weight))

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401
        tags = super().__sklearn_tags__()
        if _classifies(self):
            tags.estimator_type = "classifier"
            tags.classifier_tags, tags.regressor_tags = ClassifierTags(), None
            tags.target_tags.multi_output = False
        return tags


@decoder("logistic", FitConfig, mask=MASK)
class Logistic(NetworkDecoder):
    """One linear layer: a softmax of classes with loss='cross_entropy', else a regression."""


@decoder("mlp", FitConfig, mask=MASK)
class MLP(NetworkDecoder):
    """One hidden layer over the voxels."""


@decoder("cnn3d", FitConfig, mask=MASK)
class CNN3D(NetworkDecoder):
    """Three blocks of 3-D convolution over the volume, then two layers."""


@decoder("vit3d", FitConfig, mask=MASK)
class ViT3D(NetworkDecoder):
    """A vision transformer whose tokens are blocks of voxels."""


@decoder("cnn_vit", FitConfig, mask=MASK)
class CNNViT(NetworkDecoder):
    """Two convolution blocks, then a vision transformer over their map."""
