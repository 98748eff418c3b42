"""What scikit-learn expects of its estimators, run on every decoder; exceptions with reasons."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from models.api import (
    LDA,
    MLP,
    BandedRidge,
    ConceptDecoder,
    EncodingInversion,
    LinearSVM,
    Logistic,
    Mean,
    OneHotRidge,
    QuadraticDecoder,
    Ridge,
    ViT3D,
)

SINGLE = "predictions are float32, as responses are; the check asks for float64"
SHORT = "two epochs of two batches teach nothing yet"


class _OnALine:
    """Lets a network take the voxels of the checks, whose number varies, as a line of them."""

    def _mask(self, n_voxels):
        return np.ones((n_voxels, 1, 1), bool)


class LineMLP(_OnALine, MLP):
    pass


class LineLogistic(_OnALine, Logistic):
    pass


class LineViT3D(_OnALine, ViT3D):
    pass


LINEAR = [
    Ridge(n_alphas=5),
    BandedRidge(n_bands=1, n_candidates=3, n_alphas=3),
    ConceptDecoder(),
    QuadraticDecoder(),
    EncodingInversion(),
    Mean(),
]
CLASSIFIERS = [LDA(), OneHotRidge(), LinearSVM()]
TRAINING = {"epochs": 2, "batches_per_epoch": 2, "learning_rate": 0.01, "precision": "float32"}
SMALL = {"patch_size": (2, 1, 1), "pad": True, "embed_dim": 8, "n_heads": 1, "n_layers": 1}
NETWORKS = [
    LineMLP(input="brain", hidden=8, **TRAINING),
    LineLogistic(
        input="brain",
        **TRAINING | {"loss": "cross_entropy", "epochs": 8, "batches_per_epoch": 16},
    ),
    LineViT3D(**SMALL, **TRAINING),
]


def _expected(estimator):
    if type(estimator) in {LDA, OneHotRidge, LinearSVM}:
        return {}
    return {"check_regressor_multioutput": SINGLE}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [*LINEAR, *CLASSIFIERS], expected_failed_checks=_expected, xfail_strict=True
)
def test_linear_decoders(estimator, check):
    check(estimator)


def _expected_of_networks(estimator):
    if estimator.loss == "cross_entropy":
        return {}
    return {"check_regressor_multioutput": SINGLE, "check_regressors_train": SHORT}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(NETWORKS, expected_failed_checks=_expected_of_networks, xfail_strict=True)
def test_networks(estimator, check):
    check(estimator)
