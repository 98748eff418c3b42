"""The settings of all models together; importing them costs no torch."""

from __future__ import annotations

from typing import Annotated, Any, cast

from pydantic import Field, ValidationError

from models.base.errors import ModelError
from models.base.settings import Settings, did_you_mean, sentence
from models.classify.config import (
    CNN3DConfig,
    IdentificationConfig,
    LDAConfig,
    LinearSVMConfig,
    LogisticConfig,
    MLPConfig,
    MultinomialRidgeConfig,
)
from models.linear.config import (
    BandedRidgeConfig,
    EncodingInversionConfig,
    MeanConfig,
    RidgeConfig,
)
from models.subspace.config import ConceptDecoderConfig, QuadraticDecoderConfig
from models.transformer.cnn_vit_config import CNNViTConfig
from models.transformer.vit3d_config import ViT3DConfig

ModelConfig = Annotated[
    ViT3DConfig
    | CNNViTConfig
    | LogisticConfig
    | MLPConfig
    | CNN3DConfig
    | LDAConfig
    | LinearSVMConfig
    | MultinomialRidgeConfig
    | IdentificationConfig
    | RidgeConfig
    | ConceptDecoderConfig
    | QuadraticDecoderConfig
    | BandedRidgeConfig
    | EncodingInversionConfig
    | MeanConfig,
    Field(discriminator="name"),
]


CONFIGS: dict[str, type[Settings]] = {
    "vit3d": ViT3DConfig,
    "cnn_vit": CNNViTConfig,
    "logistic": LogisticConfig,
    "mlp": MLPConfig,
    "cnn3d": CNN3DConfig,
    "lda": LDAConfig,
    "linear_svm": LinearSVMConfig,
    "multinomial_ridge": MultinomialRidgeConfig,
    "identification": IdentificationConfig,
    "concept_decoder": ConceptDecoderConfig,
    "quadratic_decoder": QuadraticDecoderConfig,
    "banded_ridge": BandedRidgeConfig,
    "encoding_inversion": EncodingInversionConfig,
    "ridge": RidgeConfig,
    "mean": MeanConfig,
}


def parse_model(data: dict[str, Any]) -> ModelConfig:
    """Turn a dict (from JSON, a form or a script) into a model config, or raise one sentence."""
    name = data.get("name")
    if not isinstance(name, str) or name not in CONFIGS:
        guess = did_you_mean(str(name), CONFIGS)
        msg = f"model.name {name!r} is not a model{guess}: use one of {', '.join(CONFIGS)}"
        raise ModelError(msg)
    config = CONFIGS[name]
    try:
        return cast("ModelConfig", config.model_validate(data))
    except ValidationError as error:
        raise ModelError(sentence(error, "model", config.model_fields)) from None
