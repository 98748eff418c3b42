"""One training step of vit3d, dense and on brain tokens, against MONAI, vit-pytorch and torch.

    python -m benchmarks vit_step [--short] [--busy] [--layers 6] [--batch 1] [--rounds 5]

All networks have the original study's width (512, 8 heads, MLP 2048, 12 targets), its patch (6, 7,
5) on (72, 91, 75), dropout 0 (they drop at different places) and the same fused AdamW; a step is
forward, backward and update on responses that are in memory. Rounds go through all networks in
turn; the best of each is printed, since other work on the machine only ever adds time. On a busy
machine `--busy` takes one thread and counts its processor time, which others change much less.

GEMM floor: the time that this machine needs in the same run for nothing but the matrix products
of the step (each linear map forward, for its input and for its weights; attention's two products
forward and four backward, per head), each measured at its own shape. GEMM floor / step is the
share of the peak that the step reaches; what is lost is softmax, LayerNorm, GELU, reading the
patches, and AdamW. The fused attention may beat two separate products, so a share can pass 100 %.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.base.work import Size
from models.catalog.registry import build_network
from models.training.distributed.fabric import has_native_bfloat16
from models.transformer.cost import vit_work
from models.transformer.vit3d_config import ViT3DConfig

SHAPE, PATCH, DIM, HEADS, HIDDEN, TARGETS = (72, 91, 75), (6, 7, 5), 512, 8, 2048, 12
GOAL_PEAK, GOAL_BRAIN = 0.85, 2.0
STABLE = 1.15  # the median round may take so many times the best one
clocks: list[Callable[[], float]] = [time.perf_counter]
DENSE, BRAIN = "vit3d, dense tokens", "vit3d, brain tokens"


class Entry(NamedTuple):
    """A network with what it reads, its tokens, and its operations a sample."""

    network: nn.Module
    x: Tensor
    n_tokens: int
    flops: float


def main(argv: list[str] | None = None) -> int:
    """Measure, print, and say whether the goals were reached."""
    parser = argparse.ArgumentParser(prog="benchmarks vit_step", description=__doc__)
    parser.add_argument("--short", action="store_true", help="within 45 s: 2 layers, 3 rounds")
    parser.add_argument("--busy", action="store_true", help="one thread, processor time")
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args(argv)
    if options.short:
        options.layers, options.rounds = 2, 3
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
    precisions = [torch.float32] + [torch.bfloat16] * has_native_bfloat16()
    reached = [measure(options, precision) for precision in precisions]
    if len(precisions) == 1:
        print("bfloat16: not measured, this processor does not multiply it natively")
    return 0 if all(reached) else 1


def measure(options: argparse.Namespace, precision: torch.dtype) -> bool:
    """Time all networks in one precision and print a table; False for a stable miss of a goal."""
    entries = networks(options, brain())
    work = {name: trainer(entry, precision) for name, entry in entries.items()}
    floors = {
        n: gemm_work(n, options.layers, options.batch, precision)
        for n in {entry.n_tokens for entry in entries.values()}
    }
    times: dict[str | int, list[float]] = {name: [] for name in work} | {n: [] for n in floors}
    for step in work.values():
        step()  # allocations, weight packing
    for _ in range(options.rounds):
        for name, step in work.items():
            times[name].append(timed(step))
        for n, products in floors.items():
            times[n].append(products())
    return report(options, entries, times, precision)


def report(
    options: argparse.Namespace,
    entries: dict[str, Entry],
    times: dict[str | int, list[float]],
    precision: torch.dtype,
) -> bool:
    """Print the table of one precision; False for a stable miss of a goal."""
    best = {name: min(seconds) for name, seconds in times.items()}
    print(
        f"\n{str(precision).removeprefix('torch.')}: a square product reaches "
        f"{square_peak(precision) / 1e9:.0f} GFLOP/s"
    )
    print(f"{'':24s} tokens  ms/step ms/sample GFLOP/s vs dense  GEMM floor/step")
    for name, entry in entries.items():
        n, seconds = entry.n_tokens, best[name]
        flops = entry.flops * options.batch
        print(
            f"{name:24s} {n:6d} {1e3 * seconds:8.0f} {1e3 * seconds / options.batch:9.0f} "
            f"{flops / seconds / 1e9:7.0f} {best[DENSE] / seconds:7.2f}x {best[n] / seconds:12.0%}"
        )
    good = goals(best[entries[DENSE].n_tokens] / best[DENSE], best[DENSE] / best[BRAIN], precision)
    judged = (DENSE, BRAIN, entries[DENSE].n_tokens)
    spread = max(float(np.median(times[name])) / best[name] for name in judged)
    if spread > STABLE:
        print(f"not judged: rounds differ by {spread:.2f}x, other work runs here (see --busy)")
        return True
    return good


def goals(share: float, faster: float, precision: torch.dtype) -> bool:
    """Print what was reached; the share of the peak is a goal in float32 alone.

    bfloat16 matrix units make the products so short that softmax and the like are most of a step.
    """
    judged = precision == torch.float32
    verdicts = [
        (share >= GOAL_PEAK, judged, f"dense reaches {share:.0%} of the GEMM floor", "85%"),
        (faster >= GOAL_BRAIN, True, f"brain tokens are {faster:.2f}x as fast as dense", "2x"),
    ]
    for good, counts, what, goal in verdicts:
        word = ("reached" if good else "MISSED") if counts else "no goal"
        print(f"{word}: {what}" + f" (goal {goal})" * counts)
    return all(good for good, counts, *_ in verdicts if counts)


def networks(options: argparse.Namespace, mask: NDArray[np.bool_]) -> dict[str, Entry]:
    """Build ours and the peers, of the same size, on the same responses."""
    torch.manual_seed(0)
    plain = ViT3DConfig(patch_size=PATCH, n_layers=options.layers, dropout=0)
    masked = plain.model_copy(update={"tokens": "brain"})
    dense, on_brain = (build_network(config, mask, TARGETS) for config in (plain, masked))
    vectors = torch.randn(options.batch, int(mask.sum()))
    volume = torch.zeros(options.batch, *SHAPE)
    volume[:, torch.from_numpy(mask)] = vectors
    channel = volume[:, None]
    whole, part = (vit_work(c, mask, Size(1))[1:3] for c in (plain, masked))
    found = {
        DENSE: Entry(dense, volume, *whole),
        BRAIN: Entry(on_brain, vectors, *part),
        "nn.TransformerEncoder": Entry(Plain(options.layers), volume, *whole),
    }
    if importlib.util.find_spec("monai"):
        found["MONAI ViT"] = Entry(Last(monai_vit(options.layers)), channel, *whole)
    if importlib.util.find_spec("vit_pytorch"):
        found["vit-pytorch ViT 3D"] = Entry(their_vit(options.layers), channel, *whole)
    return found


def trainer(entry: Entry, precision: torch.dtype) -> Callable[[], None]:
    """Return one training step: forward, loss, backward, AdamW."""
    optimiser = torch.optim.AdamW(entry.network.parameters(), lr=1e-4, fused=True)
    truth = torch.randn(len(entry.x), TARGETS)
    mixed = precision == torch.bfloat16

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            guess: Tensor = entry.network(entry.x)
        torch.autograd.backward(nn.functional.mse_loss(guess.float(), truth))
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return step


def gemm_work(
    n_tokens: int, layers: int, batch: int, precision: torch.dtype
) -> Callable[[], float]:
    """Return a function that measures the seconds of the step's matrix products alone."""
    n, rows = n_tokens + 1, batch * (n_tokens + 1)
    heads, size, voxels = batch * HEADS, DIM // HEADS, int(np.prod(PATCH))
    shapes: list[tuple[float, tuple[int, ...], tuple[int, ...]]] = [
        (1, (batch * n_tokens, voxels), (voxels, DIM)),  # embedding forward
        (1, (voxels, batch * n_tokens), (batch * n_tokens, DIM)),  # and for its weights
        (3 * layers, (heads, n, size), (heads, size, n)),  # attention: one forward, two back
        (3 * layers, (heads, n, n), (heads, n, size)),
    ]
    for k, out in ((DIM, 3 * DIM), (DIM, DIM), (DIM, HIDDEN), (HIDDEN, DIM)):
        forward, for_input, for_weights = (rows, k), (rows, out), (k, rows)
        shapes += [(layers, forward, (k, out)), (layers, for_input, (out, k))]
        shapes += [(layers, for_weights, (rows, out))]
    return lambda: sum(times * product_seconds(a, b, precision) for times, a, b in shapes)


def product_seconds(a: tuple[int, ...], b: tuple[int, ...], precision: torch.dtype) -> float:
    """Best of three products of random matrices into memory that is there already."""
    left, right = torch.randn(a).to(precision), torch.randn(b).to(precision)
    out = left @ right
    return min(timed(lambda: torch.matmul(left, right, out=out)) for _ in range(3))


def square_peak(precision: torch.dtype, n: int = 2048) -> float:
    """Operations per second of a large square product."""
    return 2 * n**3 / product_seconds((n, n), (n, n), precision)


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call, by the newest of the clocks."""
    clock = clocks[-1]
    start = clock()
    work()
    return clock() - start


def brain() -> NDArray[np.bool_]:
    """An ellipsoid of 211,000 voxels, as many as sub-01's brain has, on its grid."""
    axes = [np.arange(n) - (n - 1) / 2 for n in SHAPE]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    mask: NDArray[np.bool_] = (x / 33.4) ** 2 + (y / 43.5) ** 2 + (z / 34.7) ** 2 < 1
    return mask


class Plain(nn.Module):
    """torch's own encoder behind the same embedding, CLS token and head."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            DIM, HEADS, HIDDEN, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.embedding = nn.Conv3d(1, DIM, PATCH, PATCH)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        n_tokens = int(np.prod(SHAPE)) // int(np.prod(PATCH))
        self.position = nn.Parameter(torch.zeros(n_tokens, DIM))
        self.cls = nn.Parameter(torch.zeros(1, 1, DIM))
        self.head = nn.Sequential(nn.LayerNorm(DIM), nn.Linear(DIM, TARGETS))

    def forward(self, x: Tensor) -> Tensor:
        """(B, X, Y, Z) → (B, n_targets)."""
        tokens = self.embedding(x[:, None]).flatten(2).transpose(1, 2) + self.position
        tokens = torch.cat([self.cls.expand(len(x), -1, -1), tokens], 1)
        ratings: Tensor = self.head(self.encoder(tokens)[:, 0])
        return ratings


class Last(nn.Module):
    """MONAI returns (ratings, hidden states): keep the ratings."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, X, Y, Z) → (B, n_targets)."""
        ratings: Tensor = self.network(x)[0]
        return ratings


def monai_vit(layers: int) -> nn.Module:
    """MONAI's ViT of the same size."""
    from monai.networks.nets.vit import ViT

    network: nn.Module = ViT(
        *(1, SHAPE, PATCH, DIM, HIDDEN, layers, HEADS),
        proj_type="conv",
        classification=True,
        num_classes=TARGETS,
        post_activation=None,
        qkv_bias=True,
    )
    return network


def their_vit(layers: int) -> nn.Module:
    """vit-pytorch's 3-D ViT of the same size, its axes named frames, height, width."""
    network: nn.Module = their_module().ViT(
        image_size=SHAPE[1:],
        image_patch_size=PATCH[1:],
        frames=SHAPE[0],
        frame_patch_size=PATCH[0],
        num_classes=TARGETS,
        dim=DIM,
        depth=layers,
        heads=HEADS,
        mlp_dim=HIDDEN,
        channels=1,
    )
    return network


def their_module() -> ModuleType:
    """vit_3d.py by its file: the package's __init__ imports torchvision, which is not here."""
    spec = importlib.util.find_spec("vit_pytorch")
    folder = Path((spec.submodule_search_locations or [""])[0]) if spec else Path()
    file = importlib.util.spec_from_file_location("their_vit_3d", folder / "vit_3d.py")
    if file is None or file.loader is None:
        msg = f"no vit_3d.py in {folder}"
        raise ImportError(msg)
    module = importlib.util.module_from_spec(file)
    file.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main())
