"""Settings of the transformer behind two convolution blocks."""

from __future__ import annotations

from typing import Literal

from models.base.settings import setting
from models.transformer.config import Side, TransformerConfig


class CNNViTConfig(TransformerConfig):
    """The report's CNN + transformer; the defaults are the report's own (its §4)."""

    name: Literal["cnn_vit"] = setting(
        "cnn_vit", "Model", "Two convolution blocks, then a transformer over their map."
    )
    patch_size: tuple[Side, Side, Side] = setting(
        (6, 11, 6),
        "Patch size",
        "Places of the CNN's last map along x, y and z that make one token; the map has a quarter "
        "of the volume's voxels along each axis.",
    )
    scales: Literal["last", "both"] = setting(
        "last",
        "Scales",
        "last: tokens of the CNN's last map, as in the report; both: tokens of its first, finer "
        "map as well.",
    )
    first_patch_size: tuple[Side, Side, Side] = setting(
        (6, 11, 6),
        "Patch size, first map",
        "The same for the first map, which has half the volume's voxels along each axis.",
    )
    first_channels: int = setting(
        32, "Channels, first", "Filters of the first convolution.", ge=1, le=512, more=True
    )
    last_channels: int = setting(
        64, "Channels, last", "Filters of the second convolution.", ge=1, le=512, more=True
    )
    input_dropout: float = setting(
        0.0, "Feature dropout", "Share of the CNN's features set to zero.", ge=0, lt=1, more=True
    )
    start: Literal["random", "mean"] = setting(
        "random",
        "Start",
        "random: as PyTorch draws weights; mean: head and blocks' output maps start at zero, so "
        "that the untrained network predicts the mean and blocks pass through.",
        more=True,
    )
