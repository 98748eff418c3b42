"""Every way to ask a decoder where it looks: one object a method, in one registry; no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thingsviz.core.arrays import Array

if TYPE_CHECKING:
    from torch import Tensor

    from models.base.network import Network
    from models.explain.attribution import Objective
    from thingsviz.explain.decoder import Decoder

    EachBatch = Callable[[Tensor], Tensor]

Need = Literal["attention", "network", "linear", "any"]
Groups = NDArray[np.int64]

SAMPLE_BYTES = 4 * 4000 * 6000  # of a sample of voxels of the most trials
CLEAN_COLUMNS = 64  # covariances a voxel, about
GRADIENT_BATCH = 16  # trials
ROW_BYTES = 192 * 2**20  # of explicit attention at once


class MapSizes(NamedTuple):
    """What a map's memory depends on; without attention tokens, heads and layers are 0."""

    n_voxels: int
    n_tokens: int = 0
    n_heads: int = 0
    n_layers: int = 0


@dataclass(frozen=True)
class MapMethod:
    """A way to make a map: what it says, what it needs, how it is computed and how it is shown.

    Exactly one of three ways computes it: `each` batch of trials, averaged; `whole`, from the
    decoder alone; or `share`, a pattern of many trials (thingsviz.explain.patterns).
    """

    name: str
    title: str
    sentence: str
    needs: Need
    unit: Literal["token", "voxel"]
    """What one value stands for."""

    resolution: str = "a voxel"
    """How near two things may be and still be told apart, in words."""

    each: Callable[[MapMethod, Decoder, Objective], EachBatch] | None = None
    """Returns the function responses (B, n_voxels) → values (B, …)."""

    whole: Callable[[Decoder, int | None], Array] | None = None
    """Returns values (n_voxels,) of one output, None: of all."""

    groups: Callable[[Decoder], Groups] | None = None
    """What is left out together, (n_voxels,): patches or regions, −1 for what stays."""

    share: bool = False
    """A share of variance: a value below zero is chance, not use."""

    around_mm: float = 0.0
    """Over which the pattern is averaged (Gaussian, FWHM)."""

    cleaned: bool = False
    """Noise that voxels share is taken out first."""

    by_head: bool = False
    """There is a map for each layer and head."""

    @property
    def by_region(self) -> bool:
        """Whether a value is one of a region, shared out over its voxels."""
        return self.groups is not None and self.unit == "voxel"

    @property
    def of_decoder(self) -> bool:
        """Whether the map is the same whichever trials it is asked for."""
        return self.share or self.whole is not None

    def batch(self, size: MapSizes) -> int:
        """Return how many trials are worked on at a time: of attention what ROW_BYTES hold."""
        if self.needs != "attention":
            return GRADIENT_BATCH
        row = 4 * max(size.n_heads, 1) * (size.n_tokens + 1) ** 2
        return min(GRADIENT_BATCH, max(1, ROW_BYTES // row))

    def peak_bytes(self, size: MapSizes) -> int:
        """Return about how many bytes it takes beyond the decoder itself.

        Copies of a batch of responses, and with attention each layer's full matrix for it.
        """
        if self.needs != "attention":
            clean = 4 * SAMPLE_BYTES + 8 * CLEAN_COLUMNS * size.n_voxels if self.cleaned else 0
            return 4 * GRADIENT_BATCH * size.n_voxels * 4 + clean
        batch, n = self.batch(size), size.n_tokens + 1
        matrices = 4 * batch * size.n_heads * n * n * max(1, size.n_layers)
        return 4 * batch * size.n_voxels * 2 + matrices

    def amount(self, values: Array) -> Array:
        """Return values as amounts, not negative: of a share what is above chance, else |v|."""
        return np.clip(values, 0, None) if self.share else np.abs(values)


def _network(decoder: Decoder) -> Network:
    assert decoder.network is not None
    return decoder.network


def _attention(method: MapMethod, decoder: Decoder, score: Objective) -> EachBatch:
    from models.explain.attention_maps import attention

    return lambda x: attention(_network(decoder), x)


def _rollout(method: MapMethod, decoder: Decoder, score: Objective) -> EachBatch:
    from models.explain.attention_maps import rollout

    return lambda x: rollout(_network(decoder), x)


def _attention_gradient(method: MapMethod, decoder: Decoder, score: Objective) -> EachBatch:
    from models.explain.attention_maps import attention_gradient

    return lambda x: attention_gradient(_network(decoder), x, score)


def _gradient_input(method: MapMethod, decoder: Decoder, score: Objective) -> EachBatch:
    from models.explain.attribution import gradient_input

    return lambda x: gradient_input(decoder.outputs, x, score)


def _integrated_gradients(method: MapMethod, decoder: Decoder, score: Objective) -> EachBatch:
    from models.explain.attribution import integrated_gradients

    return lambda x: integrated_gradients(decoder.outputs, x, score)


def _occlusion(method: MapMethod, decoder: Decoder, score: Objective) -> EachBatch:
    from models.explain.attribution import linear_occlusion, occlusion

    assert method.groups is not None
    groups, weights = method.groups(decoder), decoder.weights()
    if weights is not None:
        return linear_occlusion(weights, groups, decoder.baseline, score)
    return lambda x: occlusion(decoder.outputs, x, score, groups)


def _weights(decoder: Decoder, target: int | None) -> Array:
    """Return |weight| of one output, or the root of the summed squares over all, (n_voxels,)."""
    weights = decoder.weights()
    assert weights is not None
    squared = np.asarray(weights, float) ** 2
    return np.asarray(np.sqrt(squared.sum(1) if target is None else squared[:, target]))


METHODS: dict[str, MapMethod] = {
    method.name: method
    for method in (
        MapMethod(
            "attention",
            "Attention",
            "Where each head of each layer looks: a look, not yet a use.",
            "attention",
            "token",
            "a patch",
            each=_attention,
            by_head=True,
        ),
        MapMethod(
            "rollout",
            "Attention rollout",
            "Attention of all layers multiplied through (Abnar & Zuidema 2020), heads averaged.",
            "attention",
            "token",
            "a patch",
            each=_rollout,
        ),
        MapMethod(
            "attention_gradient",
            "Attention × gradient",
            "Attention weighed by how much the output would change with it (Chefer et al. 2021).",
            "attention",
            "token",
            "a patch",
            each=_attention_gradient,
        ),
        MapMethod(
            "gradient_input",
            "Gradient × input",
            "Each voxel's response times the slope of the output there.",
            "network",
            "voxel",
            each=_gradient_input,
        ),
        MapMethod(
            "integrated_gradients",
            "Integrated gradients",
            "The same, averaged over the way from a mean response to this one: sums to the "
            "output.",
            "network",
            "voxel",
            each=_integrated_gradients,
        ),
        MapMethod(
            "occlusion",
            "Occlusion by patch",
            "How much the output changes when a patch's response is replaced by its mean.",
            "any",
            "token",
            "a patch",
            each=_occlusion,
            groups=lambda decoder: decoder.tokens.groups(),
        ),
        MapMethod(
            "occlusion_region",
            "Occlusion by region",
            "How much the output changes when a whole region's response is replaced by its mean, "
            "shared out over its voxels.",
            "any",
            "voxel",
            "a region",
            each=_occlusion,
            groups=lambda decoder: decoder.regions.labels.astype(np.int64) - 1,
        ),
        MapMethod(
            "weights",
            "Weights",
            "What the decoder multiplies each voxel by. A voxel without any signal gets a weight "
            "when it helps to cancel noise that others share: weights show use, not origin.",
            "linear",
            "voxel",
            whole=_weights,
        ),
        MapMethod(
            "pattern",
            "Activation pattern",
            "How each voxel's response goes along with what the decoder says (Haufe et al. "
            "2014): patterns show where the signal is, weights how it is read out.",
            "any",
            "voxel",
            share=True,
        ),
        MapMethod(
            "pattern_local",
            "Activation pattern, 12 mm around",
            "The activation pattern averaged over 12 mm around each voxel: a single voxel's "
            "pattern is mostly noise, so neighbours are asked too, and edges are that much "
            "coarser.",
            "any",
            "voxel",
            "12 mm",
            share=True,
            around_mm=12.0,
        ),
        MapMethod(
            "pattern_clean",
            "Activation pattern, shared noise removed",
            "The activation pattern after noise that many voxels share, found between trials of "
            "the same concept, was taken out of the responses (after Kay et al. 2013).",
            "any",
            "voxel",
            share=True,
            cleaned=True,
        ),
        MapMethod(
            "pattern_clean_local",
            "Activation pattern, shared noise removed, 6 mm around",
            "The same averaged over 6 mm around each voxel: half as coarse as the one over 12 mm, "
            "and it finds more of what was planted.",
            "any",
            "voxel",
            "6 mm",
            share=True,
            around_mm=6.0,
            cleaned=True,
        ),
    )
}
