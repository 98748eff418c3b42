import numpy as np
import pytest
import torch
from torch import nn

from models.base.errors import ModelError
from models.catalog.registry import blank_network, build_network, needs_score
from models.transformer.layers import SharedEmbedding
from models.transformer.patches import PatchGrid
from models.transformer.vit3d import patch_score
from models.transformer.vit3d_config import ViT3DConfig

BASE = {"patch_size": (3, 4, 5), "embed_dim": 16, "n_layers": 2, "n_heads": 2}


def config_of(**settings):
    return ViT3DConfig(**{**BASE, **settings})


def as_volume(mask, vectors):
    volume = np.zeros((len(vectors), *mask.shape), "f4")
    volume[:, mask] = vectors
    return torch.from_numpy(volume)


def copy_weights(dense, brain):
    """Give `brain` the dense network's weights, positions and local maps of its own tokens."""
    tokens = brain.token_ids
    state = dense.state_dict()
    for name in ("token_ids", "gather", "weight", "embedding.position"):
        state[name] = state[name][tokens]
    if dense.config.patch_embedding == "local":
        state["embedding.map"] = state["embedding.map"][tokens]
    brain.load_state_dict(state)


@pytest.mark.parametrize("embedding", ["shared", "local"])
@pytest.mark.parametrize("pooling", ["cls", "mean", "sum"])
def test_dense_and_brain_agree_on_a_full_mask(embedding, pooling):
    mask = np.ones((6, 8, 5), bool)
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((4, mask.sum()), dtype="f4")
    settings = {"patch_embedding": embedding, "pooling": pooling}
    dense = build_network(config_of(**settings), mask, 3).eval()
    brain = build_network(config_of(**settings, tokens="brain"), mask, 3, seed=9).eval()
    copy_weights(dense, brain)
    plain = dense(as_volume(mask, vectors))
    for x in (torch.from_numpy(vectors), as_volume(mask, vectors)):
        torch.testing.assert_close(brain(x), plain, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("embedding", ["shared", "local"])
def test_dense_restricted_to_brain_tokens_is_brain(planted, embedding):
    mask = planted.mask.copy()
    mask[:3, :4] = False  # one patch without brain
    vectors = np.random.default_rng(1).standard_normal((4, mask.sum()), dtype="f4")
    dense = build_network(config_of(patch_embedding=embedding), mask, 3).eval()
    brain = build_network(config_of(patch_embedding=embedding, tokens="brain"), mask, 3, seed=9)
    brain.eval()
    copy_weights(dense, brain)
    assert len(brain.token_ids) == dense.grid.n_tokens - 1
    x = dense.embed(dense.tokenize(as_volume(mask, vectors)))
    kept = x[:, [0, *(brain.token_ids + 1).tolist()]]  # CLS and the brain's tokens
    torch.testing.assert_close(
        brain(torch.from_numpy(vectors)), dense.read(kept), atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("tokens", ["dense", "brain"])
def test_vector_and_volume_of_a_trial_agree(planted, tokens):
    network = build_network(config_of(tokens=tokens), planted.mask, 3).eval()
    vectors = planted.X.array[:3]
    both = network(torch.from_numpy(vectors)), network(as_volume(planted.mask, vectors))
    torch.testing.assert_close(*both, atol=1e-5, rtol=1e-5)


def test_brain_tokens_do_not_look_outside_the_mask(planted):
    network = build_network(config_of(tokens="brain"), planted.mask, 3).eval()
    volume = as_volume(planted.mask, planted.X.array[:2])
    loud = volume.masked_fill(~torch.from_numpy(planted.mask), 100.0)
    torch.testing.assert_close(network(loud), network(volume))
    dense = build_network(config_of(), planted.mask, 3).eval()
    assert not torch.allclose(dense(loud), dense(volume))


def test_shared_embedding_is_a_strided_convolution():
    torch.manual_seed(0)
    conv = nn.Conv3d(1, 8, kernel_size=(3, 4, 5), stride=(3, 4, 5))
    ours = SharedEmbedding(4, 60, 8)
    with torch.no_grad():
        ours.map.weight.copy_(conv.weight.flatten(1))
        ours.map.bias.copy_(conv.bias)
        ours.position.zero_()
    volume = torch.randn(2, 6, 8, 5)
    plain = conv(volume[:, None]).flatten(2).transpose(1, 2)
    tokens = PatchGrid((6, 8, 5), (3, 4, 5)).to_tokens(volume)
    torch.testing.assert_close(ours(tokens), plain, atol=1e-5, rtol=1e-5)
    bound = conv.weight.abs().max() * 1.05
    assert SharedEmbedding(4, 60, 8).map.weight.abs().max() < bound


def test_local_embedding_with_equal_maps_is_shared(planted):
    shared = build_network(config_of(tokens="brain"), planted.mask, 3).eval()
    local = build_network(config_of(tokens="brain", patch_embedding="local"), planted.mask, 3)
    state = shared.state_dict()
    linear = state.pop("embedding.map.weight").T
    bias = state.pop("embedding.map.bias")
    state["embedding.position"] = state["embedding.position"] + bias
    state["embedding.map"] = linear.expand(len(shared.token_ids), -1, -1)
    local.load_state_dict(state)
    x = torch.from_numpy(planted.X.array[:3])
    torch.testing.assert_close(local.eval()(x), shared(x), atol=1e-5, rtol=1e-5)


def test_a_block_is_torchs_pre_norm_layer(planted):
    network = build_network(config_of(n_layers=1), planted.mask, 3).eval()
    block = network.blocks[0]
    plain = nn.TransformerEncoderLayer(
        16, 2, 64, 0.1, "gelu", batch_first=True, norm_first=True
    ).eval()
    names = {
        "self_attn.in_proj_weight": "attention.qkv.weight",
        "self_attn.in_proj_bias": "attention.qkv.bias",
        "self_attn.out_proj.weight": "attention.out.weight",
        "self_attn.out_proj.bias": "attention.out.bias",
        "linear1.weight": "up.weight",
        "linear1.bias": "up.bias",
        "linear2.weight": "down.weight",
        "linear2.bias": "down.bias",
        "norm1.weight": "norm_attention.weight",
        "norm1.bias": "norm_attention.bias",
        "norm2.weight": "norm_mlp.weight",
        "norm2.bias": "norm_mlp.bias",
    }
    state = block.state_dict()
    plain.load_state_dict({theirs: state[ours] for theirs, ours in names.items()})
    x = torch.randn(2, 7, 16)
    torch.testing.assert_close(block(x), plain(x), atol=1e-5, rtol=1e-5)


def test_the_mean_start_predicts_the_mean(planted, small):
    network = build_network(small, planted.mask, 3).eval()
    network.target_scale.fit(planted.Y[planted.train])
    x = torch.from_numpy(planted.X.array[:4])
    assert network(x).eq(0).all()
    mean = torch.from_numpy(planted.Y[planted.train].mean(0)).expand(4, -1)
    torch.testing.assert_close(network.predict(x), mean)


@pytest.mark.parametrize("start", ["random", "mean"])
def test_a_hidden_layer_beside_the_head_adds_to_it(planted, start):
    head = build_network(config_of(head="mlp", start=start), planted.mask, 3).eval().head
    x = torch.randn(5, 16)
    up, _, _, down = head.beside
    hidden = nn.functional.gelu(head.norm(x) @ up.weight.T + up.bias)
    plain = head.map(head.norm(x)) + hidden @ down.weight.T + down.bias
    torch.testing.assert_close(head(x), plain)
    assert bool(head(x).eq(0).all()) == (start == "mean")


def test_same_seed_same_weights_and_no_trace_in_the_generator(planted):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    a, b, c = (build_network(config_of(), planted.mask, 3, seed=s) for s in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))
    assert not torch.equal(a.head.map.weight, c.head.map.weight)


def test_the_best_tokens_are_those_with_the_signal(planted):
    score = planted.signal.astype("f4") + 1e-3
    config = config_of(tokens="brain", n_selected_tokens=2, score_power=1)
    network = build_network(config, planted.mask, 3, score=score)
    everything = build_network(config_of(tokens="brain"), planted.mask, 3).tokens
    order = np.argsort(-patch_score(everything, score))[:2]
    assert sorted(everything.tokens[order]) == network.token_ids.tolist()
    weight = network.weight[torch.from_numpy(network.tokens.present)]
    assert weight.square().mean() == pytest.approx(1, abs=1e-5)
    assert network.weight[~torch.from_numpy(network.tokens.present)].eq(0).all()


def test_weights_bring_their_tokens_along(planted):
    config = config_of(tokens="brain", n_selected_tokens=2, score_power=0.5)
    score = np.random.default_rng(4).random(int(planted.mask.sum())).astype("f4")
    trained = build_network(config, planted.mask, 3, score=score).eval()
    loaded = blank_network(config, planted.mask, 3)
    loaded.load_state_dict(trained.state_dict())
    assert loaded.tokens.tokens.tolist() == trained.tokens.tokens.tolist()
    x = torch.from_numpy(planted.X.array[:2])
    assert torch.equal(loaded.eval()(x), trained(x))


def test_asking_for_more_tokens_than_there_are_takes_all(planted):
    config = config_of(tokens="brain", n_selected_tokens=9999)
    score = np.ones(int(planted.mask.sum()), "f4")
    plain = build_network(config_of(tokens="brain"), planted.mask, 3)
    assert len(build_network(config, planted.mask, 3, score=score).token_ids) == len(
        plain.token_ids
    )


def test_selection_without_a_score_is_refused(planted):
    config = config_of(tokens="brain", n_selected_tokens=2)
    assert needs_score(config)
    with pytest.raises(ModelError, match=r"pass score=encoding_score"):
        build_network(config, planted.mask, 3)


def test_responses_of_another_size_are_refused(planted):
    network = build_network(config_of(), planted.mask, 3)
    n = int(planted.mask.sum())
    with pytest.raises(ModelError, match=rf"\(B, {n}\) in the mask .* but \(2, 7\) came"):
        network(torch.zeros(2, 7))
    with pytest.raises(ModelError, match=r"\(6, 8, 5\) was expected"):
        network(torch.zeros(2, 6, 8, 4))


def test_padding_lets_any_patch_in():
    mask = np.ones((5, 7, 4), bool)
    with pytest.raises(ModelError, match="axis 0 leaves 2 voxels"):
        build_network(config_of(patch_size=(3, 3, 3)), mask, 2)
    network = build_network(config_of(patch_size=(3, 3, 3), pad=True), mask, 2).eval()
    vectors = np.random.default_rng(0).standard_normal((2, 140), dtype="f4")
    both = network(torch.from_numpy(vectors)), network(as_volume(mask, vectors))
    torch.testing.assert_close(*both, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("patch", [(12, 13, 15), (6, 7, 5)])
def test_the_reports_network_has_its_size(patch):
    mask = np.zeros((72, 91, 75), bool)
    mask[20:50, 20:60, 20:50] = True
    network = build_network(ViT3DConfig(patch_size=patch), mask, 12)
    n = sum(p.numel() for p in network.parameters())
    assert n == 20_228_108  # the same for both: 210 patches of 2,340 voxels, or the reverse
    assert network.cls.shape == (1, 1, 512)
