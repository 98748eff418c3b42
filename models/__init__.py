"""Decoders of brain responses in PyTorch; works without the app.

Names are imported when first used, so that a form can read the settings without paying for torch.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "CONFIGS": "config",
    "CNNViTConfig": "config",
    "FitConfig": "config",
    "MeanConfig": "config",
    "ModelConfig": "config",
    "BandedRidgeConfig": "config",
    "ConceptDecoderConfig": "config",
    "EncodingInversionConfig": "config",
    "QuadraticDecoderConfig": "config",
    "RidgeConfig": "config",
    "ViT3DConfig": "config",
    "parse_fit": "config",
    "parse_model": "config",
    "ModelError": "errors",
    "ArrayTrials": "inputs",
    "TrialMatrix": "inputs",
    "PRESETS": "presets",
    "MODELS": "registry",
    "build_linear": "registry",
    "build_network": "registry",
    "load_linear": "registry",
    "Cost": "cost",
    "Size": "cost",
    "estimate": "cost",
    "FitData": "fit",
    "Hooks": "fit",
    "fit_network": "fit",
    "predict_network": "fit",
    "encoding_score": "selection",
    "needs_score": "registry",
    "collect_attention": "attention",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import the module that holds `name`."""
    if name not in _HOME:
        msg = f"module 'models' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"models.{_HOME[name]}"), name)
