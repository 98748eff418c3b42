import pytest
import torch

from models.catalog.registry import build_network
from models.transformer.attention.softmax import MECHANISMS, collect_attention
from models.transformer.vit3d_config import ViT3DConfig


def plain_attention(layer, x):
    """softmax(q kᵀ / √d) v, one head and one sample at a time."""
    dim = x.shape[-1]
    size = dim // layer.n_heads
    q, k, v = layer.qkv(x).split(dim, -1)
    out = torch.empty_like(x)
    for b in range(len(x)):
        for h in range(layer.n_heads):
            part = slice(h * size, (h + 1) * size)
            logits = q[b, :, part] @ k[b, :, part].T / size**0.5
            weights = logits.exp() / logits.exp().sum(1, keepdim=True)
            out[b, :, part] = weights @ v[b, :, part]
    return layer.out(out)


@pytest.fixture(params=sorted(MECHANISMS))
def layer(request):
    torch.manual_seed(0)
    return MECHANISMS[request.param](24, 4).eval()


def test_fused_is_explicit(layer):
    x = torch.randn(3, 11, 24)
    torch.testing.assert_close(layer(x), plain_attention(layer, x), atol=1e-5, rtol=1e-5)


def test_weights_give_the_fused_result(layer):
    x = torch.randn(2, 9, 24)
    with collect_attention(layer) as record:
        fused = layer(x)
    (weights,) = record.weights
    v = layer.qkv(x)[..., 48:].unflatten(-1, (4, 6)).transpose(1, 2)
    explicit = layer.out((weights @ v).transpose(1, 2).flatten(2))
    torch.testing.assert_close(fused, explicit, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 9))


def test_collecting_changes_nothing(planted, small):
    network = build_network(small.model_copy(update={"start": "random"}), planted.mask, 3).eval()
    x = torch.from_numpy(planted.X.array[:5])
    with torch.no_grad():
        before = network(x)
    with collect_attention(network) as record:
        during = network(x)
    assert torch.equal(before, during)
    n = len(network.tokens.tokens)
    assert [tuple(w.shape) for w in record.weights] == [(5, 2, n, n)] * 2
    assert all(layer.record is None for layer in network.modules() if hasattr(layer, "record"))


def test_only_the_asked_queries_are_kept(planted):
    config = ViT3DConfig(patch_size=(3, 4, 5), embed_dim=16, n_layers=1, n_heads=2)
    network = build_network(config, planted.mask, 3).eval()
    x = torch.from_numpy(planted.X.array[:2])
    with collect_attention(network) as every:
        network(x)
    with collect_attention(network, queries=[0]) as cls:
        network(x)
    n = network.grid.n_tokens + 1
    assert cls.weights[0].shape == (2, 2, 1, n)
    torch.testing.assert_close(cls.weights[0], every.weights[0][:, :, :1])


def test_attention_dropout_works_in_training_only(layer):
    x = torch.randn(1, 6, 24)
    dropping = type(layer)(24, 4, dropout=0.5)
    dropping.load_state_dict(layer.state_dict())
    torch.testing.assert_close(dropping.eval()(x), layer(x))
    torch.manual_seed(1)
    assert not torch.allclose(dropping.train()(x), layer(x))
