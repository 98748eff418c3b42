"""Which decoders there are, and how each is built; only building one imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import Floats, Mask, Rows, TrialMatrix
from models.base.errors import ModelError
from models.base.settings import Settings
from models.catalog.config import ModelConfig
from models.classify.config import (
    CNN3DConfig,
    IdentificationConfig,
    LDAConfig,
    LinearSVMConfig,
    LogisticConfig,
    MLPConfig,
    MultinomialRidgeConfig,
    VoxelSettings,
)
from models.linear.config import (
    BandedRidgeConfig,
    EncodingInversionConfig,
    MeanConfig,
    RidgeConfig,
)
from models.subspace.config import ConceptDecoderConfig, QuadraticDecoderConfig
from models.transformer.cnn_vit_config import CNNViTConfig
from models.transformer.config import TransformerConfig
from models.transformer.vit3d_config import ViT3DConfig

if TYPE_CHECKING:
    from models.base.network import Network

Arrays = dict[str, NDArray[Any]]


class LinearModel(Protocol):
    """A decoder that is fitted in one go; predictions come out on the scale of Y."""

    def fit(self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]) -> Self:
        """Fit on trials `rows` with ratings Y (len(rows), n_targets), concepts (len(rows),)."""
        ...

    def predict(self, X: TrialMatrix, rows: Rows) -> Floats:
        """Ratings (len(rows), n_targets)."""
        ...

    def arrays(self) -> Arrays:
        """Everything that was fitted, for a safetensors file."""
        ...

    @classmethod
    def from_arrays(cls, config: Any, arrays: Arrays) -> Self:  # noqa: ANN401
        """Rebuild a fitted model from its config and `arrays()`."""
        ...


@dataclass(frozen=True)
class ModelSpec:
    """One architecture: its settings, its kind, one sentence for the form, where it is built."""

    name: str
    config: type[Settings]
    kind: Literal["network", "linear"]
    summary: str
    builder: str
    learns: Literal["ratings", "classes"] | None = None
    """What a linear decoder learns, ratings unless it says otherwise; networks learn both."""

    takes_mask: bool = False

    def can_learn(self, what: str) -> bool:
        """Whether the architecture can learn 'ratings', or classes of any kind."""
        given = "ratings" if what == "ratings" else "classes"
        return self.kind == "network" or (self.learns or "ratings") == given

    def load(self) -> Any:  # noqa: ANN401
        """Import the class that the spec names."""
        module, name = self.builder.split(":")
        return getattr(import_module(module), name)


MODELS: dict[str, ModelSpec] = {
    spec.name: spec
    for spec in (
        ModelSpec(
            "vit3d",
            ViT3DConfig,
            "network",
            "A vision transformer whose tokens are blocks of voxels.",
            "models.transformer.vit3d:ViT3D",
        ),
        ModelSpec(
            "cnn_vit",
            CNNViTConfig,
            "network",
            "Two convolution blocks, then a vision transformer over their map.",
            "models.transformer.cnn_vit:CNNViT",
        ),
        ModelSpec(
            "logistic",
            LogisticConfig,
            "network",
            "One linear layer: the report's logistic regression.",
            "models.classify.voxel_networks:Logistic",
        ),
        ModelSpec(
            "mlp",
            MLPConfig,
            "network",
            "One hidden layer of 512 units.",
            "models.classify.voxel_networks:MLP",
        ),
        ModelSpec(
            "cnn3d",
            CNN3DConfig,
            "network",
            "Three blocks of 3-D convolution, then two layers.",
            "models.classify.voxel_networks:CNN3D",
        ),
        ModelSpec(
            "lda",
            LDAConfig,
            "linear",
            "Linear discriminant analysis of classes, with a shrunk covariance.",
            "models.classify.lda:LDA",
            "classes",
        ),
        ModelSpec(
            "linear_svm",
            LinearSVMConfig,
            "linear",
            "A linear support vector machine a class: the field's usual reference.",
            "models.classify.linear_svm:LinearSVM",
            "classes",
        ),
        ModelSpec(
            "multinomial_ridge",
            MultinomialRidgeConfig,
            "linear",
            "Ridge regression on one-hot classes: the reference of classifiers.",
            "models.classify.onehot_ridge:MultinomialRidge",
            "classes",
        ),
        ModelSpec(
            "identification",
            IdentificationConfig,
            "linear",
            "Predicts ratings and names the concept that is rated like that, even an unseen one.",
            "models.classify.identification:Identification",
            "classes",
        ),
        ModelSpec(
            "ridge",
            RidgeConfig,
            "linear",
            "Ridge regression from voxels to ratings: the reference that a network has to beat.",
            "models.linear.ridge:Ridge",
        ),
        ModelSpec(
            "concept_decoder",
            ConceptDecoderConfig,
            "linear",
            "A few axes of the responses, read out concept by concept: the best measured so far.",
            "models.subspace.concept_decoder:ConceptDecoder",
            takes_mask=True,
        ),
        ModelSpec(
            "quadratic_decoder",
            QuadraticDecoderConfig,
            "linear",
            "The same axes, not linear: a trial's strength divided out, and products of axes.",
            "models.subspace.quadratic_decoder:QuadraticDecoder",
            takes_mask=True,
        ),
        ModelSpec(
            "banded_ridge",
            BandedRidgeConfig,
            "linear",
            "Ridge regression with a penalty of its own for each band of voxels, by himalaya.",
            "models.linear.banded_ridge:BandedRidge",
            takes_mask=True,
        ),
        ModelSpec(
            "encoding_inversion",
            EncodingInversionConfig,
            "linear",
            "An encoding model, turned round by Bayes' rule: the textbook's decoder.",
            "models.linear.encoding_inversion:EncodingInversion",
        ),
        ModelSpec(
            "mean",
            MeanConfig,
            "linear",
            "The training mean of each rating: what can be reached without looking at the brain.",
            "models.linear.mean_baseline:Mean",
        ),
    )
}


def spec_of(config: ModelConfig) -> ModelSpec:
    """Return the spec of a config."""
    return MODELS[config.name]


def build_network(
    config: ModelConfig,
    mask: Mask,
    n_targets: int,
    score: Floats | None = None,
    seed: int = 0,
) -> Network:
    """Build an untrained network for a brain mask (X, Y, Z); same seed, same weights.

    `score` (n_brain_voxels,): how much each voxel says about the ratings in the fitting trials
    (models.base.voxel_scores.encoding_score); only where `needs_score(config)`.
    """
    if needs_score(config) and score is None:
        msg = (
            "the config selects or weighs voxels by their score, but no score was given: pass "
            "score=encoding_score(X, fitting_rows, Y)"
        )
        raise ModelError(msg)
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return _network(config, mask, n_targets, score)


def blank_network(config: ModelConfig, mask: Mask, n_targets: int) -> Network:
    """Build a network whose weights, tokens and voxel weights are about to be loaded."""
    return _network(config, mask, n_targets, np.ones(int(mask.sum()), np.float32))


def needs_score(config: ModelConfig) -> bool:
    """Whether building the network needs voxel scores of the fitting trials."""
    if isinstance(config, TransformerConfig):
        return config.n_selected_tokens is not None or config.score_power > 0
    return isinstance(config, VoxelSettings) and config.input == "selected"


def _network(config: ModelConfig, mask: Mask, n_targets: int, score: Floats | None) -> Network:
    spec = spec_of(config)
    if spec.kind != "network":
        msg = f"model {config.name!r} is not a network: build it with build_linear"
        raise ModelError(msg)
    return cast("Network", spec.load()(config, mask, n_targets, score))


def build_linear(config: ModelConfig, mask: Mask | None = None) -> LinearModel:
    """Build an unfitted linear decoder; some read off the mask which voxels are neighbours."""
    spec = spec_of(config)
    if spec.kind != "linear":
        msg = f"model {config.name!r} is a network: build it with build_network"
        raise ModelError(msg)
    model = spec.load()(config, mask) if spec.takes_mask else spec.load()(config)
    return cast("LinearModel", model)


def load_linear(config: ModelConfig, arrays: Arrays) -> LinearModel:
    """Rebuild a fitted linear decoder from what its `arrays()` gave."""
    return cast("LinearModel", spec_of(config).load().from_arrays(config, arrays))
