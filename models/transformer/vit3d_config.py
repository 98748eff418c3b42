"""Settings of the 3-D vision transformer."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from models.base.settings import setting
from models.base.spec import ModelSpec
from models.transformer.config import TransformerConfig


class ViT3DConfig(TransformerConfig):
    """The original study's 3-D vision transformer; the defaults are its own."""

    name: Literal["vit3d"] = setting("vit3d", "Model", "Vision transformer over 3-D patches.")
    start_from: Literal["ridge", "concept_decoder"] = setting(
        "ridge",
        "Linear start",
        "The decoder that start 'linear' fits on the fitting trials and continues from.",
        more=True,
    )

    @model_validator(mode="after")
    def _can_be_linear(self) -> Self:
        if self.start != "linear":
            return self
        needed = {"patch_embedding": "local", "pooling": "sum", "final_norm": False}
        for name, value in needed.items():
            if getattr(self, name) != value:
                msg = (
                    f"start 'linear' needs {name} {value!r}, but it is {getattr(self, name)!r}: "
                    "only then is the untrained network a linear decoder"
                )
                raise ValueError(msg)
        return self


VIT3D = ModelSpec(
    "vit3d",
    ViT3DConfig,
    "network",
    "A vision transformer whose tokens are blocks of voxels.",
    "models.transformer.vit3d:ViT3D",
    "models.transformer.cost:vit_work",
)
