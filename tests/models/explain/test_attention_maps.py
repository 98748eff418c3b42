import pytest
import torch

from models.base.errors import ModelError
from models.catalog.registry import build_network
from models.explain import attention_maps
from models.explain.attribution import objective
from models.transformer.attention.base import Attention
from models.transformer.vit3d_config import ViT3DConfig
from tests.models.conftest import PATCH


@pytest.fixture(params=["cls", "sum"])
def network(request, planted):
    """An untrained network of two layers, read at a CLS token or from all tokens."""
    config = ViT3DConfig(
        patch_size=PATCH,
        tokens="brain",
        embed_dim=16,
        n_layers=2,
        n_heads=2,
        pooling=request.param,
    )
    return build_network(config, planted.mask, 3).eval()


@pytest.fixture
def x(planted):
    return torch.from_numpy(planted.X.array[:4])


def explicit(network, x):
    """Attention of each layer, (B, heads, n, n), by the layers' own weights."""
    found = []

    def note(layer, inputs):
        q, k, _ = layer.heads(inputs[0])
        found.append(layer.weights(q, k).detach())

    layers = [m for m in network.modules() if isinstance(m, Attention)]
    hooks = [layer.register_forward_pre_hook(note) for layer in layers]
    with torch.no_grad():
        network(x)
    for hook in hooks:
        hook.remove()
    return found


def test_attention_is_that_of_the_layers(network, x):
    found = attention_maps.attention(network, x)
    extra = attention_maps.n_extra(network)
    for layer, weights in enumerate(explicit(network, x)):
        wanted = weights[:, :, 0] if extra else weights.mean(2)
        torch.testing.assert_close(found[:, layer], wanted[..., extra:], atol=1e-6, rtol=1e-5)


def test_looking_changes_nothing(network, x):
    with torch.no_grad():
        before = network(x)
        with attention_maps.watch(network, lambda *_: None):
            during = network(x)
    assert torch.equal(before, during)
    attention_maps.attention(network, x)
    assert torch.equal(before, network(x).detach())
    assert not any(m._forward_pre_hooks for m in network.modules())


def test_from_chosen_tokens(network, x):
    extra = attention_maps.n_extra(network)
    found = attention_maps.attention(network, x, queries=[1, 2])
    wanted = explicit(network, x)[1][:, :, [1 + extra, 2 + extra]].mean(2)[..., extra:]
    torch.testing.assert_close(found[:, 1], wanted)


def test_rollout_is_the_product_of_the_layers(network, x):
    extra = attention_maps.n_extra(network)
    total = None
    for weights in explicit(network, x):
        mixed = 0.5 * weights.mean(1) + 0.5 * torch.eye(weights.shape[-1])
        total = mixed if total is None else mixed @ total
    wanted = total[:, 0] if extra else total.mean(1)
    torch.testing.assert_close(attention_maps.rollout(network, x), wanted[:, extra:])


def test_attention_gradient_is_chefers_with_explicit_attention(planted, x, monkeypatch):
    """∇A through the fused kernel equals what autograd gives when attention is written out."""
    config = ViT3DConfig(patch_size=PATCH, embed_dim=16, n_layers=2, n_heads=2)
    network = build_network(config, planted.mask, 3).eval()
    score = objective(torch.zeros(1, 3), 1)
    found = attention_maps.attention_gradient(network, x, score)
    kept = []

    def mix(self, q, k, v):
        weights = self.weights(q, k)
        weights.retain_grad()
        kept.append(weights)
        return weights @ v

    monkeypatch.setattr("models.transformer.attention.softmax.SoftmaxAttention.mix", mix)
    score(network(x)).sum().backward()
    total = torch.eye(kept[0].shape[-1]).expand(4, -1, -1)
    for weights in kept:
        total = total + (weights.grad * weights).clamp(min=0).mean(1) @ total
    torch.testing.assert_close(found, total[:, 0, 1:].detach(), atol=1e-6, rtol=1e-4)


def test_a_network_without_attention(planted, x):
    network = build_network(ViT3DConfig(patch_size=PATCH, n_layers=0), planted.mask, 3)
    with pytest.raises(ModelError, match="no attention layer"):
        attention_maps.attention(network, x)


def test_a_mechanism_that_looks_at_summaries():
    with pytest.raises(ModelError, match="5 summaries"):
        attention_maps.over_tokens(torch.zeros(1, 2, 9, 5), 9)


def test_a_mechanism_without_weights():
    with pytest.raises(ModelError, match="looks at no weights"):
        attention_maps.over_tokens(None, 9)


def test_words_for_what_is_shown(network):
    words = attention_maps.read_out(network)
    assert ("CLS token, which" in words) == (attention_maps.n_extra(network) == 1)
