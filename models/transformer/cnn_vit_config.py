"""Settings of the transformer behind two convolution blocks, and the shapes of their maps."""

from __future__ import annotations

from typing import Literal

from models.base.errors import ModelError
from models.base.settings import setting
from models.base.spec import ModelSpec
from models.transformer.config import Side, TransformerConfig
from models.transformer.patches import Shape

FIRST, LAST = 2, 4  # voxels of the grid that a place of each map stands for, along an axis


def map_shape(shape: Shape, stride: int) -> Shape:
    """Shape of a map of a volume (X, Y, Z): pooling drops what is left over.

    The first map is cut to twice the last one, so that tokens of both cover the same voxels.
    """
    x, y, z = (n // 2 // 2 * LAST // stride for n in shape)
    if not min(x, y, z):
        msg = (
            f"a volume of {shape} is too small for two poolings: 4 or more voxels along each axis "
            "are needed"
        )
        raise ModelError(msg)
    return x, y, z


class CNNViTConfig(TransformerConfig):
    """The original study's CNN + transformer; the defaults are its own."""

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
        "last: tokens of the CNN's last map, as in the original study; both: tokens of its first, "
        "finer map as well.",
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

    @classmethod
    def patch_sides(cls, name: str, shape: tuple[int, int, int]) -> tuple[int, int, int] | None:
        """Return the sides of the map that a patch is cut from."""
        stride = {"patch_size": LAST, "first_patch_size": FIRST}.get(name)
        return None if stride is None else map_shape(shape, stride)

    @classmethod
    def usual_patches(cls) -> tuple[tuple[int, int, int], ...]:
        """Return patch sizes that a form suggests."""
        return (6, 11, 6), (3, 11, 3)


CNN_VIT = ModelSpec(
    "cnn_vit",
    CNNViTConfig,
    "network",
    "Two convolution blocks, then a vision transformer over their map.",
    "models.transformer.cnn_vit:CNNViT",
    "models.transformer.cost:cnn_vit_work",
)
