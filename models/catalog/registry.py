"""Which decoders there are, and how each is built; only building one imports torch.

A new decoder is a folder of its own, with its settings, its ModelSpec, its cost and its module,
and one line in FAMILIES. Another package's decoder is made known by `register`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

import numpy as np

from models.base.arrays import Floats, Mask
from models.base.errors import ModelError
from models.base.settings import ModelSettings
from models.base.spec import Arrays, LinearModel, ModelSpec

if TYPE_CHECKING:
    from models.base.network import Network

__all__ = ["Arrays", "LinearModel", "ModelSpec"]

# in the order of the form: 'module:name' of each family's ModelSpec
FAMILIES = (
    "models.transformer.vit3d_config:VIT3D",
    "models.transformer.cnn_vit_config:CNN_VIT",
    "models.classify.config:LOGISTIC",
    "models.classify.config:MLP",
    "models.classify.config:CNN3D",
    "models.classify.config:LDA",
    "models.classify.config:LINEAR_SVM",
    "models.classify.config:MULTINOMIAL_RIDGE",
    "models.classify.config:IDENTIFICATION",
    "models.linear.config:RIDGE",
    "models.subspace.config:CONCEPT_DECODER",
    "models.subspace.config:QUADRATIC_DECODER",
    "models.linear.config:BANDED_RIDGE",
    "models.linear.config:ENCODING_INVERSION",
    "models.linear.config:MEAN",
)

MODELS: dict[str, ModelSpec] = {}
CONFIGS: dict[str, type[ModelSettings]] = {}


def register(spec: ModelSpec) -> None:
    """Make a family of decoders known to recipes, forms and commands; a name counts once."""
    if spec.name in MODELS and MODELS[spec.name] != spec:
        msg = f"there is a model {spec.name!r} already: give the new one another name"
        raise ModelError(msg)
    MODELS[spec.name], CONFIGS[spec.name] = spec, spec.config


for _family in FAMILIES:
    _module, _name = _family.split(":")
    register(getattr(import_module(_module), _name))


def spec_of(config: ModelSettings) -> ModelSpec:
    """Return the spec of a config."""
    return MODELS[config.name]


def build_network(
    config: ModelSettings,
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


def blank_network(config: ModelSettings, mask: Mask, n_targets: int) -> Network:
    """Build a network whose weights, tokens and voxel weights are about to be loaded."""
    return _network(config, mask, n_targets, np.ones(int(mask.sum()), np.float32))


def needs_score(config: ModelSettings) -> bool:
    """Whether building the network needs voxel scores of the fitting trials."""
    return config.needs_score


def _network(config: ModelSettings, mask: Mask, n_targets: int, score: Floats | None) -> Network:
    spec = spec_of(config)
    if spec.kind != "network":
        msg = f"model {config.name!r} is not a network: build it with build_linear"
        raise ModelError(msg)
    return cast("Network", spec.load()(config, mask, n_targets, score))


def build_linear(config: ModelSettings, mask: Mask | None = None) -> LinearModel:
    """Build an unfitted linear decoder; some read off the mask which voxels are neighbours."""
    spec = spec_of(config)
    if spec.kind != "linear":
        msg = f"model {config.name!r} is a network: build it with build_network"
        raise ModelError(msg)
    model = spec.load()(config, mask) if spec.takes_mask else spec.load()(config)
    return cast("LinearModel", model)


def load_linear(config: ModelSettings, arrays: Arrays) -> LinearModel:
    """Rebuild a fitted linear decoder from what its `arrays()` gave."""
    return cast("LinearModel", spec_of(config).load().from_arrays(config, arrays))
