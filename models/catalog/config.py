"""The settings of any model of the registry, as a field of a recipe; importing costs no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import PlainValidator, SerializeAsAny, ValidationError

from models.base.errors import ModelError
from models.base.settings import ModelSettings, did_you_mean, sentence
from models.catalog.registry import CONFIGS

__all__ = ["CONFIGS", "ModelConfig", "parse_model"]


def _of_registry(data: Any) -> ModelSettings:  # noqa: ANN401
    """Validate by the class that `name` stands for in the registry, which may have grown."""
    if isinstance(data, ModelSettings):
        return data
    name = data.get("name") if isinstance(data, dict) else None
    if not isinstance(name, str) or name not in CONFIGS:
        msg = f"{name!r} is not the name of a model: use one of {', '.join(CONFIGS)}"
        raise ValueError(msg)
    return CONFIGS[name].model_validate(data)


if TYPE_CHECKING:
    ModelConfig = ModelSettings
else:
    ModelConfig = Annotated[SerializeAsAny[ModelSettings], PlainValidator(_of_registry)]


def parse_model(data: dict[str, Any]) -> ModelConfig:
    """Turn a dict (from JSON, a form or a script) into a model config, or raise one sentence."""
    name = data.get("name")
    if not isinstance(name, str) or name not in CONFIGS:
        guess = did_you_mean(str(name), CONFIGS)
        msg = f"model.name {name!r} is not a model{guess}: use one of {', '.join(CONFIGS)}"
        raise ModelError(msg)
    config = CONFIGS[name]
    try:
        return config.model_validate(data)
    except ValidationError as error:
        raise ModelError(sentence(error, "model", config.model_fields)) from None
