import pytest
import torch

from models.base.errors import ModelError
from models.catalog.config import parse_model
from models.catalog.registry import build_network
from models.explain import attention_maps
from models.transformer.attention.base import Attention
from models.transformer.attention.mechanisms import MECHANISMS, Mechanism, mechanism_of
from models.transformer.layers import Block
from models.transformer.vit3d_config import ViT3DConfig
from tests.models.conftest import PATCH


class MeanAttention(Attention):
    """Every token gets the mean of all values; nothing is looked at."""

    def mix(self, q, k, v):
        return v.mean(2, keepdim=True).expand_as(v)

    def weights(self, q, k, queries=slice(None)):
        return None


@pytest.mark.parametrize("name", MECHANISMS)
def test_every_mechanism_mixes_heads_and_says_its_weights(name):
    layer = mechanism_of(name)(24, 4).eval()
    q, k, v = layer.heads(torch.randn(2, 9, 24))
    assert layer.mix(q, k, v).shape == (2, 4, 9, 6)
    weights = layer.weights(q, k)
    assert weights is None or weights.shape[:3] == (2, 4, 9)
    assert MECHANISMS[name].sentence.endswith(".")


def test_another_mechanism_is_one_entry(planted, monkeypatch):
    """Settings take it, the network is built of it, maps say what it cannot show."""
    place = f"{__name__}:MeanAttention"
    monkeypatch.setitem(MECHANISMS, "mean", Mechanism("The mean of all values.", place))
    config = ViT3DConfig(patch_size=PATCH, embed_dim=16, n_layers=1, n_heads=2, attention="mean")
    network = build_network(config, planted.mask, 3).eval()
    x = torch.from_numpy(planted.X.array[:4])
    assert network(x).shape == (4, 3)
    assert len(attention_maps.attention_layers(network)) == 1
    with pytest.raises(ModelError, match="no weights"):
        attention_maps.rollout(network, x)


def test_a_mechanism_that_there_is_none_of():
    with pytest.raises(ModelError, match="did you mean 'softmax'"):
        parse_model({"name": "vit3d", "attention": "sofmax"})


def test_a_block_is_built_of_the_mechanism_that_it_is_asked_for():
    block = Block(ViT3DConfig(embed_dim=16, n_heads=2))
    assert type(block.attention) is mechanism_of("softmax")
