"""Named recipes: the original study's settings again, and one that learns within two minutes."""

from __future__ import annotations

from dataclasses import dataclass

from models.catalog.config import ModelConfig
from models.training.config import FitConfig
from models.transformer.cnn_vit_config import CNNViTConfig
from models.transformer.vit3d_config import ViT3DConfig


@dataclass(frozen=True)
class Preset:
    """A model with its training, and one sentence that says what it is for."""

    title: str
    summary: str
    model: ModelConfig
    fit: FitConfig


# a token is as wide as there are ratings, about; wider ones only overfit
WARM = ViT3DConfig(
    tokens="brain",
    n_selected_tokens=512,
    score_power=0.5,
    patch_embedding="local",
    embed_dim=16,
    n_layers=2,
    n_heads=4,
    mlp_ratio=8,
    pooling="sum",
    final_norm=False,
    head="mlp",
    start="linear",
    start_from="concept_decoder",
)
WARM_FIT = FitConfig(
    epochs=6,
    batches_per_epoch=None,
    batch_size=64,
    learning_rate=1e-3,
    embedding_learning_rate=0,  # it only overfits: see models/training/warm_start.py
    best_by="validation_r",  # the concept decoder's scale is made for means of repeats
    early_stopping=3,
    precision="float32",
)
# the original study's §4: its three settings differ in the model and, tuned, in the learning rate
# alone
SECTION_4 = FitConfig(
    epochs=12,
    batches_per_epoch=32,
    batch_size=16,
    validation_batches=12,
    target_scaling="none",
    gradient_clip=None,
    precision="float32",
)
# Measured: on the full subject a batch of 16 at once holds 4.4 GB in bfloat16, in halves 2.9 GB;
# float32 takes half as long again. BatchNorm's statistics are then those of 8 trials.
CNN = SECTION_4.model_copy(update={"precision": "auto", "micro_batch_size": 8})

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
        "Original study: ViT3D",
        "The original study's transformer (patch 6 × 7 × 5, dense tokens) with its losses and "
        "steps.",
        ViT3DConfig(),
        FitConfig(
            micro_batch_size=2,  # the whole batch would hold 12 GB; the step is the same
            target_scaling="none",
            gradient_clip=None,
            precision="float32",
        ),
    ),
    "report_attention": Preset(
        "Original study: attention figure",
        "The original study's transformer after 16 batches, as good as untrained: its figure, "
        "read again.",
        ViT3DConfig(),
        FitConfig(
            epochs=2,
            batches_per_epoch=8,
            micro_batch_size=2,
            target_scaling="none",
            gradient_clip=None,
            precision="float32",
        ),
    ),
    "report_brain": Preset(
        "Original study, on brain tokens",
        "The original study's transformer on the patches that meet the brain: twice as fast.",
        ViT3DConfig(tokens="brain"),
        FitConfig(
            micro_batch_size=4, target_scaling="none", gradient_clip=None, precision="float32"
        ),
    ),
    "report_large_patches": Preset(
        "Original study, large patches",
        "The original study's transformer with patch 12 × 13 × 15 and 3 layers: its cheaper "
        "variant.",
        ViT3DConfig(patch_size=(12, 13, 15), n_layers=3),
        FitConfig(target_scaling="none", gradient_clip=None, precision="float32"),
    ),
    "warm_start": Preset(
        "Warm start",
        "The concept decoder, written into a transformer over the 512 best brain patches: it goes "
        "on from there, and keeps its start if nothing better comes.",
        WARM,
        WARM_FIT,
    ),
    "warm_start_head": Preset(
        "Warm start, head only",
        "The same without transformer blocks: a hidden layer beside the decoder's ratings, "
        "which is quick and reads what is not linear in them.",
        WARM.model_copy(update={"n_layers": 0}),
        WARM_FIT.model_copy(update={"epochs": 10, "early_stopping": 4}),
    ),
    "report_transformer": Preset(
        "Report §4: Transformer",
        "Dense tokens of 12 × 13 × 15 voxels, 6 layers: the first of the original study's three "
        "settings.",
        ViT3DConfig(patch_size=(12, 13, 15)),
        SECTION_4,
    ),
    "report_cnn": Preset(
        "Report §4: + CNN",
        "Two convolution blocks, then tokens of 6 × 11 × 6 places of their map: the second.",
        CNNViTConfig(),
        CNN,
    ),
    "report_cnn_tuned": Preset(
        "Report §4: + CNN + Optuna",
        "The same with the best candidate of the original search: 768 wide, 7 layers, 6.13e-4.",
        CNNViTConfig(embed_dim=768, n_layers=7),
        CNN.model_copy(update={"learning_rate": 6.13e-4}),
    ),
    "cnn_two_scales": Preset(
        "CNN, two scales",
        "Tokens of both of the CNN's maps, fine and coarse, as the original study wanted to try.",
        CNNViTConfig(scales="both", embed_dim=256, n_layers=3),
        CNN.model_copy(update={"target_scaling": "z"}),
    ),
}
