"""The original study's three classifiers with its own settings (its §6), at 5 and at 10 epochs."""

from __future__ import annotations

from models.catalog.config import ModelConfig
from models.classify.config import CNN3DConfig, LogisticConfig, MLPConfig
from models.presets.presets import Preset
from models.training.config import FitConfig

EPOCHS = (5, 10)
# How much noise the original study's CNN had on its input it does not say: a tenth of a voxel's
# SD.
NOISE_SD = 0.1
MODELS: dict[str, tuple[str, ModelConfig]] = {
    "logistic": ("Logistic", LogisticConfig()),
    "mlp": ("MLP", MLPConfig()),
    "cnn3d": ("3D CNN", CNN3DConfig()),
}


def report_fit(name: str, epochs: int = 5) -> FitConfig:
    """Return the original study's classifier training: Adam 1e-3, batch 4, every trial once."""
    return FitConfig(
        loss="cross_entropy",
        epochs=epochs,
        batches_per_epoch=None,
        batch_size=4,
        optimiser="adam",
        learning_rate=1e-3,
        weight_decay=0.0,
        schedule="none",
        target_scaling="none",
        gradient_clip=None,
        noise_sd=NOISE_SD if name == "cnn3d" else 0.0,
        precision="float32",
    )


CLASS_PRESETS: dict[str, Preset] = {
    f"report_{name}_{epochs}": Preset(
        f"{title}, {epochs} epochs",
        f"The original study's classifier ({title}): Adam 1e-3, batch 4, trials 7:1:2.",
        model,
        report_fit(name, epochs),
    )
    for epochs in EPOCHS
    for name, (title, model) in MODELS.items()
}
