"""Every way to ask a decoder where it looks: what it says, whom it suits; without torch."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Method(NamedTuple):
    """A way to make a map: its title, one sentence, what it needs, what one value stands for."""

    title: str
    sentence: str
    needs: Literal["attention", "network", "linear", "any"]
    unit: Literal["token", "voxel"]


METHODS: dict[str, Method] = {
    "attention": Method(
        "Attention",
        "Where each head of each layer looks: a look, not yet a use.",
        "attention",
        "token",
    ),
    "rollout": Method(
        "Attention rollout",
        "Attention of all layers multiplied through (Abnar & Zuidema 2020), heads averaged.",
        "attention",
        "token",
    ),
    "attention_gradient": Method(
        "Attention × gradient",
        "Attention weighed by how much the output would change with it (Chefer et al. 2021).",
        "attention",
        "token",
    ),
    "gradient_input": Method(
        "Gradient × input",
        "Each voxel's response times the slope of the output there.",
        "network",
        "voxel",
    ),
    "integrated_gradients": Method(
        "Integrated gradients",
        "The same, averaged over the way from a mean response to this one: sums to the output.",
        "network",
        "voxel",
    ),
    "occlusion": Method(
        "Occlusion by patch",
        "How much the output changes when a patch's response is replaced by its mean.",
        "any",
        "token",
    ),
    "occlusion_region": Method(
        "Occlusion by region",
        "How much the output changes when a whole region's response is replaced by its mean, "
        "shared out over its voxels.",
        "any",
        "voxel",
    ),
    "weights": Method(
        "Weights",
        "What the decoder multiplies each voxel by. A voxel without any signal gets a weight "
        "when it helps to cancel noise that others share: weights show use, not origin.",
        "linear",
        "voxel",
    ),
    "pattern": Method(
        "Activation pattern",
        "How each voxel's response goes along with what the decoder says (Haufe et al. 2014): "
        "patterns show where the signal is, weights how it is read out.",
        "any",
        "voxel",
    ),
    "pattern_local": Method(
        "Activation pattern, 12 mm around",
        "The activation pattern averaged over 12 mm around each voxel: a single voxel's pattern "
        "is mostly noise, so neighbours are asked too, and edges are that much coarser.",
        "any",
        "voxel",
    ),
}

# of these a value below zero is chance, not use
SHARES = ("pattern", "pattern_local")
