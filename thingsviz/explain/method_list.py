"""Every way to ask a decoder where it looks: what it says, whom it suits; without torch."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Method(NamedTuple):
    """A way to make a map: its title, one sentence, what it needs, what one value stands for.

    `resolution`: how near two things may be and still be told apart, in words.
    """

    title: str
    sentence: str
    needs: Literal["attention", "network", "linear", "any"]
    unit: Literal["token", "voxel"]
    resolution: str = "a voxel"


METHODS: dict[str, Method] = {
    "attention": Method(
        "Attention",
        "Where each head of each layer looks: a look, not yet a use.",
        "attention",
        "token",
        "a patch",
    ),
    "rollout": Method(
        "Attention rollout",
        "Attention of all layers multiplied through (Abnar & Zuidema 2020), heads averaged.",
        "attention",
        "token",
        "a patch",
    ),
    "attention_gradient": Method(
        "Attention × gradient",
        "Attention weighed by how much the output would change with it (Chefer et al. 2021).",
        "attention",
        "token",
        "a patch",
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
        "a patch",
    ),
    "occlusion_region": Method(
        "Occlusion by region",
        "How much the output changes when a whole region's response is replaced by its mean, "
        "shared out over its voxels.",
        "any",
        "voxel",
        "a region",
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
        "12 mm",
    ),
    "pattern_clean": Method(
        "Activation pattern, shared noise removed",
        "The activation pattern after noise that many voxels share, found between trials of the "
        "same concept, was taken out of the responses (after Kay et al. 2013).",
        "any",
        "voxel",
    ),
    "pattern_clean_local": Method(
        "Activation pattern, shared noise removed, 6 mm around",
        "The same averaged over 6 mm around each voxel: half as coarse as the one over 12 mm, "
        "and it finds more of what was planted.",
        "any",
        "voxel",
        "6 mm",
    ),
}

# of these a value below zero is chance, not use
SHARES = ("pattern", "pattern_local", "pattern_clean", "pattern_clean_local")
# (Gaussian, FWHM) over which these average the pattern
AROUND_MM = {"pattern_local": 12.0, "pattern_clean_local": 6.0}
# of these noise that voxels share is taken out first
CLEANED = ("pattern_clean", "pattern_clean_local")
SAMPLE_BYTES = 4 * 4000 * 6000  # of a sample of voxels of the most trials
CLEAN_COLUMNS = 64  # covariances a voxel, about

GRADIENT_BATCH = 16
ROW_BYTES = 192 * 2**20  # of explicit attention at once, as models.explain.attention_maps has it


class MapSizes(NamedTuple):
    """What a map's memory depends on; without attention tokens, heads and layers are 0."""

    n_voxels: int
    n_tokens: int = 0
    n_heads: int = 0
    n_layers: int = 0


def peak_of(name: str, size: MapSizes) -> int:
    """Return about how many bytes a method takes beyond the decoder itself.

    Copies of a batch of responses, and with attention each layer's full matrix for it.
    """
    n = size.n_tokens + 1
    if METHODS[name].needs != "attention":
        more = 4 * SAMPLE_BYTES + 8 * CLEAN_COLUMNS * size.n_voxels if name in CLEANED else 0
        return 4 * GRADIENT_BATCH * size.n_voxels * 4 + more
    batch = min(GRADIENT_BATCH, max(1, ROW_BYTES // (4 * max(size.n_heads, 1) * n * n)))
    matrices = 4 * batch * size.n_heads * n * n * max(1, size.n_layers)
    return 4 * batch * size.n_voxels * 2 + matrices
