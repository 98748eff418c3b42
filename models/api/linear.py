"""Linear decoders of ratings as estimators."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin

from models.api.estimator import MASK, Decoder, decoder
from models.api.inputs import concepts_of, ratings_of, trials_of
from models.base.arrays import Floats
from models.catalog.registry import build_linear

__all__ = [
    "BandedRidge",
    "ConceptDecoder",
    "EncodingInversion",
    "LinearDecoder",
    "Mean",
    "QuadraticDecoder",
    "Ridge",
]


class LinearDecoder(MultiOutputMixin, RegressorMixin, Decoder):  # type: ignore[misc]
    """A decoder of ratings that is fitted in one go."""

    def fit(self, X: Any, Y: Any, groups: Any = None) -> Self:  # noqa: ANN401
        """Fit on all trials given.

        Parameters
        ----------
        X : (n_trials, n_voxels)
            Responses: an array of any floating type, a memory map, or a TrialMatrix. Blocks are
            read as float32, so that X is never in memory as a whole.
        Y : (n_trials,) or (n_trials, n_targets)
            Ratings, on any scale.
        groups : (n_trials,), optional
            The concept of each trial; penalties are chosen on concepts that are held out. None:
            trials with the same ratings are of one concept.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            X or Y is no table of finite numbers, or a parameter cannot work (ModelError).
        """
        trials = trials_of(self, X, first=True)
        ratings, self.flat_ = ratings_of(trials, Y)
        rows = np.arange(len(ratings))
        model = build_linear(self.config, getattr(self, "mask", None))
        self.model_ = model.fit(trials, rows, ratings, concepts_of(groups, ratings))
        return self

    def predict(self, X: Any) -> Floats:  # noqa: ANN401
        """Return ratings (n_trials, n_targets) on Y's scale; (n_trials,) if Y was."""
        trials, rows = self._read(X)
        found: Floats = self.model_.predict(trials, rows)
        return found[:, 0] if self.flat_ else found


class WeightedDecoder(LinearDecoder):
    """A linear decoder that is one weight a voxel and an intercept, per rating."""

    @property
    def coef_(self) -> Floats:
        """Weights (n_targets, n_voxels): ratings = X · coef_.T + intercept_."""
        fitted = self.model_.arrays()
        whole = np.zeros((fitted["weights"].shape[1], self.n_features_in_), np.float32)
        whole[:, fitted["voxels"]] = fitted["weights"].T
        return whole[0] if self.flat_ else whole

    @property
    def intercept_(self) -> Floats:
        """Ratings (n_targets,) of a response of zeros."""
        offset: Floats = self.model_.arrays()["intercept"]
        return offset[0] if self.flat_ else offset


@decoder("ridge")
class Ridge(WeightedDecoder):
    """Ridge regression with one penalty per rating, chosen on held-out concepts.

    Voxels are selected and weighed by the share of their variance that the ratings explain, see
    models.linear.ridge.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 50))
    >>> Y = X[:, :2] + rng.standard_normal((200, 2))
    >>> ridge = Ridge(n_alphas=7).fit(X[:150], Y[:150])
    >>> ridge
    Ridge(n_alphas=7)
    >>> ridge.predict(X[150:]).shape, ridge.coef_.shape
    ((50, 2), (2, 50))
    """


@decoder("banded_ridge", mask=MASK)
class BandedRidge(WeightedDecoder):
    """Ridge regression with a penalty of its own for each band of voxels, by himalaya.

    Bands by `place` need the mask. Concepts are averaged, so `groups` matter more than elsewhere.
    """


@decoder("concept_decoder", mask=MASK)
class ConceptDecoder(WeightedDecoder):
    """A few axes of the responses, read out concept by concept.

    The mask is needed only where neighbours' noise is inverted. See models.subspace.
    """


@decoder("quadratic_decoder", mask=MASK)
class QuadraticDecoder(LinearDecoder):
    """The concept decoder with each trial's strength divided out, and products of axes."""


@decoder("encoding_inversion")
class EncodingInversion(WeightedDecoder):
    """An encoding model from ratings to voxels, turned round by Bayes' rule."""


@decoder("mean")
class Mean(LinearDecoder):
    """The training mean of each rating, whatever the brain does: what every score must beat."""

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags
