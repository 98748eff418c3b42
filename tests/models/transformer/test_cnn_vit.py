import itertools

import numpy as np
import pytest
import torch
from torch import nn

from models.base.errors import ModelError
from models.catalog.config import parse_model
from models.catalog.registry import blank_network, build_network, needs_score
from models.training.checkpoint import newest_state, save_state
from models.training.config import FitConfig
from models.training.loop import FitData, Hooks, fit_network, predict_network
from models.transformer.cnn_vit_config import CNNViTConfig
from tests.models.conftest import N_CONCEPTS, correlation, plant

SHAPE = (8, 12, 9)
BASE = {
    "patch_size": (1, 3, 2),
    "first_patch_size": (2, 3, 4),
    "first_channels": 4,
    "last_channels": 6,
    "embed_dim": 16,
    "n_layers": 1,
    "n_heads": 2,
}


def config_of(**settings):
    return CNNViTConfig(**{**BASE, **settings})


@pytest.fixture(scope="module")
def mask():
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    return sum(a**2 for a in axes) < 1.5


@pytest.fixture(scope="module")
def vectors(mask):
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.standard_normal((4, int(mask.sum())), dtype="f4"))


def as_volume(mask, vectors):
    volume = torch.zeros(len(vectors), *mask.shape)
    volume[:, torch.from_numpy(mask)] = vectors
    return volume


class Plain(nn.Module):
    """The original study's layers as torch has them, in its order (ReLU before the maximum)."""

    def __init__(self, config, shape):
        super().__init__()
        a, b, dim = config.first_channels, config.last_channels, config.embed_dim
        self.cnn = nn.Sequential(
            *(nn.Conv3d(1, a, 3, padding=1), nn.BatchNorm3d(a), nn.ReLU(), nn.MaxPool3d(2)),
            *(nn.Conv3d(a, b, 3, padding=1), nn.BatchNorm3d(b), nn.ReLU(), nn.MaxPool3d(2)),
        )
        self.embedding = nn.Conv3d(b, dim, config.patch_size, config.patch_size)
        n = int(np.prod([s // 4 // p for s, p in zip(shape, config.patch_size, strict=True)]))
        self.position, self.cls = torch.zeros(n, dim), torch.zeros(1, 1, dim)
        layer = nn.TransformerEncoderLayer(
            dim, config.n_heads, 4 * dim, config.dropout, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, config.n_layers, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(dim), nn.Dropout(config.dropout), nn.Linear(dim, 3))

    def forward(self, x):
        tokens = self.embedding(self.cnn(x[:, None])).flatten(2).transpose(1, 2) + self.position
        tokens = torch.cat([self.cls.expand(len(x), -1, -1), tokens], 1)
        return self.head(self.encoder(tokens)[:, 0])


def same_weights(ours, plain):
    """Copy our weights into the plain network."""
    pairs = [
        *zip(plain.cnn[0::4], (ours.first.convolution, ours.last.convolution), strict=True),
        *zip(plain.cnn[1::4], (ours.first.norm, ours.last.norm), strict=True),
        (plain.head[0], ours.head.norm),
        (plain.head[2], ours.head.map),
    ]
    layer, block = plain.encoder.layers[0], ours.blocks[0]
    pairs += [
        (layer.self_attn.out_proj, block.attention.out),
        *((layer.linear1, block.up), (layer.linear2, block.down)),
        *((layer.norm1, block.norm_attention), (layer.norm2, block.norm_mlp)),
    ]
    for theirs, own in pairs:
        theirs.load_state_dict(own.state_dict())
    with torch.no_grad():
        layer.self_attn.in_proj_weight.copy_(block.attention.qkv.weight)
        layer.self_attn.in_proj_bias.copy_(block.attention.qkv.bias)
        own = ours.embeddings[0]
        plain.embedding.weight.copy_(own.map.weight.view_as(plain.embedding.weight))
        plain.embedding.bias.copy_(own.map.bias)
        plain.position, plain.cls = own.position.detach(), ours.cls.detach()


def test_it_is_what_torchs_own_layers_compute(mask, vectors):
    ours = build_network(config_of(dropout=0), mask, 3)
    plain = Plain(ours.config, SHAPE)
    same_weights(ours, plain)
    volume = as_volume(mask, vectors)
    for training in (True, False):  # batch statistics, then the running ones of one batch
        a, b = ours.train(training)(vectors), plain.train(training)(volume)
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)
    ours.train()(vectors).square().sum().backward()
    plain.train()(volume).square().sum().backward()
    torch.testing.assert_close(
        ours.first.convolution.weight.grad, plain.cnn[0].weight.grad, atol=1e-3, rtol=1e-3
    )


@pytest.mark.parametrize(
    "settings",
    [{}, {"tokens": "brain"}, {"scales": "both", "pooling": "sum"}, {"pooling": "mean"}],
)
def test_vector_and_volume_of_a_trial_agree(mask, vectors, settings):
    network = build_network(config_of(**settings), mask, 3).eval()
    both = network(vectors), network(as_volume(mask, vectors))
    torch.testing.assert_close(*both, atol=1e-5, rtol=1e-5)
    assert both[0].shape == (4, 3)


def test_both_scales_see_what_one_does_not(mask, vectors):
    one, both = (build_network(config_of(scales=s), mask, 3).eval() for s in ("last", "both"))
    n_last = len(one.tokens.tokens)
    assert n_last == 2 * 1 * 1
    assert len(both.tokens.tokens) == n_last + 2 * 2 * 1
    assert both.embed(both.maps(both.volume(vectors))).shape == (4, n_last + 4 + 1, 16)


def test_brain_tokens_do_not_look_outside_the_mask(mask, vectors):
    network = build_network(config_of(tokens="brain"), mask, 3).eval()
    volume = as_volume(mask, vectors)
    loud = volume.masked_fill(~torch.from_numpy(mask), 100.0)
    torch.testing.assert_close(network(loud), network(volume))


def test_voxel_weights_and_tokens_come_back_with_the_weights(mask, vectors):
    config = config_of(
        tokens="brain", n_selected_tokens=1, score_power=0.5, scales="both", start="mean"
    )
    assert needs_score(config)
    score = np.random.default_rng(1).random(int(mask.sum())).astype("f4")
    trained = build_network(config, mask, 3, score=score).eval()
    torch.nn.init.normal_(trained.head.map.weight)
    loaded = blank_network(config, mask, 3)
    loaded.load_state_dict(trained.state_dict())
    assert loaded.tokens.tokens.tolist() == trained.tokens.tokens.tolist()
    assert torch.equal(loaded.eval()(vectors), trained(vectors))


def test_bad_input_is_one_sentence(mask):
    with pytest.raises(ModelError, match=r"does not divide \(2, 3, 2\).*the CNN's last map"):
        build_network(config_of(patch_size=(1, 2, 2)), mask, 3)
    network = build_network(config_of(), mask, 3)
    with pytest.raises(ModelError, match=r"but \(2, 7\) came"):
        network(torch.zeros(2, 7))
    with pytest.raises(ModelError, match=r"volumes \(B, \*\(8, 12, 9\)\) were expected"):
        network(torch.zeros(2, 8, 12, 8))
    with pytest.raises(ModelError, match=r"model.start: input should be 'random' or 'mean'"):
        parse_model({"name": "cnn_vit", "start": "linear"})


def test_the_reports_network_has_the_reports_size():
    mask = np.zeros((72, 91, 75), bool)
    mask[20:50, 20:60, 20:50] = True
    network = build_network(CNNViTConfig(n_layers=0), mask, 12)
    assert [part.grid.shape for part in network.tokens.parts] == [(18, 22, 18)]
    assert network.embeddings[0].map.weight.shape == (512, 64 * 6 * 11 * 6)
    assert network.first.convolution.weight.shape == (32, 1, 3, 3, 3)
    assert network.last.convolution.weight.shape == (64, 32, 3, 3, 3)


def test_an_interrupted_training_ends_as_the_uninterrupted_one(planted, tmp_path):
    """BatchNorm's running statistics come back too, bit for bit, through the file."""
    config = config_of(patch_size=(1, 2, 1), dropout=0.2)
    fit = FitConfig(epochs=2, batch_size=8, micro_batch_size=4, batches_per_epoch=6, device="cpu")
    data = FitData(planted.X, planted.Y, planted.train, planted.validation)

    def go(stop_after, state=None):
        asked, states = itertools.count(), []
        hooks = Hooks(should_stop=lambda: next(asked) >= stop_after, save=states.append)
        network = build_network(config, planted.mask, 3)
        result = fit_network(network, data, fit, hooks, state)
        return network.state_dict(), result.history, states

    whole, history, _ = go(99)
    _, _, states = go(4)
    save_state(tmp_path, states[-1])
    resumed, again, _ = go(99, newest_state(tmp_path))
    assert again == history
    assert whole["first.norm.running_mean"].abs().sum() > 0
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def trained(planted, Y, seed=0, epochs=10):
    """A small network on the planted brain of 6 × 8 × 5 voxels, its test r."""
    config = CNNViTConfig(
        patch_size=(1, 1, 1),
        tokens="brain",
        patch_embedding="local",
        first_channels=8,
        last_channels=8,
        embed_dim=16,
        n_layers=1,
        n_heads=2,
        dropout=0,
        pooling="sum",
        final_norm=False,
        start="mean",
    )
    fit = FitConfig(
        epochs=epochs,
        batches_per_epoch=None,
        batch_size=16,
        learning_rate=5e-3,
        precision="float32",
        device="cpu",
        seed=seed,
    )
    network = build_network(config, planted.mask, Y.shape[1], seed=seed)
    fit_network(network, FitData(planted.X, Y, planted.train, planted.validation), fit)
    return correlation(predict_network(network, planted.X, planted.test), Y[planted.test])


def test_it_finds_what_was_planted():
    planted = plant(0.5)
    assert trained(planted, planted.Y) > 0.5


def test_it_finds_nothing_in_permuted_ratings():
    """Mean r of 5 permutations of the concepts: below .33 in absolute value.

    8 test concepts and 3 targets: one r of chance has an SD of about .38 / √3 = .22, the mean of
    5 one of .10, so that chance alone fails one run in 1,000; the seeds are fixed.
    """
    planted = plant(0.5)
    of_concept = planted.Y[np.searchsorted(planted.concepts, np.arange(N_CONCEPTS))]
    found = []
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(N_CONCEPTS)
        found.append(trained(planted, of_concept[order][planted.concepts], seed, epochs=3))
    assert abs(np.mean(found)) < 0.33
    assert np.std(found) > 0  # different trainings, not one five times
