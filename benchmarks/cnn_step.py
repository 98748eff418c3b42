"""One training step of cnn_vit against the same layers in plain PyTorch, in one run.

    python -m benchmarks cnn_step [--short] [--busy] [--layers 6] [--batch 2] [--rounds 5]

The original study's network (its §4): two blocks of Conv3d, BatchNorm3d, ReLU and MaxPool3d (32
and 64 channels) on volumes of (72, 91, 75), patches of (6, 11, 6) places, 512 wide, 8 heads, 12
targets, dropout 0. The plain one is torch's own modules in the original study's order (ReLU before
the maximum, channels first); a step is forward, backward and AdamW on responses that are in
memory: ours on masked vectors, which it lays out as volumes itself, the plain one on volumes.
Rounds go through all in turn; the best of each is printed. `--busy` takes one thread and counts
processor time.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.vit_step import STABLE, Entry, brain, clocks, timed, trainer
from models.base.work import Size
from models.catalog.registry import build_network
from models.training.distributed.fabric import has_native_bfloat16
from models.transformer.cnn_vit_config import CNNViTConfig
from models.transformer.cost import cnn_vit_work

SHAPE, PATCH, DIM, HEADS, TARGETS = (72, 91, 75), (6, 11, 6), 512, 8, 12
GOAL = 1.0
OURS, BOTH, PLAIN = "cnn_vit", "cnn_vit, both scales", "plain PyTorch"


def main(argv: list[str] | None = None) -> int:
    """Measure, print, and say whether ours is at least as fast."""
    parser = argparse.ArgumentParser(prog="benchmarks cnn_step", description=__doc__)
    parser.add_argument("--short", action="store_true", help="within 45 s: 1 layer, batch 1")
    parser.add_argument("--busy", action="store_true", help="one thread, processor time")
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args(argv)
    if options.short:
        options.layers, options.rounds, options.batch = 1, 3, 1
    if options.busy:
        options.threads = 1
        clocks.append(time.process_time)
    torch.set_num_threads(options.threads)
    print(
        f"{platform.machine()}, {options.threads} threads, torch {torch.__version__}; "
        f"{options.layers} layers, batch {options.batch}"
        + "; processor time of one thread"
        * options.busy
    )
    entries = networks(options)
    precisions = [torch.float32] + [torch.bfloat16] * has_native_bfloat16()
    reached = [measure(options, entries, precision) for precision in precisions]
    return 0 if all(reached) else 1


def networks(options: argparse.Namespace) -> dict[str, Entry]:
    """Build ours with one scale and with both, and the plain one, on the same responses."""
    torch.manual_seed(0)
    mask = brain()
    vectors = torch.randn(options.batch, int(mask.sum()))
    volume = torch.zeros(options.batch, *SHAPE)
    volume[:, torch.from_numpy(mask)] = vectors
    one = CNNViTConfig(n_layers=options.layers, dropout=0)
    both = one.model_copy(update={"scales": "both"})
    costs = {c.scales: cnn_vit_work(c, mask, Size(1))[1:3] for c in (one, both)}
    return {
        OURS: Entry(build_network(one, mask, TARGETS), vectors, *costs["last"]),
        PLAIN: Entry(Plain(options.layers), volume, *costs["last"]),
        BOTH: Entry(build_network(both, mask, TARGETS), vectors, *costs["both"]),
    }


def measure(
    options: argparse.Namespace, entries: dict[str, Entry], precision: torch.dtype
) -> bool:
    """Time all networks in one precision, print a table; False for a stable miss of the goal."""
    work = {name: trainer(entry, precision) for name, entry in entries.items()}
    times: dict[str, list[float]] = {name: [] for name in work}
    for step in work.values():
        step()  # allocations, weight packing
    for _ in range(options.rounds):
        for name, step in work.items():
            times[name].append(timed(step))
    best = {name: min(seconds) for name, seconds in times.items()}
    print(f"\n{str(precision).removeprefix('torch.')}")
    print(f"{'':24s} tokens  ms/step ms/sample GFLOP/s vs plain")
    for name, entry in entries.items():
        seconds = best[name]
        print(
            f"{name:24s} {entry.n_tokens:6d} {1e3 * seconds:8.0f} "
            f"{1e3 * seconds / options.batch:9.0f} "
            f"{entry.flops * options.batch / seconds / 1e9:7.0f} {best[PLAIN] / seconds:7.2f}x"
        )
    faster = best[PLAIN] / best[OURS]
    spread = max(float(np.median(times[name])) / best[name] for name in (OURS, PLAIN))
    if spread > STABLE:
        print(f"not judged: rounds differ by {spread:.2f}x, other work runs here (see --busy)")
        return True
    word = "reached" if faster >= GOAL else "MISSED"
    print(f"{word}: {faster:.2f} times as fast as plain PyTorch (goal {GOAL})")
    return faster >= GOAL


class Plain(nn.Module):
    """torch's own layers in the original study's order."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.cnn = nn.Sequential(*block(1, 32), *block(32, 64))
        self.embedding = nn.Conv3d(64, DIM, PATCH, PATCH)
        n_tokens = int(np.prod([n // 4 // p for n, p in zip(SHAPE, PATCH, strict=True)]))
        self.position = nn.Parameter(torch.zeros(n_tokens, DIM))
        self.cls = nn.Parameter(torch.zeros(1, 1, DIM))
        layer = nn.TransformerEncoderLayer(
            DIM, HEADS, 4 * DIM, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(DIM), nn.Linear(DIM, TARGETS))

    def forward(self, x: Tensor) -> Tensor:
        """(B, X, Y, Z) → (B, n_targets)."""
        places = self.embedding(self.cnn(x[:, None]))
        tokens = places.flatten(2).transpose(1, 2) + self.position
        tokens = torch.cat([self.cls.expand(len(x), -1, -1), tokens], 1)
        ratings: Tensor = self.head(self.encoder(tokens)[:, 0])
        return ratings


def block(n_in: int, n_out: int) -> list[nn.Module]:
    """One block of the original study's CNN."""
    convolution = nn.Conv3d(n_in, n_out, 3, padding=1)
    return [convolution, nn.BatchNorm3d(n_out), nn.ReLU(), nn.MaxPool3d(2)]


if __name__ == "__main__":
    sys.exit(main())
