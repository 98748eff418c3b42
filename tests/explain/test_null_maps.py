"""Regions' p values where there is nothing to find: attention of networks that learned nothing."""

import numpy as np
import pytest
import torch
from scipy.stats import binom, kstest

from models.catalog.registry import build_network
from models.explain import attention_maps
from models.transformer.token_map import token_map
from models.transformer.vit3d_config import ViT3DConfig
from thingsviz.analysis.maps.spin_null import Rotations, p_values, turns
from thingsviz.analysis.regions.regions import regions_of
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import open_dataset

N_NETWORKS = 40


def attention_of(seed, store):
    """One untrained head's attention to noise, as mass a voxel, beside uniform attention."""
    config = ViT3DConfig(
        tokens="brain", patch_size=(3, 3, 3), pad=True, embed_dim=16, n_layers=1, n_heads=2
    )
    network = build_network(config, store.mask, 3, seed=seed).eval()
    with torch.no_grad():
        attention_maps.attention_layers(network)[0].qkv.weight.mul_(8)  # else nearly uniform
    x = torch.randn(4, store.shape[1], generator=torch.Generator().manual_seed(seed))
    tokens = token_map(network)
    found = attention_maps.attention(network, x).mean(0)[0, 0].numpy()
    flat = np.full(tokens.n_tokens, 1 / tokens.n_tokens)
    return tokens.to_voxels(found), tokens.to_voxels(flat)


def test_p_values_of_untrained_networks_are_uniform(untrained):
    """40 networks, a region each; this test fails by chance in about 2 of 1,000 runs.

    On the null subject (211,169 voxels) 30 networks × 12 regions gave 2.2 % of p ≤ .05, and a
    Kolmogorov-Smirnov p of .29 against uniform.
    """
    store, named, found = untrained
    turned = turns(store.mask, named.labels, n=99)
    p = p_of(found, turned, len(named.names))
    assert looks_uniform(p)
    assert min(p) == pytest.approx(0, abs=0.2)


def test_the_same_check_finds_a_null_that_is_wrong(untrained):
    """Voxels shuffled one by one, as if patches did not make neighbours alike: it must fail."""
    _, named, found = untrained
    rng = np.random.default_rng(0)
    labels = named.labels.astype(np.uint16)
    shuffled = np.stack([rng.permutation(labels) for _ in range(99)])
    wrong = Rotations(np.arange(len(labels)), labels, shuffled)
    assert not looks_uniform(p_of(found, wrong, len(named.names)))


@pytest.fixture(scope="module")
def untrained(tiny):
    """The tiny subject, its regions, and attention of networks that learned nothing."""
    store = BetaStore.open(open_dataset(tiny / "tiny"), "sub-01")
    named = regions_of(store.voxels, store.grid, store.mask, store.space)
    return store, named, [attention_of(seed, store) for seed in range(N_NETWORKS)]


def p_of(found, turned, n):
    """One region's p of each network, another region each time: independent of each other."""
    return [p_values(*one, turned, n)[1 + k % n] for k, one in enumerate(found)]


def looks_uniform(p):
    few = (np.array(p) <= 0.05).sum() <= binom.ppf(0.999, N_NETWORKS, 0.05)
    return bool(few and kstest(p, "uniform").pvalue > 0.001)
