"""Settings of the reference decoders: ridge regression and the mean."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from models.base.settings import Settings, setting


class RidgeConfig(Settings):
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


class MeanConfig(Settings):
    """The mean of the training ratings: what a decoder that ignores the brain reaches."""

    name: Literal["mean"] = setting("mean", "Model", "The training mean, whatever the brain does.")
