"""Decoders of brain responses in PyTorch; works without the app.

Names are imported when first used, so that a form can read the settings without paying for torch.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "CONFIGS": "catalog.config",
    "CNNViTConfig": "transformer.cnn_vit_config",
    "FitConfig": "training.config",
    "MeanConfig": "linear.config",
    "ModelConfig": "catalog.config",
    "BandedRidgeConfig": "linear.config",
    "ConceptDecoderConfig": "subspace.config",
    "EncodingInversionConfig": "linear.config",
    "QuadraticDecoderConfig": "subspace.config",
    "RidgeConfig": "linear.config",
    "ViT3DConfig": "transformer.vit3d_config",
    "parse_fit": "training.config",
    "parse_model": "catalog.config",
    "ModelError": "base.errors",
    "ArrayTrials": "base.arrays",
    "TrialMatrix": "base.arrays",
    "PRESETS": "presets.presets",
    "MODELS": "catalog.registry",
    "build_linear": "catalog.registry",
    "build_network": "catalog.registry",
    "load_linear": "catalog.registry",
    "Cost": "cost.estimate",
    "Size": "cost.estimate",
    "estimate": "cost.estimate",
    "FitData": "training.data",
    "Hooks": "training.loop",
    "fit_network": "training.loop",
    "predict_network": "training.predict",
    "encoding_score": "base.voxel_scores",
    "needs_score": "catalog.registry",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import the module that holds `name`."""
    if name not in _HOME:
        msg = f"module 'models' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"models.{_HOME[name]}"), name)
