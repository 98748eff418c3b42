import numpy as np
import pytest
import torch

from models.base.errors import ModelError
from models.catalog.registry import build_network
from models.explain import attribution
from models.transformer.vit3d_config import ViT3DConfig
from tests.models.conftest import PATCH


@pytest.fixture
def weights(rng):
    return torch.from_numpy(rng.standard_normal((30, 3)).astype("f4"))


@pytest.fixture
def x(rng):
    return torch.from_numpy(rng.standard_normal((5, 30)).astype("f4"))


def squared(outputs):
    return 0.5 * (outputs**2).sum(1)


def test_of_a_linear_decoder_all_gradients_are_its_weights_times_the_response(weights, x):
    score = attribution.objective(torch.zeros(1, 3), 2)
    for method in (attribution.gradient_input, attribution.integrated_gradients):
        torch.testing.assert_close(method(lambda z: z @ weights, x, score), x * weights[:, 2])


def test_integrated_gradients_add_up_to_what_they_explain(planted):
    config = ViT3DConfig(patch_size=PATCH, embed_dim=16, n_layers=1, n_heads=2)
    network = build_network(config, planted.mask, 3).eval()
    x = torch.from_numpy(planted.X.array[:3])
    with torch.no_grad():
        middle = network(torch.zeros_like(x[:1]))
        score = attribution.objective(middle)
        wanted = score(network(x)) - score(middle)
    found = attribution.integrated_gradients(network, x, score, steps=50)
    torch.testing.assert_close(found.sum(1), wanted, atol=2e-2, rtol=2e-2)


def test_occlusion_is_the_fall_of_the_score(weights, x):
    groups = np.repeat([0, -1, 2], 10)
    found = attribution.occlusion(lambda z: z @ weights, x, squared, groups)
    for group, part in ((0, slice(0, 10)), (2, slice(20, 30))):
        without = x.clone()
        without[:, part] = 0
        wanted = squared(x @ weights) - squared(without @ weights)
        torch.testing.assert_close(found[:, group], wanted, atol=1e-4, rtol=1e-4)
    assert (found[:, 1] == 0).all()  # a group without voxels


def test_occlusion_needs_a_group(weights, x):
    with pytest.raises(ModelError, match="no group of voxels"):
        attribution.occlusion(lambda z: z @ weights, x, squared, np.full(30, -1))


def test_what_is_explained():
    outputs = torch.tensor([[1.0, 3.0]])
    assert attribution.objective(torch.tensor([[1.0, 1.0]]))(outputs).tolist() == [2.0]
    assert attribution.objective(torch.zeros(1, 2), 1)(outputs).tolist() == [3.0]
    with pytest.raises(ModelError, match="output 3 was asked for, but the model has 2"):
        attribution.objective(torch.zeros(1, 2), 2)
