"""How a value a token becomes values a voxel, and back, without losing or inventing mass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.base.arrays import Array
from models.base.errors import ModelError
from models.transformer.patches import TokenIndex

if TYPE_CHECKING:
    from models.base.network import Network


@dataclass(frozen=True)
class TokenMap:
    """Tokens ⇄ brain voxels (C order of the mask).

    `share` (n_tokens, n_voxels), sparse: which share of a token's value lies in which brain
    voxel. A token's value is shared out evenly over all voxels of its box; what falls on voxels
    outside the brain is the background's.
    """

    share: Any  # scipy.sparse.csr_array of float64
    box_voxels: Array  # (n_tokens,): voxels of each token's box, brain or not
    note: str = ""

    @property
    def n_tokens(self) -> int:
        """How many tokens there are."""
        return int(self.share.shape[0])

    @property
    def n_voxels(self) -> int:
        """How many brain voxels there are."""
        return int(self.share.shape[1])

    def to_voxels(self, values: NDArray[np.floating]) -> Array:
        """(…, n_tokens) → (…, n_voxels): the mass in each voxel."""
        given = np.asarray(values, float)
        self._check(given.shape[-1], self.n_tokens, "tokens")
        flat = given.reshape(-1, self.n_tokens)
        return np.asarray((self.share.T @ flat.T).T).reshape(*given.shape[:-1], self.n_voxels)

    def background(self, values: NDArray[np.floating]) -> Array:
        """(…, n_tokens) → (…): the mass that falls outside the brain."""
        outside = 1 - np.asarray(self.share.sum(1)).ravel()
        return np.asarray(np.asarray(values, float) @ np.clip(outside, 0, 1))

    def to_tokens(self, voxels: NDArray[np.floating]) -> Array:
        """(…, n_voxels) → (…, n_tokens): the mean over the brain voxels of each token's box.

        The inverse of `to_voxels`, times the box's size, where boxes do not overlap.
        """
        given = np.asarray(voxels, float)
        self._check(given.shape[-1], self.n_voxels, "voxels")
        flat = given.reshape(-1, self.n_voxels)
        inside = np.maximum(np.asarray(self.share.sum(1)).ravel(), 1e-12)
        means = np.asarray((self.share @ flat.T).T) / inside
        return np.asarray(means.reshape(*given.shape[:-1], self.n_tokens))

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Which brain voxels lie in any token, (n_voxels,)."""
        seen: NDArray[np.bool_] = np.asarray(self.share.sum(0)).ravel() > 0
        return seen

    def groups(self) -> NDArray[np.int64]:
        """Return which token each voxel lies in, (n_voxels,), −1 for none; the last of several."""
        share = self.share.tocsc()
        groups = np.full(self.n_voxels, -1, np.int64)
        filled = np.flatnonzero(np.diff(share.indptr))
        groups[filled] = share.indices[share.indptr[filled + 1] - 1]
        return groups

    def _check(self, came: int, expected: int, what: str) -> None:
        if came != expected:
            msg = (
                f"a map of {expected:,} {what} was expected, but {came:,} came: it belongs to "
                "another model or another brain, so make it again"
            )
            raise ModelError(msg)


def from_index(index: TokenIndex) -> TokenMap:
    """Return the map of patches: each token's box is its patch, padding included."""
    rows = np.nonzero(index.present)[0]
    size = index.grid.patch_voxels
    values = np.full(len(rows), 1 / size)
    shape = (len(index.tokens), index.n_voxels)
    share = sparse.csr_array((values, (rows, index.gather[index.present])), shape=shape)
    return TokenMap(share, np.full(len(index.tokens), float(size)))


def token_map(network: Network) -> TokenMap:
    """Return the map of a network's tokens: patches of the volume, or of a CNN's maps.

    A token of a CNN stands for its block of voxels; it also sees a rim around the block.
    """
    found = getattr(network, "tokens", None)
    if isinstance(found, TokenIndex):
        return from_index(found)
    parts = [from_index(part.index) for part in getattr(found, "parts", ())]
    if not parts:
        msg = f"model {type(network).__name__} does not say where its tokens lie in the brain"
        raise ModelError(msg)
    rims = ", ".join(str(part.stride - 1) for part in found.parts)  # type: ignore[union-attr]
    note = (
        f"A token stands for a block of voxels and also sees {rims} voxels around it: the "
        "convolutions before the transformer mix neighbours, so the map is that much coarser."
    )
    share = sparse.csr_array(sparse.vstack([part.share for part in parts]))
    return TokenMap(share, np.concatenate([part.box_voxels for part in parts]), note)
