import pytest
import torch

from models.transformer.attention.mechanisms import mechanism_of


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


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return mechanism_of("softmax")(24, 4).eval()


def test_fused_is_explicit(layer):
    x = torch.randn(3, 11, 24)
    torch.testing.assert_close(layer(x), plain_attention(layer, x), atol=1e-5, rtol=1e-5)


def test_weights_give_the_fused_result(layer):
    x = torch.randn(2, 9, 24)
    q, k, v = layer.heads(x)
    weights = layer.weights(q, k)
    explicit = layer.out((weights @ v).transpose(1, 2).flatten(2))
    torch.testing.assert_close(layer(x), explicit, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 9))
    torch.testing.assert_close(layer.weights(q, k, [0]), weights[:, :, :1])


def test_attention_dropout_works_in_training_only(layer):
    x = torch.randn(1, 6, 24)
    dropping = type(layer)(24, 4, dropout=0.5)
    dropping.load_state_dict(layer.state_dict())
    torch.testing.assert_close(dropping.eval()(x), layer(x))
    torch.manual_seed(1)
    assert not torch.allclose(dropping.train()(x), layer(x))
