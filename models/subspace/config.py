"""Settings of every decoder that works in a subspace of the responses."""

from __future__ import annotations

from typing import Literal

from models.base.settings import ModelSettings, setting
from models.base.spec import ModelSpec

DEFAULT_AXES = 100


class SubspaceSettings(ModelSettings):
    """Which voxels make the axes, how many axes there are, and what is tried on held-out data."""

    n_axes: int = setting(
        DEFAULT_AXES,
        "Axes",
        "Principal axes of the weighted responses that are kept; fewer where there are fewer "
        "trials or voxels than 100.",
        ge=1,
        le=2000,
    )
    local_noise: Literal["ignore", "invert"] = setting(
        "ignore",
        "Noise of neighbouring voxels",
        "ignore: weigh each voxel alone, which is fast; invert: estimate how neighbours share "
        "noise, subtract it, and expect their tuning to be alike. Slower; it gains most where "
        "the noise is as smooth as in planted data, so expect less of measured ones.",
    )
    n_selected_voxels: int | None = setting(
        60_000,
        "Keep the best voxels",
        "Keep at most so many voxels: those that the ratings explain best in the fitting trials. "
        "They are held in memory: 1.8 GB for 60,000 voxels of 7,440 trials. Empty: all.",
        ge=2,
        le=10_000_000,
    )
    score_power: float = setting(
        0.5,
        "Voxel weights",
        "Multiply each voxel by (share of its variance that the ratings explain) to this power; "
        "with inverted noise, by half the power.",
        ge=0,
        le=4,
        more=True,
    )
    tuning_fwhm: float = setting(
        3.0,
        "Smoothness of tuning (voxels)",
        "Width over which neighbours are expected to be tuned alike, in voxels; used with "
        "inverted noise. 3 voxels of 2 mm are 6 mm.",
        ge=0,
        le=20,
        more=True,
    )
    phi: float | None = setting(
        None,
        "φ",
        "How noisy the trials to come are: 1 for single trials, 1/12 for means of 12. Empty: "
        "chosen on held-out training concepts, for single trials and means alike.",
        gt=0,
        le=100,
        more=True,
    )
    alpha: float | None = setting(
        None,
        "α",
        "Keeps directions with little variance small. Empty: chosen on held-out concepts.",
        gt=0,
        le=1000,
        more=True,
    )
    held_out: float = setting(
        0.2,
        "Concepts held out",
        "Share of the training concepts on which φ, α and the like are chosen.",
        gt=0,
        lt=1,
        more=True,
    )
    block_voxels: int = setting(
        4096, "Voxels in memory", "Voxels read at a time.", ge=16, le=1_000_000, more=True
    )
    seed: int = setting(0, "Seed", "Draws the held-out concepts.", ge=0, le=2**31 - 1, more=True)


class ConceptDecoderConfig(SubspaceSettings):
    """A few axes of the responses, read out for concepts: the best linear decoder so far."""

    name: Literal["concept_decoder"] = setting(
        "concept_decoder", "Model", "Axes of the responses, read out concept by concept."
    )


class QuadraticDecoderConfig(SubspaceSettings):
    """The same axes with each trial's strength divided out, and products of the best axes."""

    name: Literal["quadratic_decoder"] = setting(
        "quadratic_decoder", "Model", "Axes of the responses and their products: not linear."
    )
    n_product_axes: int = setting(
        30,
        "Axes multiplied",
        "The axes that tell concepts apart best are multiplied with each other: 30 give 465 "
        "products; 0: none.",
        ge=0,
        le=200,
    )
    product_alpha: float | None = setting(
        None,
        "α of products",
        "Keeps the products' weights small. Empty: chosen on held-out concepts; a large one "
        "leaves the linear decoder.",
        gt=0,
        le=1e6,
        more=True,
    )
    gain_power: float | None = setting(
        None,
        "Strength divided out",
        "Divide each trial by its strength (rms over axes) to this power: 0 not at all, 1 "
        "wholly. Empty: chosen on held-out concepts.",
        ge=0,
        le=2,
        more=True,
    )


CONCEPT_DECODER = ModelSpec(
    "concept_decoder",
    ConceptDecoderConfig,
    "linear",
    "A few axes of the responses, read out concept by concept: the best measured so far.",
    "models.subspace.concept_decoder:ConceptDecoder",
    "models.subspace.cost:concept_decoder_work",
    takes_mask=True,
)
QUADRATIC_DECODER = ModelSpec(
    "quadratic_decoder",
    QuadraticDecoderConfig,
    "linear",
    "The same axes, not linear: a trial's strength divided out, and products of axes.",
    "models.subspace.quadratic_decoder:QuadraticDecoder",
    "models.subspace.cost:quadratic_decoder_work",
    takes_mask=True,
)
