"""Every setting of a network's training; importing it costs no torch."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import ValidationError, model_validator

from models.base.errors import ModelError
from models.base.settings import Settings, sentence, setting


class FitConfig(Settings):
    """How a network is trained; the defaults are the original study's own (its §3)."""

    epochs: int = setting(
        10, "Epochs", "Rounds of training, each ends with a validation.", ge=1, le=10_000
    )
    batches_per_epoch: int | None = setting(
        64,
        "Batches per epoch",
        "Random batches in an epoch (the original study: 64). Empty: every training trial once.",
        ge=1,
        le=1_000_000,
    )
    batch_size: int = setting(
        16, "Batch size", "Trials in one step of the optimiser.", ge=1, le=65_536
    )
    micro_batch_size: int | None = setting(
        None,
        "Trials in memory",
        "Compute a batch in parts of this size and add up their gradients: the step of the "
        "whole batch with the memory of a part. Empty: the whole batch at once.",
        ge=1,
        le=65_536,
        more=True,
    )
    loss: Literal["mse", "huber", "cross_entropy"] = setting(
        "mse", "Loss", "Squared error, or Huber's; cross-entropy, which classes are learned by."
    )
    huber_delta: float = setting(
        1.0, "Huber δ", "Error at which Huber's loss turns from square to line.", gt=0, le=1e6
    )
    target_weights: Literal["equal", "rating_sd"] = setting(
        "equal",
        "Weights of ratings",
        "equal: every rating counts alike in the loss; rating_sd: one whose raters disagree "
        "counts less, by 1 / (1 + (SD between raters / SD between concepts)²).",
        more=True,
    )
    noise_sd: float = setting(
        0.0,
        "Added noise",
        "SD of Gaussian noise added to each response while training, in the responses' own unit "
        "(1 is a voxel's SD where sessions are z-scored). 0: none.",
        ge=0,
        le=100,
        more=True,
    )
    repeat_mixing: float = setting(
        0.0,
        "Repeat mixing",
        "Share of training trials that are mixed with another training trial of the same concept, "
        "which lowers their noise. 0: none.",
        ge=0,
        le=1,
        more=True,
    )
    target_scaling: Literal["z", "none"] = setting(
        "z",
        "Target scaling",
        "z: learn ratings z-scored by the fitting trials, so that a loss of 1 is what the mean "
        "reaches; none: ratings as given, as in the original study. Predictions come out on the "
        "given scale either way. Classes have no scale.",
        more=True,
    )
    optimiser: Literal["adamw", "adam"] = setting(
        "adamw",
        "Optimiser",
        "AdamW takes the weight decay from the weights themselves; Adam adds it to the gradient, "
        "which is L2 in the loss.",
        more=True,
    )
    learning_rate: float = setting(1e-4, "Learning rate", "Step size.", gt=0, le=1)
    embedding_learning_rate: float | None = setting(
        None,
        "Learning rate of the embedding",
        "For the patch embedding alone. Empty: the same; 0: it stays as it starts.",
        ge=0,
        le=1,
        more=True,
    )
    weight_decay: float = setting(
        0.01, "Weight decay", "How strongly weights are drawn to zero (L2).", ge=0, le=10
    )
    schedule: Literal["plateau", "none"] = setting(
        "plateau",
        "Schedule",
        "plateau: halve the learning rate after 2 epochs without a better validation loss.",
    )
    warmup_batches: int = setting(
        0,
        "Warm-up",
        "Batches over which the learning rate rises from zero.",
        ge=0,
        le=100_000,
        more=True,
    )
    gradient_clip: float | None = setting(
        1.0,
        "Gradient clip",
        "Largest norm of a gradient. Empty: no limit.",
        gt=0,
        le=1e6,
        more=True,
    )
    early_stopping: int | None = setting(
        None,
        "Early stopping",
        "Stop after this many epochs without a better validation. Empty: never.",
        ge=1,
        le=10_000,
    )
    best_by: Literal["validation_loss", "validation_r", "validation_top10"] = setting(
        "validation_loss",
        "Best epoch by",
        "What decides which epoch's weights are kept, and early stopping.",
        more=True,
    )
    start_margin: float = setting(
        1.0,
        "Margin over the start",
        "A network that starts as a fitted decoder keeps that start unless an epoch is better on "
        "the validation concepts by more than so many standard errors. 0: by anything.",
        ge=0,
        le=10,
        more=True,
    )
    validation_batches: int | None = setting(
        None,
        "Validation batches",
        "Validate on so many batches of trials, always the same ones. Empty: all of them.",
        ge=1,
        le=1_000_000,
        more=True,
    )
    keep_epochs: int = setting(
        0,
        "Epochs to keep",
        "Keep the weights of so many epochs beside the best ones, spread evenly from the start "
        "to the last, for maps of where the decoder looked as it learned. 0: none.",
        ge=0,
        le=32,
        more=True,
    )
    precision: Literal["auto", "float32", "bfloat16"] = setting(
        "auto",
        "Precision",
        "auto: bfloat16 where the processor multiplies it natively, else float32. Weights are "
        "kept in float32 either way.",
        more=True,
    )
    device: Literal["auto", "cpu", "cuda"] = setting(
        "auto", "Device", "auto: a GPU when there is one.", more=True
    )
    seed: int = setting(0, "Seed", "Draws weights, batches and dropout.", ge=0, le=2**31 - 1)

    @model_validator(mode="after")
    def _best_by_fits_the_loss(self) -> Self:
        wrong = "validation_r" if self.loss == "cross_entropy" else "validation_top10"
        if self.best_by == wrong:
            msg = (
                f"best_by {wrong!r} is not known with the loss {self.loss!r}: use "
                "'validation_loss'"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _weights_fit_the_loss(self) -> Self:
        if self.loss == "cross_entropy" and self.target_weights != "equal":
            msg = (
                f"target_weights {self.target_weights!r} is for ratings, but the loss is "
                "'cross_entropy': use 'equal'"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.micro_batch_size is not None and self.micro_batch_size > self.batch_size:
            msg = (
                f"micro_batch_size {self.micro_batch_size} is larger than batch_size "
                f"{self.batch_size}: leave it empty or make it smaller"
            )
            raise ValueError(msg)
        return self


def parse_fit(data: dict[str, Any]) -> FitConfig:
    """Turn a dict into training settings, or raise one sentence."""
    try:
        return FitConfig.model_validate(data)
    except ValidationError as error:
        raise ModelError(sentence(error, "fit", FitConfig.model_fields)) from None
