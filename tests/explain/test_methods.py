from dataclasses import replace

import numpy as np
import pytest
import torch

from models.cost.estimate import work_of
from models.explain import attention_maps, attribution
from thingsviz.analysis.maps.planted_truth import auc, read_truth
from thingsviz.analysis.regions.regions import Regions
from thingsviz.core.errors import ConfigError, JobError
from thingsviz.explain import compute as computing
from thingsviz.explain import map_methods
from thingsviz.explain.compute import compute, methods_for, sizes_of, to_mass
from thingsviz.explain.decoder import open_decoder
from thingsviz.explain.map_methods import METHODS

SHARES = [name for name, method in METHODS.items() if method.share]
NETWORK = [name for name in METHODS if name != "weights"]
LINEAR = ["occlusion", "occlusion_region", "weights", *SHARES]


def few(decoder, n=5):
    return decoder.material.split.test[:n]


def test_each_decoder_has_its_methods(decoders):
    assert methods_for(decoders["pooled"]) == NETWORK
    assert methods_for(decoders["cls"]) == NETWORK
    assert methods_for(decoders["ridge"]) == LINEAR


@pytest.mark.parametrize("name", [*NETWORK, "weights"])
def test_every_method_gives_mass_in_the_brain(decoders, name):
    decoder = decoders["ridge" if name == "weights" else "cls"]
    rows = decoder.material.split.train if name in SHARES else few(decoder)
    found = compute(decoder, name, rows)
    mass = to_mass(decoder, found)
    assert mass.shape[-1] == decoder.material.store.shape[1]
    assert np.isfinite(mass).all()
    assert (mass >= 0).all()
    assert mass.sum() > 0
    if METHODS[name].unit == "token":
        assert found.values.shape[-1] == decoder.tokens.n_tokens
        total = np.abs(found.values).sum(-1)
        outside = decoder.tokens.background(np.abs(found.values))
        np.testing.assert_allclose(mass.sum(-1) + outside, total, rtol=1e-5)


def test_batches_add_up_to_the_mean_over_trials(decoders, monkeypatch):
    decoder, rows = decoders["cls"], few(decoders["cls"])
    whole = compute(decoder, "attention", rows)
    monkeypatch.setattr(map_methods, "GRADIENT_BATCH", 2)
    parts = compute(decoder, "attention", rows)
    np.testing.assert_allclose(whole.values, parts.values, atol=1e-6)
    with torch.no_grad():
        each = attention_maps.attention(decoder.network, decoder.responses(rows)).numpy()
    np.testing.assert_allclose(whole.values, each.mean(0), atol=1e-6)
    assert whole.values.shape == (2, 2, decoder.tokens.n_tokens)


def test_weights_are_those_of_the_ridge(decoders):
    decoder = decoders["ridge"]
    x = decoder.responses(few(decoder))
    W = decoder.weights()
    outputs = decoder.outputs(x).numpy()
    np.testing.assert_allclose(x.numpy() @ W + decoder.baseline.numpy(), outputs, atol=1e-3)
    one = compute(decoder, "weights", few(decoder), target=2).values
    np.testing.assert_allclose(one, np.abs(W[:, 2]), rtol=1e-6)
    assert (one > 0).sum() <= 500


def test_occlusion_of_a_ridge_is_what_its_weights_say(decoders):
    decoder = decoders["ridge"]
    rows = few(decoder, 2)
    found = compute(decoder, "occlusion", rows, target=0).values
    x, W = decoder.responses(rows).numpy(), decoder.weights()[:, 0]
    groups = decoder.tokens.groups()
    wanted = [(x * W)[:, groups == g].sum(1).mean() for g in range(decoder.tokens.n_tokens)]
    np.testing.assert_allclose(found, wanted, atol=1e-3)


@pytest.mark.parametrize("name", ["occlusion", "occlusion_region"])
@pytest.mark.parametrize("target", [None, 4])
def test_occlusion_by_sums_is_occlusion_one_by_one(decoders, name, target):
    """The plain way sets each group's responses to 0 and asks the decoder again."""
    decoder = decoders["ridge"]
    labels = (np.arange(decoder.material.store.shape[1]) // 700 % 5).astype(np.uint16)
    decoder = replace(decoder, named=Regions(labels, ("a", "b", "c", "d"), "mine"))
    x, groups = decoder.responses(few(decoder, 3)), METHODS[name].groups(decoder)
    score = attribution.objective(decoder.baseline, target)
    quick = attribution.linear_occlusion(decoder.weights(), groups, decoder.baseline, score)(x)
    keep = np.sort(quick.abs().mean(0).numpy().argsort()[-4:])  # those that matter most
    chosen = np.where(np.isin(groups, keep), np.searchsorted(keep, groups), -1)
    slow = attribution.occlusion(decoder.outputs, x, score, chosen)
    most = float(slow.abs().max())
    assert most > 1e-3
    np.testing.assert_allclose(quick[:, keep], slow, atol=0.01 * most)


def test_groups_that_no_weight_is_in_change_nothing(decoders):
    decoder = decoders["ridge"]
    x, W = decoder.responses(few(decoder, 2)), np.zeros_like(decoder.weights())
    score = attribution.objective(decoder.baseline, None)
    groups = METHODS["occlusion"].groups(decoder)
    assert not attribution.linear_occlusion(W, groups, decoder.baseline, score)(x).any()


def test_a_network_is_asked_in_evaluation_and_gives_its_own_outputs(decoders):
    decoder = decoders["pooled"]
    x = decoder.responses(few(decoder))
    with torch.no_grad():
        first, second = decoder.outputs(x), decoder.outputs(x)
    assert torch.equal(first, second)
    assert not decoder.network.training


def test_progress_is_told_and_can_cancel(decoders):
    told = []

    def report(progress):
        told.append(progress)
        if len(told) == 2:
            raise KeyboardInterrupt

    decoder = decoders["pooled"]
    with pytest.raises(KeyboardInterrupt):
        compute(decoder, "rollout", decoder.material.split.train[:40], report=report)
    assert told[1].done == 16
    assert told[1].message == "Attention rollout, trial 17"


def test_methods_that_do_not_suit(decoders):
    ridge, vit = decoders["ridge"], decoders["pooled"]
    with pytest.raises(ConfigError, match="'attention' needs a model with attention"):
        compute(ridge, "attention", few(ridge))
    with pytest.raises(ConfigError, match="'gradient_input' needs a network"):
        compute(ridge, "gradient_input", few(ridge))
    with pytest.raises(ConfigError, match="'weights' needs a linear decoder"):
        compute(vit, "weights", few(vit))
    with pytest.raises(ConfigError, match="'magic' is not known: for 'ridge' choose occlusion"):
        compute(ridge, "magic", few(ridge))
    with pytest.raises(ConfigError, match="no trial to make the map"):
        compute(vit, "rollout", few(vit, 0))


def test_memory_is_known_before(decoders):
    vit = decoders["cls"]
    n_voxels = vit.material.store.shape[1]
    assert 16 * 4 * n_voxels < METHODS["gradient_input"].peak_bytes(sizes_of(vit)) < 2**30
    assert METHODS["attention"].batch(sizes_of(vit)) == map_methods.GRADIENT_BATCH


def test_an_unfinished_job_cannot_be_asked(jobs, tmp_path):
    folder = tmp_path / "young"
    folder.mkdir()
    (folder / "config.json").write_bytes(jobs["ridge"].file("config.json").read_bytes())
    with pytest.raises(JobError, match="'young' has no finished model yet"):
        open_decoder(folder)


def test_the_fingerprint_tells_weights_apart(jobs, decoders):
    names = {name: decoder.fingerprint() for name, decoder in decoders.items()}
    assert len(set(names.values())) == len(names)
    assert open_decoder(jobs["cls"]).fingerprint() == names["cls"]


def test_occlusion_by_region_of_a_ridge_is_what_its_weights_say(decoders):
    decoder, rows = decoders["ridge"], few(decoders["ridge"], 2)
    labels = (np.arange(decoder.material.store.shape[1]) % 4).astype(np.uint16)
    named = replace(decoder, named=Regions(labels, ("a", "b", "c"), "mine"))
    found = compute(named, "occlusion_region", rows, target=0).values
    used = (decoder.responses(rows).numpy() * decoder.weights()[:, 0]).mean(0)
    for label in (1, 2, 3):
        inside = labels == label
        np.testing.assert_allclose(found[inside].sum(), used[inside].sum(), atol=1e-3)
        assert np.ptp(found[inside]) == 0
    assert not found[labels == 0].any()


def test_occlusion_by_region_of_a_network_needs_regions(decoders):
    decoder = decoders["pooled"]
    n_voxels = decoder.material.store.shape[1]
    two = Regions((np.arange(n_voxels) % 2 + 1).astype(np.uint16), ("a", "b"), "mine")
    found = compute(replace(decoder, named=two), "occlusion_region", few(decoder, 2)).values
    assert found.shape == (n_voxels,)
    assert len(np.unique(found)) == 2
    none = replace(decoder, named=Regions(np.zeros(n_voxels, np.uint16), (), "none"))
    assert "occlusion_region" not in methods_for(none)
    with pytest.raises(ConfigError, match="'occlusion_region' needs data with regions"):
        compute(none, "occlusion_region", few(decoder))


@pytest.mark.parametrize("name", ["pattern", "pattern_clean"])
def test_the_pattern_around_is_the_pattern_averaged(decoders, name):
    decoder = decoders["ridge"]
    rows = decoder.material.split.train
    plain = compute(decoder, name, rows).values
    wide = compute(decoder, f"{name}_local", rows).values
    mm = METHODS[f"{name}_local"].around_mm
    np.testing.assert_allclose(wide, computing.around(decoder, plain, mm), atol=1e-6)
    assert wide.std() < plain.std()
    assert METHODS[f"{name}_local"].resolution == f"{mm:g} mm"


def test_what_was_planted_is_found_without_shared_noise_too(decoders):
    """120 trials have next to no shared noise to find; on the demo subject it gains .03."""
    decoder = decoders["ridge"]
    path = decoder.material.dataset.root / "derivatives" / "planted" / "sub-01" / "truth.npz"
    signal = read_truth(path, decoder.material.store.shape[1]).signal
    rows = np.concatenate([decoder.material.split.train, decoder.material.split.test])
    found = {n: auc(compute(decoder, n, rows).values, signal, False) for n in SHARES}
    assert found["pattern_clean"] > found["pattern"] - 0.01
    assert found["pattern_clean_local"] > found["pattern_clean"]  # its voxels are 6 mm wide


def test_the_memory_of_attention_grows_with_tokens_heads_and_layers(decoders):
    vit = decoders["cls"]
    size = sizes_of(vit)
    assert size.n_tokens == work_of(vit.material.config.model, vit.material.store.mask).n_tokens
    assert (size.n_heads, size.n_layers) == (2, 2)
    large = size._replace(n_tokens=2000, n_heads=8, n_layers=6)
    # one trial at a time: 6 layers of 8 heads of 2,001² numbers
    assert METHODS["rollout"].peak_bytes(large) > 4 * 8 * 6 * 2001**2
    assert METHODS["rollout"].batch(large._replace(n_tokens=10**6)) == 1
    assert METHODS["occlusion"].peak_bytes(large) == METHODS["occlusion"].peak_bytes(size)


def test_a_new_method_is_one_object(decoders, monkeypatch):
    """Registered, it is offered, computed, turned into mass and checked like the others."""
    strength = map_methods.MapMethod(
        "strength",
        "Strength",
        "The response itself.",
        "any",
        "voxel",
        each=lambda method, decoder, score: lambda x: x,
    )
    monkeypatch.setitem(METHODS, "strength", strength)
    decoder = decoders["ridge"]
    assert methods_for(decoder)[-1] == "strength"
    rows = few(decoder)
    found = compute(decoder, "strength", rows)
    wanted = decoder.responses(rows).double().mean(0).numpy()
    np.testing.assert_allclose(found.values, wanted)
    np.testing.assert_allclose(to_mass(decoder, found), np.abs(wanted))
