import numpy as np
import pytest

import models
from models.base.errors import ModelError
from models.base.network import Network
from models.catalog.config import CONFIGS
from models.catalog.registry import MODELS, build_linear, build_network, spec_of
from models.linear.config import MeanConfig
from models.transformer.cnn_vit_config import CNNViTConfig
from models.transformer.vit3d_config import ViT3DConfig

MASK = np.ones((8, 8, 8), bool)
SMALL = {
    "vit3d": ViT3DConfig(patch_size=(4, 8, 8), embed_dim=8, n_layers=1, n_heads=2),
    "cnn_vit": CNNViTConfig(patch_size=(1, 2, 2), embed_dim=8, n_layers=1, n_heads=2),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_model_can_be_built_and_explains_itself(name):
    spec = MODELS[name]
    config = SMALL.get(name) or spec.config()
    assert spec_of(config) is spec
    assert spec.config is CONFIGS[name]
    assert spec.summary.endswith(".")
    if spec.kind == "network":
        assert isinstance(build_network(config, MASK, 2), Network)
    else:
        assert hasattr(build_linear(config), "from_arrays")


def test_kinds_are_not_mixed_up():
    with pytest.raises(ModelError, match="'mean' is not a network: build it with build_linear"):
        build_network(MeanConfig(), MASK, 2)
    with pytest.raises(ModelError, match="'vit3d' is a network: build it with build_network"):
        build_linear(ViT3DConfig())


@pytest.mark.parametrize("name", models.__all__)
def test_every_exported_name_is_there(name):
    assert getattr(models, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'vit'"):
        _ = models.vit
