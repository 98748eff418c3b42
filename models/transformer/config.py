"""What the transformers share: tokens, blocks, pooling and head, and how these start."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from models.base.settings import ModelSettings, setting
from models.transformer.attention.mechanisms import MECHANISMS, check_mechanism

Side = Annotated[int, Field(ge=1, le=256)]


class TransformerConfig(ModelSettings):
    """Settings of every transformer over patches; a family overrides what differs."""

    name: str
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
        "dense: every patch of the volume, as in the original study; brain: only patches that "
        "meet the brain mask, which is several times faster and loses nothing.",
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
        "shared: one linear map for every place in the brain, as in the original study; local: "
        "each place has a map of its own, which learns within minutes what a shared one does not.",
    )
    embed_dim: int = setting(512, "Token width", "Numbers that describe one token.", ge=8, le=4096)
    n_layers: int = setting(
        6, "Layers", "Transformer blocks; the original study tried 3 and 6.", ge=0, le=48
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
        "What the head reads: a CLS token as in the original study, or the mean or the scaled sum "
        "(sum / √tokens) of all tokens.",
    )
    final_norm: bool = setting(
        True,
        "LayerNorm before the head",
        "The original study's choice; without it the way from voxels to ratings can stay linear.",
        more=True,
    )
    head: Literal["linear", "mlp"] = setting(
        "linear",
        "Head",
        "linear: one linear map, as in the original study; mlp: a small hidden layer beside it, "
        "which can read products of what the tokens say together.",
        more=True,
    )
    start: Literal["random", "mean", "linear"] = setting(
        "random",
        "Start",
        "random: as PyTorch draws weights; mean: head and blocks' output maps start at zero, so "
        "that the untrained network predicts the mean and blocks pass through; linear: as the "
        "linear decoder below, so that training can only add to it (needs a local embedding, the "
        "scaled sum as pooling and no LayerNorm before the head).",
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
    attention: Annotated[str, AfterValidator(check_mechanism)] = setting(
        "softmax",
        "Attention",
        "Mechanism by which tokens look at each other.",
        more=True,
        options=list(MECHANISMS),
    )

    @property
    def needs_score(self) -> bool:
        """Whether tokens are selected, or voxels weighed, by their score."""
        return self.n_selected_tokens is not None or self.score_power > 0

    @classmethod
    def patch_sides(cls, name: str, shape: tuple[int, int, int]) -> tuple[int, int, int] | None:
        """Return the grid's sides: a patch is a block of voxels."""
        return shape if name == "patch_size" else None

    @classmethod
    def usual_patches(cls) -> tuple[tuple[int, int, int], ...]:
        """Return patch sizes that a form suggests."""
        return (6, 7, 5), (12, 13, 15)

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
