import pytest
import torch

from models.catalog.registry import build_network
from models.training.config import FitConfig
from models.training.optimizer import Optimizer


@pytest.fixture
def network(planted, small):
    return build_network(small, planted.mask, 3)


def step_once(network, optimiser, step):
    network(torch.ones(2, int(network.brain.numel()))).sum().backward()
    optimiser.step(step)


def test_the_embedding_has_its_own_rate(network):
    optimiser = Optimizer(network, FitConfig(learning_rate=1e-3, embedding_learning_rate=1e-5))
    assert [g["lr"] for g in optimiser.optimizer.param_groups] == [1e-3, 1e-5]
    inside = {id(p) for p in optimiser.optimizer.param_groups[1]["params"]}
    assert inside == {id(p) for p in network.embedding_parameters()}
    n = sum(len(g["params"]) for g in optimiser.optimizer.param_groups)
    assert n == len(list(network.parameters()))


def test_an_embedding_of_rate_0_stays_as_it_is(network):
    optimiser = Optimizer(network, FitConfig(embedding_learning_rate=0, weight_decay=1))
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    for step in range(3):
        torch.nn.init.normal_(network.head.map.weight)
        step_once(network, optimiser, step)
    after = dict(network.named_parameters())
    assert torch.equal(before["embedding.map"], after["embedding.map"])
    assert not torch.equal(before["blocks.0.down.weight"], after["blocks.0.down.weight"])
    Optimizer(network, FitConfig(embedding_learning_rate=1e-3))
    assert after["embedding.map"].requires_grad


def test_plateau_halves_after_two_patient_epochs(network):
    optimiser = Optimizer(network, FitConfig(learning_rate=1e-3))
    rates = []
    for loss in (1.0, 0.9, 0.95, 0.95, 0.95, 0.95):
        optimiser.end_epoch(loss)
        rates.append(optimiser.rate)
    assert rates == [1e-3, 1e-3, 1e-3, 1e-3, 5e-4, 5e-4]


def test_no_schedule_keeps_the_rate(network):
    optimiser = Optimizer(network, FitConfig(learning_rate=1e-3, schedule="none"))
    for _ in range(9):
        optimiser.end_epoch(1.0)
    assert optimiser.rate == 1e-3


def test_warm_up_rises_to_the_full_rate(network):
    optimiser = Optimizer(network, FitConfig(learning_rate=1e-3, warmup_batches=4))
    rates = []
    for step in range(6):
        step_once(network, optimiser, step)
        rates.append(optimiser.rate)
    assert rates == pytest.approx([2.5e-4, 5e-4, 7.5e-4, 1e-3, 1e-3, 1e-3])


def test_clipping_bounds_the_gradient(network, monkeypatch):
    seen = []
    optimiser = Optimizer(network, FitConfig(gradient_clip=0.01))
    norm = lambda: torch.stack([p.grad.norm() for p in network.parameters()]).norm()  # noqa: E731
    monkeypatch.setattr(optimiser.optimizer, "step", lambda: seen.append(norm().item()))
    step_once(network, optimiser, 0)
    assert seen[0] == pytest.approx(0.01, rel=1e-3)
    assert all(p.grad is None for p in network.parameters())
