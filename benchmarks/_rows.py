"""What the decoder benchmark runs: which decoders, on which responses, with which goals."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.catalog.config import ModelConfig
from models.linear.config import (
    BandedRidgeConfig,
    EncodingInversionConfig,
    MeanConfig,
    RidgeConfig,
)
from models.presets.presets import PRESETS
from models.subspace.config import ConceptDecoderConfig, QuadraticDecoderConfig
from models.training.config import FitConfig


@dataclass(frozen=True)
class Entry:
    """One decoder. `goals`: least share of the oracle's r, by part."""

    name: str
    model: ModelConfig
    goals: dict[str, float] = field(default_factory=dict)
    fit: FitConfig | None = None
    validation: float = 0.0
    """Share of the training concepts on which a network stops; linear ones learn from all."""
    above: str = ""
    """A decoder that this one must beat in a paired test."""
    not_below: str = ""
    """A decoder that this one must not be shown to fall behind."""


MEAN = Entry("mean", MeanConfig())
RIDGE = Entry("ridge", RidgeConfig())
CONCEPT = Entry("concept decoder", ConceptDecoderConfig())
INVERTED = Entry("concept decoder, noise inverted", ConceptDecoderConfig(local_noise="invert"))
QUADRATIC = Entry("quadratic decoder", QuadraticDecoderConfig())
BANDED = Entry("banded ridge, by score", BandedRidgeConfig())
PLACES = Entry("banded ridge, by place", BandedRidgeConfig(bands="place"))
INVERSION = Entry("encoding inversion", EncodingInversionConfig())
PROJECTED = Entry("encoding inversion, noise axes", EncodingInversionConfig(space="residual_axes"))
# What a transformer starts as: the same decoder without the concepts that it stops on.
START = Entry("concept decoder, 90 % of concepts", ConceptDecoderConfig(), validation=0.1)

LINEAR = [MEAN, RIDGE, BANDED, PLACES, INVERSION, PROJECTED, CONCEPT, INVERTED, QUADRATIC, START]
BENT = [MEAN, RIDGE, CONCEPT, QUADRATIC]
RESPONSES = ("gain", "saturation", "product")


def networks() -> list[Entry]:
    """Return the transformers that the presets have; a warm start must not fall behind itself."""
    entries = []
    for key in ("warm_start", "warm_start_head", "fast_local"):
        if key in PRESETS:
            preset = PRESETS[key]
            below = START.name if key.startswith("warm") else ""
            title = f"vit3d, {preset.title.lower()}"
            entries.append(
                Entry(title, preset.model, fit=preset.fit, validation=0.1, not_below=below)
            )
    return entries
