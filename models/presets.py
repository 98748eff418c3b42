"""Named recipes: the report's settings again, and one that learns within two minutes."""

from __future__ import annotations

from dataclasses import dataclass

from models.config import FitConfig, ModelConfig, ViT3DConfig


@dataclass(frozen=True)
class Preset:
    """A model with its training, and one sentence that says what it is for."""

    title: str
    summary: str
    model: ModelConfig
    fit: FitConfig


PRESETS: dict[str, Preset] = {
    "fast_local": Preset(
        "Fast, local",
        "The 64 best brain patches with a map each, two narrow layers: learns in a minute or two.",
        ViT3DConfig(
            tokens="brain",
            n_selected_tokens=64,
            score_power=0.5,
            patch_embedding="local",
            embed_dim=64,
            n_layers=2,
            n_heads=4,
            mlp_ratio=2,
            input_dropout=0.5,
            pooling="sum",
            final_norm=False,
            start="mean",
        ),
        FitConfig(
            epochs=8,
            batches_per_epoch=None,
            batch_size=64,
            learning_rate=5e-4,
            weight_decay=0.05,
            early_stopping=3,
            precision="float32",  # at this size bfloat16's casts cost more than they save
        ),
    ),
    "report": Preset(
        "The report, again",
        "The report's transformer (patch 6 × 7 × 5, dense tokens) with its losses and steps.",
        ViT3DConfig(),
        FitConfig(
            micro_batch_size=2,  # the whole batch would hold 12 GB; the step is the same
            target_scaling="none",
            gradient_clip=None,
            precision="float32",
        ),
    ),
    "report_brain": Preset(
        "The report, on brain tokens",
        "The report's transformer on the patches that meet the brain: twice as fast.",
        ViT3DConfig(tokens="brain"),
        FitConfig(
            micro_batch_size=4, target_scaling="none", gradient_clip=None, precision="float32"
        ),
    ),
    "report_large_patches": Preset(
        "The report, large patches",
        "The report's transformer with patch 12 × 13 × 15 and 3 layers: its cheaper variant.",
        ViT3DConfig(patch_size=(12, 13, 15), n_layers=3),
        FitConfig(target_scaling="none", gradient_clip=None, precision="float32"),
    ),
}
