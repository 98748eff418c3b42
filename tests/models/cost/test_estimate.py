import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from models.catalog.config import parse_model
from models.catalog.registry import build_network
from models.cost.estimate import Size, Speed, estimate, machine_speed, work_of
from models.linear.config import MeanConfig, RidgeConfig
from models.training.config import FitConfig
from models.transformer.cnn_vit_config import CNNViTConfig
from models.transformer.vit3d_config import ViT3DConfig

SPEED = Speed(1e11, 1e10)
MASK = np.random.default_rng(0).random((6, 8, 5)) < 0.3
CONFIGS = [
    ViT3DConfig(patch_size=(3, 4, 5), embed_dim=16, n_layers=2, n_heads=2),
    ViT3DConfig(patch_size=(3, 2, 1), embed_dim=24, n_layers=1, n_heads=3, tokens="brain"),
    ViT3DConfig(
        patch_size=(3, 2, 1),
        embed_dim=8,
        n_layers=1,
        n_heads=1,
        mlp_ratio=0.5,
        tokens="brain",
        n_selected_tokens=7,
        head="mlp",
        patch_embedding="local",
        pooling="sum",
        final_norm=False,
    ),
    CNNViTConfig(patch_size=(1, 2, 1), embed_dim=8, n_layers=1, n_heads=2),
    CNNViTConfig(
        patch_size=(1, 1, 1),
        scales="both",
        first_patch_size=(2, 2, 2),
        tokens="brain",
        first_channels=4,
        last_channels=6,
        embed_dim=8,
        n_layers=1,
        n_heads=2,
    ),
]


def built(config):
    return build_network(config, MASK, 3, score=np.ones(int(MASK.sum()), "f4"))


@pytest.mark.parametrize("config", CONFIGS)
def test_parameters_and_tokens_are_those_of_the_network(config):
    network = built(config)
    work = work_of(config, MASK, Size(1, n_targets=3))
    assert work.n_tokens == len(network.tokens.tokens)
    plain = sum(p.numel() for p in network.parameters())
    assert work.parameters == plain


@pytest.mark.parametrize("config", CONFIGS)
def test_flops_are_those_that_torch_counts(config):
    network = built(config)
    x = torch.randn(2, int(MASK.sum()))
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        network(x).sum().backward()  # torch does not count the fused kernel of a CPU
    head = 3 * 2 * 2 * config.embed_dim * 3
    if config.head == "mlp":
        head += 3 * 2 * 2 * round(config.mlp_ratio * config.embed_dim) * (config.embed_dim + 3)
    plain = counter.get_total_flops() - head
    assert 2 * work_of(config, MASK).flops == pytest.approx(plain, rel=0.01)


def test_time_and_memory_grow_with_what_is_asked():
    def cost(fit=None, config=CONFIGS[0], **size):
        return estimate(config, MASK, fit or FitConfig(), Size(**{"n_train": 500, **size}), SPEED)

    plain = cost()
    assert cost(FitConfig(epochs=20)).seconds == pytest.approx(2 * plain.seconds)
    assert cost(FitConfig(batches_per_epoch=128)).seconds > 1.9 * plain.seconds
    assert cost(n_validation=500).seconds > plain.seconds
    limited = cost(FitConfig(validation_batches=1), n_validation=500)
    assert plain.seconds < limited.seconds < cost(n_validation=500).seconds
    assert cost(FitConfig(micro_batch_size=1)).bytes < plain.bytes
    assert cost(config=CONFIGS[1], n_targets=12).parameters > 0


def test_the_reports_network_costs_hours_and_gigabytes():
    mask = np.zeros((72, 91, 75), bool)
    mask[10:60, 10:80, 10:65] = True
    cost = estimate(ViT3DConfig(), mask, FitConfig(), Size(1200), SPEED)
    assert cost.parameters == 20_228_108
    assert cost.flops_per_sample == pytest.approx(4.7e11, rel=0.1)
    assert cost.bytes > 1e10
    assert cost.seconds > 3600


def test_linear_models_have_a_cost_too():
    ridge = estimate(RidgeConfig(), MASK, FitConfig(), Size(1000), SPEED)
    assert ridge.seconds > 0
    assert ridge.bytes >= 4 * 1000**2 * 4
    assert estimate(MeanConfig(), MASK, FitConfig(), Size(1000), SPEED).seconds == 0


@pytest.mark.parametrize(
    ("cheap", "dear"),
    [
        ({"name": "concept_decoder"}, {"name": "concept_decoder", "local_noise": "invert"}),
        ({"name": "concept_decoder"}, {"name": "quadratic_decoder"}),
        ({"name": "concept_decoder", "n_axes": 20}, {"name": "concept_decoder"}),
        ({"name": "encoding_inversion"}, {"name": "concept_decoder"}),
        ({"name": "banded_ridge", "n_bands": 1}, {"name": "banded_ridge", "n_bands": 8}),
    ],
)
def test_what_does_more_costs_more(cheap, dear):
    mask = np.ones((72, 91, 75), bool)
    costs = [estimate(parse_model(c), mask, FitConfig(), Size(7440), SPEED) for c in (cheap, dear)]
    assert 0 < costs[0].seconds < costs[1].seconds
    assert costs[0].parameters > 0


def test_gathered_responses_are_held():
    """60,000 voxels of 7,440 trials are 1.8 GB, as the form says."""
    mask = np.ones((72, 91, 75), bool)
    cost = estimate(parse_model({"name": "concept_decoder"}), mask, FitConfig(), Size(7440), SPEED)
    assert 1.8e9 < cost.bytes < 2.5e9


def test_a_machine_has_a_speed():
    speed = machine_speed()
    assert 1e8 < speed.flops < 1e15
    assert 1e8 < speed.bytes < 1e13
