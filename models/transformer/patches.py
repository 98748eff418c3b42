"""How a volume is cut into patches: token ⇄ block of voxels, masked vector ⇄ tokens."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from models.base.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

Shape = tuple[int, int, int]
Array = TypeVar("Array", "Tensor", NDArray[Any])
ABSENT = -1
_TOKENS = "... (a x) (b y) (c z) -> ... (a b c) (x y z)"
_VOLUME = "... (a b c) (x y z) -> ... (a x) (b y) (c z)"


@dataclass(frozen=True)
class PatchGrid:
    """A grid of patches over a volume; token t is patch (i, j, k) in C order.

    `shape` (X, Y, Z) and `patch` (x, y, z) in voxels. A patch that does not divide the shape is
    refused, unless `pad`: then zeros are added at the far end of each axis.
    """

    shape: Shape
    patch: Shape
    pad: bool = False

    def __post_init__(self) -> None:
        if not self.pad and any(n % p for n, p in zip(self.shape, self.patch, strict=True)):
            raise ModelError(_does_not_divide(self.shape, self.patch))

    @property
    def counts(self) -> Shape:
        """Patches along each axis."""
        x, y, z = (-(-n // p) for n, p in zip(self.shape, self.patch, strict=True))
        return x, y, z

    @property
    def n_tokens(self) -> int:
        """Patches in the volume, brain or not."""
        return int(np.prod(self.counts))

    @property
    def patch_voxels(self) -> int:
        """Voxels in a patch."""
        return int(np.prod(self.patch))

    @property
    def padding(self) -> Shape:
        """Voxels of zeros added at the far end of each axis."""
        x, y, z = (c * p - n for c, p, n in zip(self.counts, self.patch, self.shape, strict=True))
        return x, y, z

    def to_tokens(self, volume: Array) -> Array:
        """(…, X, Y, Z) → (…, n_tokens, patch_voxels)."""
        x, y, z = self.patch
        tokens: Array = rearrange(self._padded(volume), _TOKENS, x=x, y=y, z=z)
        return tokens

    def to_volume(self, tokens: Array) -> Array:
        """(…, n_tokens, patch_voxels) → (…, X, Y, Z), the exact inverse of `to_tokens`."""
        (a, b, c), (x, y, z) = self.counts, self.patch
        volume: Array = rearrange(tokens, _VOLUME, a=a, b=b, c=c, x=x, y=y, z=z)
        return volume[..., : self.shape[0], : self.shape[1], : self.shape[2]]

    def _padded(self, volume: Array) -> Array:
        if volume.shape[-3:] != self.shape:
            msg = f"a volume of shape {self.shape} was expected, but {tuple(volume.shape)} came"
            raise ModelError(msg)
        if not any(self.padding):
            return volume
        x, y, z = self.padding
        if isinstance(volume, np.ndarray):
            first = volume.ndim - 3
            return np.pad(volume, [(0, 0)] * first + [(0, x), (0, y), (0, z)])
        from torch.nn import functional

        return functional.pad(volume, (0, z, 0, y, 0, x))


@dataclass(frozen=True)
class TokenIndex:
    """Which voxel of a masked vector stands where in which token.

    `tokens` (n,) are the grid's tokens in use, rising; `gather` (n, patch_voxels) points into the
    masked vector (C order of the mask) and is ABSENT where the patch has no brain voxel.
    """

    grid: PatchGrid
    n_voxels: int
    tokens: NDArray[np.int64]
    gather: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        mask: NDArray[np.bool_],
        grid: PatchGrid,
        brain_only: bool = True,
        keep: NDArray[np.int64] | None = None,
    ) -> TokenIndex:
        """Index the patches that meet the mask (X, Y, Z), or all of them, or the `keep` ones."""
        n_voxels = int(mask.sum())
        if not n_voxels:
            msg = "the brain mask is empty: give a mask with at least one voxel"
            raise ModelError(msg)
        place = np.zeros(mask.shape, np.int64)
        place[mask] = np.arange(1, n_voxels + 1)  # 0: not brain, or padding
        gather = grid.to_tokens(place) - 1
        tokens = np.flatnonzero((gather >= 0).any(1)) if brain_only else np.arange(len(gather))
        if keep is not None:
            tokens = np.intersect1d(tokens, keep)
        return cls(grid, n_voxels, tokens, gather[tokens])

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """(n, patch_voxels): where there is a brain voxel."""
        present: NDArray[np.bool_] = self.gather != ABSENT
        return present

    def to_tokens(self, vector: Tensor) -> Tensor:
        """(…, n_voxels) → (…, n, patch_voxels), zeros where there is no brain voxel."""
        from torch import as_tensor

        present = as_tensor(self.present, dtype=vector.dtype)
        return gather_tokens(vector, as_tensor(self.gather), present)

    def to_vector(self, tokens: Tensor) -> Tensor:
        """(…, n, patch_voxels) → (…, n_voxels), zeros for voxels that are in no token in use."""
        from torch import as_tensor

        flat = tokens.flatten(-2)[..., as_tensor(self.present.ravel())]
        vector = flat.new_zeros((*flat.shape[:-1], self.n_voxels))
        return vector.index_copy(-1, as_tensor(self.gather[self.present]), flat)

    def to_voxels(self, values: Tensor) -> Tensor:
        """One value a token (…, n) → one a voxel (…, n_voxels): a map to look at."""
        spread = values.unsqueeze(-1).expand(*values.shape, self.gather.shape[1])
        return self.to_vector(spread)


def gather_tokens(vector: Tensor, gather: Tensor, weight: Tensor) -> Tensor:
    """(…, n_voxels), index and weight (n, patch_voxels) → (…, n, patch_voxels).

    `weight` is 0 where the index is ABSENT. For 64 vectors of 205,000 voxels `torch.gather`
    takes 26 ms, `index_select` 59 ms, numpy's `take` 104 ms.
    """
    index = gather.clamp(min=0).flatten().expand(*vector.shape[:-1], -1)
    return vector.gather(-1, index).view(*vector.shape[:-1], *gather.shape) * weight


def _does_not_divide(shape: Shape, patch: Shape) -> str:
    """Say which axis does not fit, what it leaves, and which sizes near by would."""
    axis = next(i for i in range(3) if shape[i] % patch[i])
    n, p = shape[axis], patch[axis]
    divisors = [d for d in range(1, n + 1) if n % d == 0]
    near = sorted(sorted(divisors, key=lambda d: (abs(d - p), d))[:2])
    return (
        f"patch_size {tuple(patch)} does not divide {tuple(shape)}: axis {axis} leaves {n % p} "
        f"{'voxel' if n % p == 1 else 'voxels'}; divisors near {p} are "
        f"{' and '.join(map(str, near))} (or set pad)"
    )
