"""Which of several processes this one is, as torchrun or SLURM's srun say, and what each does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal, NamedTuple

from models.base.errors import ModelError
from models.training.config import FitConfig


class Processes(NamedTuple):
    """One process of `size` that train one network; `local_size` of them are on this machine."""

    rank: int = 0
    size: int = 1
    local_size: int = 1
    started_by: Literal["hand", "torchrun", "srun"] = "hand"

    @property
    def leads(self) -> bool:
        """Whether this is the one that reads the job, writes its files, and says how it ends."""
        return self.rank == 0

    @property
    def n_nodes(self) -> int:
        """How many machines take part."""
        return max(1, self.size // self.local_size)

    def __str__(self) -> str:
        """Return how people count: process 1 of 2."""
        return f"process {self.rank + 1} of {self.size}"


def processes(environment: Mapping[str, str] | None = None) -> Processes:
    """Read torchrun's variables, or those of a step that srun has started with several tasks.

    An allocation of several tasks alone starts one process: only srun's own step counts.
    """
    env = os.environ if environment is None else environment
    if "TORCHELASTIC_RUN_ID" in env:
        names = ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")
        rank, size, local = (_number(env, name) for name in names)
        return Processes(rank, size, local, "torchrun") if size > 1 else Processes()
    if "SLURM_STEP_NUM_TASKS" in env and _number(env, "SLURM_STEP_NUM_TASKS") > 1:
        size = _number(env, "SLURM_STEP_NUM_TASKS")
        nodes = _number(env, "SLURM_STEP_NUM_NODES")
        return Processes(_number(env, "SLURM_PROCID"), size, size // max(1, nodes), "srun")
    return Processes()


def _number(env: Mapping[str, str], name: str) -> int:
    text = env.get(name, "")
    if not text.isdigit():
        msg = f"{name} is {text!r}, but a number was expected: start it with torchrun or srun"
        raise ModelError(msg)
    return int(text)


def check_processes(config: FitConfig, here: Processes) -> None:
    """Refuse more processes than there are trials to share, and machines that differ."""
    if here.size > 1 and here.local_size * here.n_nodes != here.size:
        msg = (
            f"{here.size} processes do not divide evenly over {here.n_nodes} machines: start "
            "equally many on each"
        )
        raise ModelError(msg)
    most = config.micro_batch_size or config.batch_size
    if here.size > most:
        name = "batch_size" if config.micro_batch_size is None else "micro_batch_size"
        msg = (
            f"{here.size} processes cannot share {most} {'trial' if most == 1 else 'trials'} "
            f"({name}): start at most {most}, or make {name} larger"
        )
        raise ModelError(msg)


class MicroBatch(NamedTuple):
    """What goes through the network at once: `whole` trials, `mine` of them in this process.

    The same trials are `batch` in the batch, and `own` among those that this process reads.
    """

    whole: int
    mine: slice
    batch: slice
    own: slice


def parts_of(n: int, size: int | None, here: Processes) -> list[MicroBatch]:
    """Cut a batch of n trials into parts of `size`, and each part into the processes' shares.

    So the shares of all processes together are what one process computes at once, whatever
    their number: random numbers and BatchNorm's statistics are drawn over the same trials.
    """
    size, at = size or n, 0
    found = []
    for start in range(0, n, size):
        whole = min(size, n - start)
        first, end = (whole * r // here.size for r in (here.rank, here.rank + 1))
        in_batch, n_mine = slice(start + first, start + end), end - first
        found.append(MicroBatch(whole, slice(first, end), in_batch, slice(at, at + n_mine)))
        at += n_mine
    return found
