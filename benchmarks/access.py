"""One trial at random: the store against nibabel, nibabel with indexed_gzip, and a raw memory map.

    python -m benchmarks access [DATASET] [--subject sub-01] [--trials 200] [--slow-trials 12]

All read the same trials in the same process, file cache warm, and end at float32 values of one
trial. nibabel reads the volume from the published .nii.gz; with indexed_gzip it keeps the file
open and its index built (the first pass over all runs used, timed apart). The raw map is NumPy's
own on betas.npy.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np
from nibabel import openers
from numpy.typing import NDArray

from benchmarks._datasets import at_hand
from thingsviz.data.prepare.build import build_store
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import open_dataset

Read = Callable[[int], NDArray[np.float32]]
GOAL_NIBABEL, GOAL_RAW = 500, 1.5
PLAIN, RAW, OURS = "nibabel, .nii.gz", "raw memory map → float32", "store.vector(row)"


class Timing(NamedTuple):
    """Milliseconds a trial: median and 90th percentile."""

    name: str
    median: float
    p90: float


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks access", description=__doc__)
    parser.add_argument("dataset", type=Path, nargs="?", help="its folder; the planted demo")
    parser.add_argument("--subject", default="sub-01")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--slow-trials", type=int, default=12)
    options = parser.parse_args(argv)
    dataset = open_dataset(options.dataset or at_hand("demo"))
    build_store(dataset, options.subject)
    store = BetaStore.open(dataset, options.subject)
    rng = np.random.default_rng(0)
    rows = rng.permutation(len(store.trials))[: options.trials].tolist()
    slow = rows[: options.slow_trials]
    print(
        f"{dataset.name} {options.subject}: {store.shape[1]:,} brain voxels of {store.grid.shape}"
    )
    quick = {
        RAW: raw_map(store),
        OURS: store.vector,
        "store.volume(row), dense": store.volume,
    }
    timings = [
        *measure({PLAIN: plain_nibabel(dataset.root, store)}, slow),
        *measure_indexed(dataset.root, store, slow),
        *measure(quick, rows),
    ]
    check_equal(dataset.root, store, slow[0])
    report(timings)
    return 0


def measure(reads: dict[str, Read], rows: Sequence[int]) -> list[Timing]:
    """Time each read alone, all on each row and each first in turn, after a warming pass."""
    times: dict[str, list[float]] = {name: [] for name in reads}
    for read in reads.values():
        for row in rows[: len(rows) // 4 + 1]:
            read(row)
    order = list(reads.items())
    for row in rows:
        order.append(order.pop(0))  # whoever reads a row first pays for its page faults
        for name, read in order:
            start = time.perf_counter()
            read(row)
            times[name].append(1e3 * (time.perf_counter() - start))
    return [
        Timing(name, float(np.median(each)), float(np.percentile(each, 90)))
        for name, each in times.items()
    ]


def plain_nibabel(root: Path, store: BetaStore) -> Read:
    """Nibabel as it comes: opens the run and unpacks up to the volume."""

    def read(row: int) -> NDArray[np.float32]:
        openers.HAVE_INDEXED_GZIP = False
        trial = store.trials.iloc[row]
        image = nib.load(root / trial["fmri_path"], keep_file_open=False)
        return np.asarray(image.dataobj[..., int(trial["trial"]) - 1], np.float32)

    return read


def measure_indexed(root: Path, store: BetaStore, rows: Sequence[int]) -> list[Timing]:
    """Nibabel with indexed_gzip, every file kept open with its index."""
    try:
        import indexed_gzip  # noqa: F401
    except ImportError:
        print("indexed_gzip is not installed: left out ('make bench' installs it)")
        return []
    openers.HAVE_INDEXED_GZIP = True
    images: dict[str, nib.Nifti1Image] = {}

    def read(row: int) -> NDArray[np.float32]:
        trial = store.trials.iloc[row]
        path = str(trial["fmri_path"])
        if path not in images:
            images[path] = nib.load(root / path, keep_file_open=True)
        return np.asarray(images[path].dataobj[..., int(trial["trial"]) - 1], np.float32)

    start = time.perf_counter()
    for path in sorted(set(store.trials["fmri_path"].iloc[list(rows)])):
        images[path] = nib.load(root / path, keep_file_open=True)
        np.asarray(images[path].dataobj[..., -1])  # builds the index
    seconds = time.perf_counter() - start
    print(f"indexed_gzip: {seconds:.1f} s to index {len(images)} runs, not counted below")
    return measure({"nibabel + indexed_gzip": read}, rows)


def raw_map(store: BetaStore) -> Read:
    """What NumPy alone costs."""
    betas = np.load(store.folder / "betas.npy", mmap_mode="r")
    return lambda row: betas[row].astype(np.float32)


def check_equal(root: Path, store: BetaStore, row: int) -> None:
    """All of them read the same trial, up to float16."""
    volume = plain_nibabel(root, store)(row)[store.mask]
    np.testing.assert_allclose(store.vector(row), volume, rtol=1e-3, atol=1e-3)


def report(timings: list[Timing]) -> None:
    """Print a table with ratios and whether the goals are met."""
    by_name = {timing.name: timing.median for timing in timings}
    ours = by_name[OURS]
    print(f"{'':28s}{'median ms':>12s}{'p90 ms':>10s}{'× ours':>10s}")
    for timing in timings:
        ratio = timing.median / ours
        print(f"{timing.name:28s}{timing.median:12.3f}{timing.p90:10.3f}{ratio:10.2f}")
    faster = by_name[PLAIN] / ours
    slower = ours / by_name[RAW]
    met = said(faster >= GOAL_NIBABEL)
    print(f"{faster:,.0f} × faster than nibabel (goal ≥ {GOAL_NIBABEL}): {met}")
    print(f"{slower:.2f} × a raw map (goal ≤ {GOAL_RAW}): {said(slower <= GOAL_RAW)}")


def said(met: bool) -> str:
    """Say whether a goal is met."""
    return "met" if met else "NOT met"
