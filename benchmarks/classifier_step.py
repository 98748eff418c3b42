"""One training step of logistic, mlp and cnn3d against the same layers in plain PyTorch.

    python -m benchmarks classifier_step [--short] [--batch 4] [--rounds 7]

The original study's classifiers (its §6-9) of 720 concepts on every second voxel of (72, 91, 75):
forward, cross-entropy, backward, Adam. Ours start from masked vectors, as the store gives them,
and pick or lay out their voxels themselves; the plain ones get the finished input. Processor time
of one thread, rounds in turn, the best of each. Exits 1 when ours takes over 1.3 × the plain step.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from models.catalog.config import parse_model
from models.catalog.registry import build_network

SHAPE, N_CLASSES, MOST = (72, 91, 75), 720, 1.3
HALF = tuple(-(-n // 2) for n in SHAPE)


def brain() -> np.ndarray:
    """An ellipsoid with about as many voxels as a brain has (211,000)."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    return sum(a**2 for a in axes) < 0.85


def plain(name: str, n_inputs: int) -> nn.Module:
    """The original study's layers, by torch's own modules."""
    if name == "logistic":
        return nn.Linear(n_inputs, N_CLASSES)
    if name == "mlp":
        layers = [nn.Linear(n_inputs, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, N_CLASSES)]
        return nn.Sequential(*layers)
    blocks: list[nn.Module] = []
    for a, b, pool in ((1, 32, None), (32, 64, None), (64, 128, nn.AdaptiveAvgPool3d(1))):
        conv = nn.Conv3d(a, b, 3, padding=1)
        blocks += [conv, nn.BatchNorm3d(b), nn.ReLU(), pool or nn.MaxPool3d(2)]
    head = [nn.Linear(128, 256), nn.ReLU(), nn.Dropout(0.3), nn.Linear(256, N_CLASSES)]
    return nn.Sequential(*blocks, nn.Flatten(), *head)


def stepper(network: nn.Module, x: Tensor) -> Callable[[], None]:
    """Return what does one step on the same batch."""
    truth = torch.arange(len(x)) % N_CLASSES
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    network.train()

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(network(x), truth).backward()
        optimiser.step()

    return step


def best_of(steps: list[Callable[[], None]], rounds: int) -> list[float]:
    """Least processor seconds of each, after one step to warm up."""
    for step in steps:
        step()
    found = [float("inf")] * len(steps)
    for _ in range(rounds):
        for i, step in enumerate(steps):
            began = time.process_time()
            step()
            found[i] = min(found[i], time.process_time() - began)
    return found


def main(argv: list[str] | None = None) -> int:
    """Measure and print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks classifier_step", description=__doc__)
    parser.add_argument("--short", action="store_true", help="three rounds")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    mask = brain()
    responses = torch.randn(options.batch, int(mask.sum()))
    missed = 0
    for name in ("logistic", "mlp", "cnn3d"):
        ours = build_network(parse_model({"name": name}), mask, N_CLASSES)
        if name == "cnn3d":
            x, n_inputs = torch.randn(options.batch, 1, *HALF), 0
        else:
            n_inputs = next(p.shape[1] for p in ours.parameters() if p.ndim == 2)
            x = torch.randn(options.batch, n_inputs)
        steps = [stepper(ours, responses), stepper(plain(name, n_inputs), x)]
        own, theirs = best_of(steps, 3 if options.short else options.rounds)
        ratio = own / theirs
        missed += ratio > MOST
        print(
            f"{name:9s} {1e3 * own:7.0f} ms, plain {1e3 * theirs:7.0f} ms: {ratio:.2f} ×", end=" "
        )
        print("met" if ratio <= MOST else f"MISSED (goal ≤ {MOST} ×)")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
