"""How a value a token becomes values a voxel, and back, without losing or inventing mass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.errors import ModelError
from models.network import Network
from models.patches import TokenIndex

Array = NDArray[np.float64]


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


def from_boxes(boxes: NDArray[np.integer], mask: NDArray[np.bool_], note: str = "") -> TokenMap:
    """Return the map of boxes (n_tokens, 3, 2): first and last + 1 voxel along each axis.

    A box may reach beyond the volume (padding) and may overlap others.
    """
    place = np.full(mask.shape, -1, np.int64)
    place[mask] = np.arange(int(mask.sum()))
    rows, voxels, sizes = [], [], np.empty(len(boxes))
    for token, box in enumerate(np.asarray(boxes)):
        low, high = np.clip(box[:, 0], 0, mask.shape), np.clip(box[:, 1], 0, mask.shape)
        part = place[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
        inside = part[part >= 0]
        rows.append(np.full(len(inside), token))
        voxels.append(inside)
        sizes[token] = np.prod(box[:, 1] - box[:, 0])
    row, voxel = np.concatenate(rows), np.concatenate(voxels)
    shape = (len(boxes), int(mask.sum()))
    return TokenMap(sparse.csr_array((1 / sizes[row], (row, voxel)), shape=shape), sizes, note)


def token_map(network: Network, mask: NDArray[np.bool_]) -> TokenMap:
    """Return the map of a network's tokens: its patches, or the boxes that it states."""
    index = getattr(network, "tokens", None)
    if isinstance(index, TokenIndex):
        return from_index(index)
    boxes = getattr(network, "token_boxes", None)
    if boxes is None:
        msg = f"model {network.config.name!r} does not say where its tokens lie in the brain"
        raise ModelError(msg)
    found = boxes() if callable(boxes) else boxes
    return from_boxes(np.asarray(found), mask, str(getattr(network, "token_note", "")))
