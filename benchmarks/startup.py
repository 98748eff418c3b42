"""How long a job takes from its start to its first batch, beside what its imports alone take.

    python -m benchmarks startup [--short] [--rounds 5]

Plants and prepares the tiny subject in a temporary folder, then starts `thingsviz.commands.train`
on a small transformer as the queue does, and waits for the first line of metrics.jsonl. The limit
is a bare interpreter that imports torch and lightning-fabric, measured in turn with it. Wall time
is the best of the rounds: the machine may have other work. Exits 1 when no round stays below 4 s.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

REPO = Path(__file__).parents[1]
GOAL_S = 4.0
PATIENCE_S = 120
BARE = "import torch, lightning_fabric"


class Start(NamedTuple):
    """Wall and processor seconds."""

    wall: float
    cpu: float


def main(argv: list[str] | None = None) -> int:
    """Measure and print; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(
        prog="benchmarks startup",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--short", action="store_true", help="two rounds")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(argv)
    rounds = 2 if options.short else options.rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"THINGSVIZ_DATA": str(folder), "THINGSVIZ_JOBS": str(folder / "jobs")}
        plant(folder / "tiny")
        jobs, bare = [], []
        for i in range(rounds):
            bare.append(finished([sys.executable, "-c", BARE]))
            jobs.append(first_batch(folder, i))
    job, limit = min(jobs), min(bare)
    print(
        f"imports of torch and lightning-fabric: {limit.wall:.1f} s, {limit.cpu:.1f} s processor"
    )
    print(f"a job up to its first batch:           {job.wall:.1f} s, {job.cpu:.1f} s processor")
    print(f"{job.cpu / limit.cpu:.1f} × the imports; load {os.getloadavg()[0]:.1f}")
    met = job.wall < GOAL_S
    print(f"goal < {GOAL_S:g} s: {'reached' if met else 'missed'}")
    return 0 if met else 1


def plant(folder: Path) -> None:
    """Make the tiny subject."""
    from thingsviz.commands import prepare
    from thingsviz.commands import simulate as planter

    if planter.main([str(folder), "--preset", "tiny"]) or prepare.main([str(folder)]):
        sys.exit("the tiny subject could not be made")


def finished(command: list[str]) -> Start:
    """Run a command to its end."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, cwd=REPO)
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Start(wall, sum(after[:2]) - sum(before[:2]))


def first_batch(folder: Path, i: int) -> Start:
    """Start a training and wait for the first report of it."""
    import psutil

    from thingsviz.jobs.job_folder import create_job
    from thingsviz.jobs.recipe import JobConfig

    model = {"name": "vit3d", "tokens": "brain", "patch_size": (6, 7, 5), "embed_dim": 64}
    recipe = {"name": f"start-{i}", "dataset": "tiny", "model": {**model, "n_heads": 4}}
    job = create_job(JobConfig.model_validate(recipe))
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "thingsviz.commands.train", str(job.path)],
        cwd=REPO,
        stderr=subprocess.DEVNULL,
    )
    metrics = job.file("metrics.jsonl")
    while not (metrics.is_file() and metrics.stat().st_size):
        if process.poll() is not None or time.monotonic() - began > PATIENCE_S:
            sys.exit(f"the training did not come to its first batch: {job.status().message}")
        time.sleep(0.01)
    wall = time.monotonic() - began
    times = psutil.Process(process.pid).cpu_times()
    process.kill()
    process.wait()
    return Start(wall, times.user + times.system)


if __name__ == "__main__":
    sys.exit(main())
