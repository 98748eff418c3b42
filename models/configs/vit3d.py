"""Settings of the 3-D vision transformer."""

from __future__ import annotations

from typing import Literal

from models.configs.transformer import TransformerConfig
from models.settings import setting


class ViT3DConfig(TransformerConfig):
    """The report's 3-D vision transformer; the defaults are the report's own (its §3)."""

    name: Literal["vit3d"] = setting("vit3d", "Model", "Vision transformer over 3-D patches.")
