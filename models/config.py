"""Every setting of a model; importing it costs no torch."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from models.errors import ModelError
from models.recipe import FitConfig
from models.settings import Settings, did_you_mean, sentence, setting

__all__ = [
    "CONFIGS",
    "FitConfig",
    "MeanConfig",
    "ModelConfig",
    "RidgeConfig",
    "ViT3DConfig",
    "parse_fit",
    "parse_model",
]

Side = Annotated[int, Field(ge=1, le=256)]


class ViT3DConfig(Settings):
    """The report's 3-D vision transformer; the defaults are the report's own (its §3)."""

    name: Literal["vit3d"] = setting("vit3d", "Model", "Vision transformer over 3-D patches.")
    patch_size: tuple[Side, Side, Side] = setting(
        (6, 7, 5), "Patch size", "Voxels along x, y and z that make one token."
    )
    pad: bool = setting(
        False,
        "Pad the volume",
        "Fill the volume with zeros up to a multiple of the patch size instead of refusing a size "
        "that does not divide it.",
        more=True,
    )
    tokens: Literal["dense", "brain"] = setting(
        "dense",
        "Tokens",
        "dense: every patch of the volume, as in the report; brain: only patches that meet the "
        "brain mask, which is several times faster and loses nothing.",
    )
    n_selected_tokens: int | None = setting(
        None,
        "Keep the best tokens",
        "Keep at most so many brain patches: those whose voxels the ratings explain best in the "
        "fitting trials. Empty: all of them.",
        ge=1,
        le=100_000,
        more=True,
    )
    patch_embedding: Literal["shared", "local"] = setting(
        "shared",
        "Patch embedding",
        "shared: one linear map for every place in the brain, as in the report; local: each place "
        "has a map of its own, which learns within minutes what a shared one does not.",
    )
    embed_dim: int = setting(512, "Token width", "Numbers that describe one token.", ge=8, le=4096)
    n_layers: int = setting(
        6, "Layers", "Transformer blocks; the report tried 3 and 6.", ge=0, le=48
    )
    n_heads: int = setting(
        8, "Attention heads", "Heads in each layer; must divide the token width.", ge=1, le=64
    )
    mlp_ratio: float = setting(
        4.0,
        "MLP ratio",
        "Hidden width of a block's MLP, in token widths.",
        ge=0.25,
        le=8,
        more=True,
    )
    dropout: float = setting(
        0.1, "Dropout", "Share of activations dropped while training.", ge=0, lt=1
    )
    attention_dropout: float = setting(
        0.0,
        "Attention dropout",
        "Share of attention weights dropped while training; above 0 the fast kernel is off.",
        ge=0,
        lt=1,
        more=True,
    )
    input_dropout: float = setting(
        0.0,
        "Voxel dropout",
        "Share of voxels set to zero while training; keeps a local embedding from overfitting.",
        ge=0,
        lt=1,
    )
    pooling: Literal["cls", "mean", "sum"] = setting(
        "cls",
        "Pooling",
        "What the head reads: a CLS token as in the report, or the mean or the scaled sum "
        "(sum / √tokens) of all tokens.",
    )
    final_norm: bool = setting(
        True,
        "LayerNorm before the head",
        "The report's choice; without it the way from voxels to ratings can stay linear.",
        more=True,
    )
    start: Literal["random", "mean"] = setting(
        "random",
        "Start",
        "random: as PyTorch draws weights; mean: head and blocks' output maps start at zero, so "
        "that the untrained network predicts the mean and blocks pass through.",
        more=True,
    )
    score_power: float = setting(
        0.0,
        "Voxel weights",
        "Multiply each voxel by (share of its variance that the ratings explain in the fitting "
        "trials) to this power; 0 treats all voxels alike.",
        ge=0,
        le=4,
        more=True,
    )
    attention: Literal["softmax"] = setting(
        "softmax", "Attention", "Mechanism by which tokens look at each other.", more=True
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.embed_dim % self.n_heads:
            near = [h for h in range(1, 65) if self.embed_dim % h == 0]
            msg = (
                f"n_heads {self.n_heads} does not divide embed_dim {self.embed_dim}: use one of "
                f"{', '.join(map(str, near))}"
            )
            raise ValueError(msg)
        if self.n_selected_tokens is not None and self.tokens != "brain":
            msg = "n_selected_tokens needs tokens='brain', but tokens is 'dense'"
            raise ValueError(msg)
        return self


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


ModelConfig = Annotated[ViT3DConfig | RidgeConfig | MeanConfig, Field(discriminator="name")]


CONFIGS: dict[str, type[ViT3DConfig] | type[RidgeConfig] | type[MeanConfig]] = {
    "vit3d": ViT3DConfig,
    "ridge": RidgeConfig,
    "mean": MeanConfig,
}


def parse_model(data: dict[str, Any]) -> ViT3DConfig | RidgeConfig | MeanConfig:
    """Turn a dict (from JSON, a form or a script) into a model config, or raise one sentence."""
    name = data.get("name")
    if name not in CONFIGS:
        guess = did_you_mean(str(name), CONFIGS)
        msg = f"model.name {name!r} is not a model{guess}: use one of {', '.join(CONFIGS)}"
        raise ModelError(msg)
    config = CONFIGS[name]
    try:
        return config.model_validate(data)
    except ValidationError as error:
        raise ModelError(sentence(error, "model", config.model_fields)) from None


def parse_fit(data: dict[str, Any]) -> FitConfig:
    """Turn a dict into training settings, or raise one sentence."""
    try:
        return FitConfig.model_validate(data)
    except ValidationError as error:
        raise ModelError(sentence(error, "fit", FitConfig.model_fields)) from None
