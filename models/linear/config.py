"""Settings of the reference decoders: ridge regression and the mean."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from models.base.settings import ModelSettings, setting
from models.base.spec import ModelSpec


class RidgeConfig(ModelSettings):
    """Ridge regression; each target's penalty is chosen on held-out training concepts."""

    name: Literal["ridge"] = setting("ridge", "Model", "Ridge regression on voxels.")
    n_alphas: int = setting(13, "Penalties tried", "Penalties on a log scale.", ge=1, le=60)
    log10_alpha_min: float = setting(
        -3.0,
        "Smallest penalty (log10)",
        "In units of the mean variance of a trial (trace of the kernel / trials).",
        ge=-10,
        le=10,
        more=True,
    )
    log10_alpha_max: float = setting(
        3.0, "Largest penalty (log10)", "In the same units.", ge=-10, le=10, more=True
    )
    held_out: float = setting(
        0.2,
        "Concepts held out",
        "Share of the training concepts on which the penalty is chosen.",
        gt=0,
        lt=1,
        more=True,
    )
    n_selected_voxels: int | None = setting(
        12_000,
        "Keep the best voxels",
        "Keep at most so many voxels: those that the ratings explain best in the fitting trials. "
        "Empty: all.",
        ge=1,
        le=10_000_000,
    )
    score_power: float = setting(
        0.5,
        "Voxel weights",
        "Multiply each voxel by (share of its variance that the ratings explain) to this power; "
        "0 treats all voxels alike.",
        ge=0,
        le=4,
        more=True,
    )
    block_voxels: int = setting(
        4096, "Voxels in memory", "Voxels read at a time.", ge=16, le=1_000_000, more=True
    )
    seed: int = setting(0, "Seed", "Draws the held-out concepts.", ge=0, le=2**31 - 1, more=True)

    @model_validator(mode="after")
    def _range_is_a_range(self) -> Self:
        if self.log10_alpha_min > self.log10_alpha_max:
            msg = (
                f"log10_alpha_min {self.log10_alpha_min} is above log10_alpha_max "
                f"{self.log10_alpha_max}: swap them"
            )
            raise ValueError(msg)
        return self


class MeanConfig(ModelSettings):
    """The mean of the training ratings: what a decoder that ignores the brain reaches."""

    name: Literal["mean"] = setting("mean", "Model", "The training mean, whatever the brain does.")


class BandedRidgeConfig(ModelSettings):
    """Ridge with a penalty of its own for each band of voxels and each rating, by himalaya."""

    name: Literal["banded_ridge"] = setting(
        "banded_ridge", "Model", "Ridge regression with one penalty per band of voxels."
    )
    bands: Literal["score", "place"] = setting(
        "score",
        "Bands",
        "score: from the voxels that the ratings explain best to those that they explain least; "
        "place: slabs along the second axis of the volume, which is from the back of the head "
        "(early visual cortex) to the front.",
    )
    n_bands: int = setting(
        4, "Number of bands", "Bands of equally many voxels; 1 is ridge.", ge=1, le=20
    )
    n_candidates: int = setting(
        60,
        "Mixtures tried",
        "Random mixtures of the bands, each with all penalties; the best is taken per rating.",
        ge=1,
        le=10_000,
    )
    n_alphas: int = setting(13, "Penalties tried", "Penalties on a log scale.", ge=1, le=60)
    log10_alpha_min: float = setting(
        -4.0,
        "Smallest penalty (log10)",
        "In units of the mean variance of a concept's mean response.",
        ge=-10,
        le=10,
        more=True,
    )
    log10_alpha_max: float = setting(
        2.0, "Largest penalty (log10)", "In the same units.", ge=-10, le=10, more=True
    )
    n_selected_voxels: int | None = setting(
        30_000,
        "Keep the best voxels",
        "Keep at most so many voxels: those that the ratings explain best in the fitting trials. "
        "Empty: all.",
        ge=1,
        le=10_000_000,
    )
    score_power: float = setting(
        0.5,
        "Voxel weights",
        "Multiply each voxel by (share of its variance that the ratings explain) to this power.",
        ge=0,
        le=4,
        more=True,
    )
    held_out: float = setting(
        0.2,
        "Concepts held out",
        "Share of the training concepts on which mixture and penalty are chosen.",
        gt=0,
        lt=1,
        more=True,
    )
    block_voxels: int = setting(
        4096, "Voxels in memory", "Voxels read at a time.", ge=16, le=1_000_000, more=True
    )
    seed: int = setting(
        0, "Seed", "Draws held-out concepts and mixtures.", ge=0, le=2**31 - 1, more=True
    )

    @model_validator(mode="after")
    def _range_is_a_range(self) -> Self:
        if self.log10_alpha_min > self.log10_alpha_max:
            msg = (
                f"log10_alpha_min {self.log10_alpha_min} is above log10_alpha_max "
                f"{self.log10_alpha_max}: swap them"
            )
            raise ValueError(msg)
        return self


class EncodingInversionConfig(ModelSettings):
    """An encoding model, turned round by Bayes' rule: the textbook's decoder."""

    name: Literal["encoding_inversion"] = setting(
        "encoding_inversion", "Model", "An encoding model from ratings to voxels, inverted."
    )
    space: Literal["voxels", "residual_axes"] = setting(
        "voxels",
        "Where it is inverted",
        "voxels: with a noise covariance of all voxels (axes + a variance each), as textbooks "
        "have it; residual_axes: in the axes of the noise alone, which do not amplify errors "
        "of the estimated weights.",
    )
    n_axes: int = setting(
        100, "Noise axes", "Axes of the residuals that describe shared noise.", ge=1, le=2000
    )
    n_selected_voxels: int | None = setting(
        60_000,
        "Keep the best voxels",
        "Keep at most so many voxels, held in memory: 1.8 GB for 60,000 voxels of 7,440 trials. "
        "Empty: all.",
        ge=2,
        le=10_000_000,
    )
    block_voxels: int = setting(
        4096, "Voxels in memory", "Voxels read at a time.", ge=16, le=1_000_000, more=True
    )
    seed: int = setting(0, "Seed", "Starts the search for axes.", ge=0, le=2**31 - 1, more=True)


RIDGE = ModelSpec(
    "ridge",
    RidgeConfig,
    "linear",
    "Ridge regression from voxels to ratings: the reference that a network has to beat.",
    "models.linear.ridge:Ridge",
    "models.linear.cost:ridge_work",
)
BANDED_RIDGE = ModelSpec(
    "banded_ridge",
    BandedRidgeConfig,
    "linear",
    "Ridge regression with a penalty of its own for each band of voxels, by himalaya.",
    "models.linear.banded_ridge:BandedRidge",
    "models.linear.cost:banded_ridge_work",
    takes_mask=True,
)
ENCODING_INVERSION = ModelSpec(
    "encoding_inversion",
    EncodingInversionConfig,
    "linear",
    "An encoding model, turned round by Bayes' rule: the textbook's decoder.",
    "models.linear.encoding_inversion:EncodingInversion",
    "models.linear.cost:encoding_inversion_work",
)
MEAN = ModelSpec(
    "mean",
    MeanConfig,
    "linear",
    "The training mean of each rating: what can be reached without looking at the brain.",
    "models.linear.mean_baseline:Mean",
    "models.linear.cost:mean_work",
)
