import numpy as np
import pytest
import torch

from thingsviz.analysis.maps import faithfulness
from thingsviz.explain import tests_of_maps
from thingsviz.explain.compute import compute


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(tests_of_maps, "BUDGET_S", 3.0)


def test_blocks_that_matter_are_found_faithful(decoders):
    decoder = decoders["ridge"]
    rows = decoder.material.split.test
    maps = {
        name: tests_of_maps.block_values(decoder, compute(decoder, name, rows))
        for name in ("weights", "occlusion")
    }
    maps["backwards"] = -maps["occlusion"]
    curves = tests_of_maps.judge_faithfulness(decoder, maps, rows)
    assert {tests_of_maps.RANDOM, tests_of_maps.CEILING, *maps} == set(curves.deletion)
    good = faithfulness.faithfulness(curves, "occlusion", tests_of_maps.RANDOM)
    bad = faithfulness.faithfulness(curves, "backwards", tests_of_maps.RANDOM)
    assert good.deletion.low > bad.deletion.high
    assert curves.deletion["weights"][0, 0] == pytest.approx(1)


def test_a_map_changes_as_weights_are_lost(decoders):
    decoder = decoders["pooled"]
    before = {k: v.clone() for k, v in decoder.network.state_dict().items()}
    steps = tests_of_maps.judge_sanity(decoder, "gradient_input", decoder.material.split.test)
    assert [s.what for s in steps] == ["head", "blocks 1", "embedding"]
    assert steps[-1].correlation < 0.7
    after = decoder.network.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)  # the decoder itself is whole


def test_a_map_that_shows_the_architecture_is_exposed(decoders):
    """LayerNorm after one epoch: patches with few brain voxels stand out whatever the weights."""
    decoder = decoders["cls"]
    steps = tests_of_maps.judge_sanity(decoder, "gradient_input", decoder.material.split.test)
    assert [s.what for s in steps] == ["head", "blocks 2", "blocks 1", "embedding"]
    assert steps[-1].correlation > 0.7


def test_a_ridge_fitted_to_dealt_out_ratings_says_other_things(decoders):
    decoder = decoders["ridge"]
    ((what, make),) = tests_of_maps.destroyed(decoder)
    assert what == "the ratings' order"
    x = decoder.responses(decoder.material.split.train)
    own, other = (d.outputs(x).numpy() for d in (decoder, make()))
    r = [np.corrcoef(own[:, j], other[:, j])[0, 1] for j in range(own.shape[1])]
    assert abs(np.mean(r)) < 0.4
    (step,) = tests_of_maps.judge_sanity(decoder, "weights", np.arange(4))
    assert step.correlation < 0.95


def test_shuffling_keeps_values(decoders):
    layer = torch.nn.Linear(30, 20)
    before = layer.weight.detach().clone()
    tests_of_maps.shuffle(layer)
    assert not torch.equal(before, layer.weight)
    assert torch.equal(before.flatten().sort()[0], layer.weight.detach().flatten().sort()[0])
