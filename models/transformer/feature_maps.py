"""Which voxels stand behind a place of a CNN's map: maps' shapes, tokens ⇄ voxel blocks; no torch.

A block of the CNN is a convolution of reach 1 that keeps the size, then a maximum over 2 × 2 × 2.
So place i of a map whose stride is s (2 after one block, 4 after two) stands for the voxels
s i … s i + s − 1 along an axis, and sees s − 1 voxels more on either side.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import Floats, Mask
from models.base.errors import ModelError
from models.base.voxel_scores import best
from models.transformer.cnn_vit_config import FIRST, LAST, CNNViTConfig, map_shape
from models.transformer.patches import PatchGrid, Shape, TokenIndex

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class MapTokens:
    """Patches of a map that are tokens: `grid` of the map, `stride` in voxels, `tokens` (n,)."""

    grid: PatchGrid
    stride: int
    mask: Mask
    tokens: NDArray[np.int64]

    @classmethod
    def of(
        cls, config: CNNViTConfig, mask: Mask, stride: int, score: Floats | None = None
    ) -> MapTokens:
        """Take the tokens that a config asks for; `score` (n_voxels,) ranks them."""
        grid = map_grid(config, _shape(mask), stride)
        every = cls(grid, stride, mask, np.arange(grid.n_tokens))
        if config.tokens == "dense":
            return every
        if not mask.any():
            msg = "the brain mask is empty: give a mask with at least one voxel"
            raise ModelError(msg)
        meets = [bool(mask[every.seen(token)].any()) for token in every.tokens]
        chosen = np.flatnonzero(meets)
        if score is not None and config.n_selected_tokens is not None:
            index = cls(grid, stride, mask, chosen).index
            total = np.where(index.present, score[index.gather], 0).sum(1, dtype=np.float32)
            chosen = chosen[best(total, config.n_selected_tokens)]
        return cls(grid, stride, mask, chosen)

    def block(self, token: int) -> tuple[slice, slice, slice]:
        """Voxels that a token stands for; blocks of different tokens do not overlap."""
        return self._box(token, 0)

    def seen(self, token: int) -> tuple[slice, slice, slice]:
        """Voxels that a token's features are computed from (its receptive field)."""
        return self._box(token, self.stride - 1)

    @cached_property
    def index(self) -> TokenIndex:
        """The tokens as blocks of voxels of the masked vector, to spread maps over the brain."""
        place = np.zeros(self.mask.shape, np.int64)
        place[self.mask] = np.arange(1, int(self.mask.sum()) + 1)
        sides = [p * self.stride for p in self.grid.patch]
        covered = [
            min(n, c * s) for n, c, s in zip(self.mask.shape, self.grid.counts, sides, strict=True)
        ]
        x, y, z = covered
        blocks = PatchGrid((x, y, z), (sides[0], sides[1], sides[2]), pad=True)
        gather = blocks.to_tokens(place[:x, :y, :z]) - 1
        return TokenIndex(blocks, int(self.mask.sum()), self.tokens, gather[self.tokens])

    def _box(self, token: int, reach: int) -> tuple[slice, slice, slice]:
        places = np.unravel_index(token, self.grid.counts)
        x, y, z = (
            slice(max(0, i * p * self.stride - reach), min(n, (i + 1) * p * self.stride + reach))
            for i, p, n in zip(places, self.grid.patch, self.mask.shape, strict=True)
        )
        return x, y, z


@dataclass(frozen=True)
class ScaleTokens:
    """Tokens of several maps in the order in which the transformer sees them."""

    parts: tuple[MapTokens, ...]

    @property
    def tokens(self) -> NDArray[np.int64]:
        """Each token's number in its own map's grid, (n_tokens,)."""
        return np.concatenate([part.tokens for part in self.parts])

    def to_voxels(self, values: Tensor) -> Tensor:
        """One value a token (…, n_tokens) → one a voxel (…, n_voxels), summed over the maps."""
        total, start = None, 0
        for part in self.parts:
            end = start + len(part.tokens)
            spread = part.index.to_voxels(values[..., start:end])
            total, start = spread if total is None else total + spread, end
        return cast("Tensor", total)


def strides(config: CNNViTConfig) -> tuple[int, ...]:
    """Strides of the maps whose patches are tokens, in the tokens' order."""
    return (LAST, FIRST) if config.scales == "both" else (LAST,)


def scale_tokens(config: CNNViTConfig, mask: Mask, score: Floats | None = None) -> ScaleTokens:
    """Tokens of all maps that a config asks for."""
    return ScaleTokens(
        tuple(MapTokens.of(config, mask, stride, score) for stride in strides(config))
    )


def map_grid(config: CNNViTConfig, shape: Shape, stride: int) -> PatchGrid:
    """Grid of patches over a map, or one sentence that says which patch would divide it."""
    sides = map_shape(shape, stride)
    name, patch = ("last", config.patch_size)
    if stride == FIRST:
        name, patch = ("first", config.first_patch_size)
    try:
        return PatchGrid(sides, patch, config.pad)
    except ModelError as error:
        setting = "first_patch_size" if stride == FIRST else "patch_size"
        words = str(error).replace("patch_size", setting, 1).replace("voxel", "place")
        msg = f"{words}; {sides} is the CNN's {name} map of a volume {shape}"
        raise ModelError(msg) from None


def _shape(mask: Mask) -> Shape:
    x, y, z = mask.shape
    return x, y, z
